"""`aqa fit`: features -> a run."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.defaults import RUNS, find_dataset
from aqa_pipeline.commands.next_step import given_words, tell_next
from aqa_pipeline.commands.options import (
    ENGINE_OPTIONS,
    EXISTING,
    check_engine_options,
    device_option,
    engine_options,
    example,
    parse_backbones,
    parse_names,
    parse_numbers,
    pick_device,
    plugin_option,
    stored_dataset_options,
    tell_on_stderr,
)
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output
from heads.commands.fine_tune_options import chosen_fine_tuning, fine_tune_options
from heads.commands.fits.repeated import beside, repeated
from heads.commands.fits.several_targets import requests_of, write_table
from heads.commands.fits.split_options import chosen_splits, split_options
from heads.commands.fits.training_progress import training_progress
from heads.commands.rank_loss_options import chosen_rank_loss, rank_loss_options

if TYPE_CHECKING:
    from heads.data.stored_specs import SpecChoice
    from heads.training.fit import Progress, RunSummary
    from heads.training.options import FitOptions, FitRequest


@click.command(
    epilog=example(
        "aqa fit --head action-net\n"
        "  aqa fit --head action-net --dataset mit-skating --store features --out runs/skating"
    )
)
@click.option(
    "--head",
    metavar="HEAD",
    default="action-net",
    show_default=True,
    help="action-net, wd, tsa, lstm, svr-average ...; an unknown name lists them all.",
)
@stored_dataset_options
@click.option(
    "--out",
    type=OUTPUT_FOLDER,
    help="Run directory; an unfinished run goes on.  "
    "[default: runs/DATASET-HEAD, or RUN-again with --repeat RUN]",
)
@click.option(
    "--target",
    metavar="A,B",
    help="Score to learn; of several, each gets a run in --out/TARGET.  [default: the dataset's first]",
)
@click.option(
    "--difficulty",
    is_flag=True,
    help="Learn the execution, and multiply by the difficulty, which the dataset gives (mtl-aqa).",
)
@split_options
@click.option("--seeds", default="0,1,2", show_default=True, metavar="A,B")
@click.option(
    "--variant",
    metavar="NAME",
    help="`paper`, `released` (the authors' code), `adapted` (ours for other data), or another of the "
    "head's.  [default: paper for a paper's dataset, else adapted]",
)
@click.option(
    "--select",
    type=click.Choice(["last", "val", "best-on-test"]),
    default="last",
    show_default=True,
    help="Which epoch is kept: the last, the best on held-out training videos (val), or the best on the "
    "test videos, which is not model selection and is labelled so.",
)
@click.option("--epochs", type=click.IntRange(1), help="Instead of the paper's number.")
@click.option(
    "--spec", "specs", multiple=True, metavar="STREAM=HASH", help="Which stored features, if several."
)
@click.option(
    "--backbone",
    "backbones",
    multiple=True,
    metavar="[STREAM=]NAME",
    help="Which stored features, if several: those of this network. With --fine-tune: the network to train.",
)
@click.option("--streams", metavar="A,B", help="Read these streams instead of the head's own.")
@fine_tune_options
@rank_loss_options
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    default="fp32",
    show_default=True,
    help="bf16 trains faster where the processor has it.",
)
@click.option(
    "--second-stage",
    type=EXISTING,
    metavar="PATH",
    help="Checkpoint of the I3D whose first stage made the maps (tsa, usdl, nl-net, plain-net).  "
    "[default: that of `aqa weights`]",
)
@click.option("--shuffle-labels", is_flag=True, help="Control: train on shuffled labels; must find nothing.")
@click.option("--no-baselines", is_flag=True, help="Do not fit ridge and kernel regression beside the head.")
@click.option("--allow-missing", is_flag=True, help="Leave out videos that have no features.")
@click.option(
    "--verify", is_flag=True, help="Check records of maps too before they are read in parts (all others are)."
)
@click.option("--threads", type=click.IntRange(1), help="CPU threads.  [default: torch's; on Ray 1]")
@device_option
@engine_options(by_default="four per GPU, else one per CPU and thread; with --together one per GPU")
@click.option(
    "--together",
    is_flag=True,
    help="With --engine ray: all workers train one network after the other together, each its part of every "
    "batch (the extra `ray-train`). Else each worker trains networks of its own.",
)
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Choice(["tensorboard", "mlflow"]),
    help="Write losses, rates and metrics of each epoch there too, beside epochs.csv; may be repeated.",
)
@click.option("--repeat", type=EXISTING, metavar="RUN", help="Repeat this run from its config, into --out.")
@plugin_option
@click.pass_context
def fit(ctx: click.Context, repeat: Path | None, **options: Any) -> None:
    """Trains a head on stored features, for every split and seed, and evaluates it on the held-out videos.

    The last epoch counts. --repeat makes a run again, bit for bit on the same machine. Several GPUs train one
    network together with `torchrun --nproc-per-node GPUS --no-python aqa fit ...`, or with --engine ray
    --together.
    """
    from heads.training.distributed.world import World

    check_engine_options(**{name: options[name] for name in ENGINE_OPTIONS})
    world = World.from_environment()
    if not world.is_alone and options["engine"] == "ray":
        raise click.UsageError("torchrun and --engine ray both spread a fit: use one of them.")
    if options["together"] and options["engine"] == "local":
        raise click.UsageError(
            "--together is for --engine ray. On this machine, several processes train together with "
            "`torchrun --nproc-per-node N --no-python aqa fit ...`."
        )
    if options["logs"] and options["engine"] == "ray" and not options["together"]:
        raise click.UsageError(
            "--log is for --engine local, or for --together: workers of their own tell of whole cells only."
        )
    with nullcontext() if world.is_first else _silence():
        _fit_and_print(ctx, repeat, options)


@contextmanager
def _silence() -> Iterator[None]:
    """Print nothing: the first of several processes does. Errors are printed after this block."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


