"""`aqa heads`: which heads there are, what they read, and where they come from."""

import click

from aqa_pipeline.commands.options import example, plugin_option, tell_broken_plugins

HEADER = ("name", "streams", "variants", "source")


@click.command(epilog=example("aqa heads --plugin last_steps.py"))
@plugin_option
@click.pass_context
def heads(ctx: click.Context) -> None:
    """List the heads: the streams that they read, their variants, and their paper.

    The first variant is the default. `aqa fit --streams` lets a head read other streams.
    Heads of plug-ins are listed too; exits with 3 if one cannot be loaded.
    """
    from aqa_pipeline.text_table import format_table
    from heads.registry import HEADS

    found, problems = HEADS.listed()
    rows = []
    for head in found.values():
        origin = HEADS.origin(head.name)
        source = f"{head.source} [plug-in {origin.name}]" if origin else head.source
        rows.append((head.name, ", ".join(head.streams), ", ".join(head.variants), source))
    click.echo(format_table(HEADER, rows))
    click.echo("\nTrain one with `aqa fit --head NAME`; `aqa extract --for NAME` makes what it reads.")
    ctx.exit(tell_broken_plugins(problems))
