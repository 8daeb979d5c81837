"""`aqa run`: runs that were trained elsewhere, tuned backbones, and the schema of a run's config.json."""

import json
import math
from pathlib import Path
from typing import Any

import click

from aqa_pipeline.commands.defaults import RUNS, find_dataset
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import (
    EXISTING,
    device_option,
    example,
    parse_names,
    pick_device,
    plugin_option,
    stored_dataset_options,
)
from aqa_pipeline.commands.outputs import OUTPUT_FILE, OUTPUT_FOLDER, check_output
from heads.commands.fit import spec_choice
from heads.commands.run_hub import pull, push


@click.group()
def run() -> None:
    """Hand on a run, import one, write a tuned backbone, and print the schema of a run's config.json."""


for command in (push, pull):
    run.add_command(command)


@run.command(epilog=example("aqa run schema > docs/config-schema.json"))
def schema() -> None:
    """Print the JSON schema of a run's config.json: its fields, their types and bounds."""
    from heads.runs.run_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


@run.command(epilog=example("aqa run backbone runs/tuned --out tuned.safetensors"))
@click.argument("run_dir", metavar="RUN", type=EXISTING)
@click.option("--out", type=OUTPUT_FILE, required=True, help="The checkpoint to write, as safetensors.")
@click.option("--split", metavar="NAME", help="Of which split.  [default: the run's first]")
@click.option("--seed", type=click.IntRange(0), help="Of which seed.  [default: the run's first]")
@plugin_option
def backbone(run_dir: Path, out: Path, split: str | None, seed: int | None) -> None:
    """Write the backbone that RUN trained with its head, for `aqa extract --weights`."""
    from heads.runs.config import read_config
    from heads.scoring.tuned_backbone import write_tuned_backbone

    check_output(out, folder=False)
    first_split, first_seed = read_config(run_dir).cells[0]
    of_split, of_seed = split or first_split, first_seed if seed is None else seed
    name = write_tuned_backbone(run_dir, out, split=of_split, seed=of_seed)
    click.echo(f"{out}: {name} of split {of_split}, seed {of_seed}")
    tell_next("extract", "--backbone", name, "--weights", str(out))


@run.command(epilog=example("aqa run export runs/skating --out skating.zip"))
@click.argument("run_dir", metavar="RUN", type=EXISTING)
@click.option("--out", type=OUTPUT_FILE, help="The file to write.  [default: NAME.zip, after the folder]")
def export(run_dir: Path, out: Path | None) -> None:
    """Write RUN into one file for others: weights, config, predictions, and a card with its errors.

    The file holds the ids and scores of the videos, no picture of them, and no folder of this machine. A run
    of the head core also holds a feature vector of each training video.
    """
    from heads.reports.card import card_of
    from heads.runs.shared_run import write_shared_run

    path = out or Path(f"{run_dir.resolve().name}.zip")
    check_output(path, folder=False)
    card = card_of(run_dir)
    write_shared_run(run_dir, path, card=card)
    click.echo(card)
    click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    tell_next("run", "import", str(path), "--out", "RUN", then="where it is used")


@run.command(
    "import",
    epilog=example("aqa run import ball.pth --dataset rhythmic-gymnastics --split ball --out runs/released"),
)
@click.argument("checkpoints", type=EXISTING, nargs=-1, required=True)
@click.option(
    "--head", metavar="HEAD", default="action-net", show_default=True, help="The head of the checkpoints."
)
@stored_dataset_options
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
    """Make a run of a file of `aqa run export`, or of released checkpoints of a head.

    The run can score and be evaluated like a trained one. A file of `aqa run export` needs only --out.
    Other CHECKPOINTS are files that the authors saved (ACTION-NET's state dict), one per seed. They hold
    weights alone: the dataset with its labels, the split, stored features and the score scale are taken from
    the options. No code of the files is run.
    """
    from aqa_pipeline.store import Store, file_name
    from heads.data.score_scale import ScoreScale
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.runs.shared_run import is_shared_run
    from heads.training.import_checkpoints import VARIANT, import_checkpoints
    from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

    if len(checkpoints) == 1 and is_shared_run(checkpoints[0]):
        return _import_shared(checkpoints[0], options["out"])
    scale = options["scale"]
    if scale and not -math.inf < scale[0] < scale[1] < math.inf:
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


def _import_shared(path: Path, out: Path | None) -> None:
    from heads.evaluation.evaluate import evaluate
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.runs.shared_run import read_shared_run

    run_dir = out or RUNS / path.stem
    read_shared_run(path, run_dir)
    click.echo(format_evaluation(evaluate(run_dir)))
    click.echo(f"\nRun: {run_dir}")
    tell_next("score", "VIDEO", "--run", str(run_dir))