def _fit_and_print(ctx: click.Context, repeat: Path | None, options: dict[str, Any]) -> None:
    out = options["out"]
    request = repeated(ctx, repeat, out or beside(repeat)) if repeat else _fit_request(options)
    check_output(request.out, folder=True)
    runs = requests_of(request, parse_names(options["target"]))
    found = {}
    for each in runs:
        if len(runs) > 1:
            click.echo(f"\nTarget {each.options.target}\n")
        found[each.options.target or ""] = _fit_one(each, options)
    if len(runs) > 1:
        click.echo("\n" + write_table(request.out, {name: run.evaluation for name, run in found.items()}))
    tell_next("report", str(runs[0].out), *given_words(ctx, only=("plugin",)))


def _fit_one(request: "FitRequest", options: dict[str, Any]) -> "RunSummary":
    """Fit one run and print what it found."""
    from heads.evaluation.against_baselines import format_against_baselines
    from heads.evaluation.evaluation_text import format_evaluation
    from heads.training.logs.open_logs import open_logs

    with open_logs(options["logs"], request.out) as logs, training_progress() as show:
        summary = _run(request, logs.after(show), options)
        logs.end(summary)
    click.echo(format_evaluation(summary.evaluation))
    if summary.beside:
        click.echo("\n" + format_against_baselines(summary.beside, title=request.options.head))
    for note in summary.notes:
        click.secho(note, fg="yellow", err=True)
    click.echo(
        f"\nRun: {summary.run_dir} ({summary.num_trained} trained, {summary.num_resumed} already there)"
    )
    return summary


def _run(
    request: "FitRequest", progress: Callable[["Progress"], None], options: dict[str, Any]
) -> "RunSummary":
    from heads.training.distributed.fit_together import fit_together
    from heads.training.distributed.on_ray import fit_together_on_ray
    from heads.training.fit_on_ray import fit_on_ray

    if options["engine"] == "local":
        return fit_together(request, progress)
    on_ray = fit_together_on_ray if options["together"] else fit_on_ray
    return on_ray(
        request, progress, address=options["ray_address"], actors=options["actors"], tell=tell_on_stderr
    )


def _fit_request(options: dict[str, Any]) -> "FitRequest":
    from aqa_pipeline.store import Store, file_name
    from heads.registry import find_head
    from heads.training.options import FitRequest

    head = find_head(options["head"]).name
    store = Store(options["store"], verify=options["verify"])
    dataset = find_dataset(store, name=options["dataset"], root=options["root"], called=options["called"])
    out = options["out"] or RUNS / file_name(f"{dataset.name}-{head}")
    if not all(options[name] for name in ("dataset", "root", "out")):
        click.echo(
            f"Fitting {head} on {dataset.name} ({dataset.root}) with the features in {store.root}, "
            f"into {out}.",
            err=True,
        )
    return FitRequest(_fit_options(options | {"head": head}), dataset, store, out)


def _fit_options(options: dict[str, Any]) -> "FitOptions":
    from heads.training.options import FeatureOptions, FitOptions, TrainingOptions

    fine_tune = chosen_fine_tuning(options)
    features = FeatureOptions(
        streams=parse_names(options["streams"]),
        specs=spec_choice(options["specs"], () if fine_tune else options["backbones"]),
        allow_missing=options["allow_missing"],
        second_stage=options["second_stage"],
    )
    training = TrainingOptions(
        seeds=parse_numbers(options["seeds"]),
        select=options["select"],
        epochs=options["epochs"],
        shuffle_labels=options["shuffle_labels"],
        device=options["device"] if options["engine"] == "ray" else pick_device(options["device"]),
        threads=options["threads"],
        precision=options["precision"],
        baselines=not options["no_baselines"],
        rank_loss=chosen_rank_loss(options),
    )
    return FitOptions(
        head=options["head"],
        variant=options["variant"],
        difficulty=options["difficulty"],
        splits=chosen_splits(options),
        features=features,
        training=training,
        fine_tune=fine_tune,
    )


def spec_choice(specs: Sequence[str], backbones: Sequence[str]) -> "SpecChoice":
    """Return which stored features `--spec` and `--backbone` choose; raise `UsageError` for a wrong pair."""
    from heads.data.stored_specs import SpecChoice

    hashes = dict(_pair(text) for text in specs)
    if len(hashes) < len(specs):
        raise click.UsageError(f"--spec wants each stream once; got {', '.join(specs)}.")
    return SpecChoice(hashes, parse_backbones(backbones))


def _pair(text: str) -> tuple[str, str]:
    stream, separator, spec_hash = text.partition("=")
    if not separator:
        raise click.UsageError(f"--spec wants STREAM=HASH (see `aqa store ls`); got {text!r}.")
    return stream, spec_hash
