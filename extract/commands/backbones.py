"""`aqa backbones`: which networks there are, what they take, give and cost."""

from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.options import example, plugin_option, tell_broken_plugins

if TYPE_CHECKING:
    from aqa_pipeline.backbones import Backbone

HEADER = (
    "name",
    "takes",
    "frames",
    "input",
    "features",
    "GFLOPs",
    "M params",
    "here",
    "weights",
    "license of the weights",
)


@click.command(epilog=example("aqa backbones --takes clip"))
@click.option("--takes", type=click.Choice(["clip", "image"]), help="Only networks that take these.")
@plugin_option
@click.pass_context
def backbones(ctx: click.Context, takes: str | None) -> None:
    """List the networks that make features: what they take and give, their cost, and their weights.

    Every network that takes a clip can make the stream `segments`, every one that takes an image `crops` and
    `frames`. GFLOPs are those of one clip or image, a multiply-add counted as one.
    """
    from aqa_pipeline.backbones import BACKBONES
    from aqa_pipeline.text_table import format_table
    from aqa_pipeline.weights import status

    here = {row.entry.name for row in status() if row.present}
    found, problems = BACKBONES.listed()
    wanted = [backbone for backbone in found.values() if takes in (None, backbone.takes)]
    click.echo(format_table(HEADER, [_row(backbone, backbone.weights in here) for backbone in wanted]))
    click.echo("\nChoose one with `aqa extract --backbone NAME`.")
    click.echo("NAME-motion makes segments of an image network: mean, deviation and change over 8 frames.")
    click.echo("`aqa weights fetch WEIGHTS` brings its weights, or says how to get them.")
    ctx.exit(tell_broken_plugins(problems))


def _row(backbone: "Backbone", is_here: bool) -> tuple[object, ...]:
    from aqa_pipeline.backbones.preprocess import get_preprocess
    from aqa_pipeline.weights import WEIGHTS

    known = WEIGHTS.get(backbone.weights)
    size = get_preprocess(backbone.preprocess["paper"]).size
    return (
        backbone.name,
        backbone.takes,
        backbone.frames_per_clip or 1,
        f"{size}x{size}",
        backbone.feature_size,
        f"{backbone.cost.gflops:.1f}",
        f"{backbone.cost.num_parameters / 1e6:.1f}",
        "yes" if is_here else "-",
        backbone.weights,
        known.license.partition(";")[0] if known else "those of a plug-in",
    )
