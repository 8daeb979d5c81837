"""`aqa run`: runs that were trained elsewhere, and the schema of a run's config.json."""

import json
from pathlib import Path
from typing import Any

import click

from aqa_pipeline.commands.defaults import RUNS, find_dataset
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import (
    EXISTING,
    FOLDER,
    device_option,
    example,
    name_option,
    parse_names,
    pick_device,
    store_option,
)
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output
from heads.commands.fit import spec_choice


@click.group()
def run() -> None:
    """Import released checkpoints as runs, and print the schema of a run's config.json."""


@run.command(epilog=example("aqa run schema > docs/config-schema.json"))
def schema() -> None:
    """Print the JSON schema of a run's config.json: its fields, their types and bounds."""
    from heads.runs.run_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


@run.command(
    "import",
    epilog=example("aqa run import ball.pth --dataset rhythmic-gymnastics --split ball --out runs/released"),
)
@click.argument("checkpoints", type=EXISTING, nargs=-1, required=True)
@click.option(
    "--head", metavar="HEAD", default="action-net", show_default=True, help="The head of the checkpoints."
)
@click.option(
    "--dataset", metavar="NAME", help="The dataset it was trained on.  [default: the only one in the store]"
)
@click.option(
    "--root",
    type=FOLDER,
    help="Folder of the dataset.  [default: where it was extracted from, else data/NAME]",
)
@name_option
@store_option
@click.option("--out", type=OUTPUT_FOLDER, help="Run directory.  [default: runs/DATASET-HEAD-released]")
@click.option("--target", help="The score that it predicts.  [default: the dataset's first]")
@click.option(
    "--split", metavar="NAME", help="The split it was trained on.  [default: the dataset's, if one]"
)
@click.option(
    "--scale",
    type=float,
    nargs=2,
    metavar="LOW HIGH",
    help="Raw scores that the network's 0 and 1 stand for.  "
    "[default: the target's bounds, or 10 % beyond the training scores]",
)
@click.option(
    "--spec", "specs", multiple=True, metavar="STREAM=HASH", help="Which stored features, if several."
)
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="[STREAM=]NAME",
    help="Which stored features, if several: those of this network.",
)
@click.option("--allow-missing", is_flag=True, help="Leave out videos that have no features.")
@device_option
def import_run(checkpoints: tuple[Path, ...], **options: Any) -> None:
    """Make a run of released checkpoints of a head, which can score and be evaluated like a trained one.

    CHECKPOINTS are files that the authors saved (ACTION-NET's state dict), one per seed. They hold weights
    alone: the dataset with its labels, the split, stored features and the score scale are taken from the
    options. No code of the files is run.
    """
    from aqa_pipeline.store import Store, file_name
    from heads.data.score_scale import ScoreScale
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.training.import_checkpoints import VARIANT, import_checkpoints
    from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

    scale = options["scale"]
    if scale and not scale[0] < scale[1]:
        raise click.UsageError(f"--scale wants LOW below HIGH; got {scale[0]:g} {scale[1]:g}.")
    store = Store(options["store"])
    dataset = find_dataset(store, name=options["dataset"], root=options["root"], called=options["called"])
    out = options["out"] or RUNS / file_name(f"{dataset.name}-{options['head']}-{VARIANT}")
    check_output(out, folder=True)
    fit_options = FitOptions(
        head=options["head"],
        variant=VARIANT,
        target=options["target"],
        splits=parse_names(options["split"]),
        features=FeatureOptions(
            specs=spec_choice(options["specs"], options["backbones"]), allow_missing=options["allow_missing"]
        ),
        training=TrainingOptions(seeds=tuple(range(len(checkpoints))), device=pick_device(options["device"])),
    )
    summary = import_checkpoints(
        FitRequest(fit_options, dataset, store, out),
        checkpoints,
        scale=ScoreScale(*scale) if scale else None,
    )
    click.echo(format_evaluation(summary.evaluation))
    for note in summary.notes:
        click.secho(note, fg="yellow", err=True)
    click.echo(
        f"\nRun: {summary.run_dir} ({summary.num_trained} imported, {summary.num_resumed} already there)"
    )
    tell_next("report", str(summary.run_dir))
