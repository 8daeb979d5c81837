"""`aqa bench`: heads x encoders x datasets, compared with ridge regression on the same features."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aqa_pipeline.commands.defaults import find_dataset
from aqa_pipeline.commands.next_step import tell_next
from aqa_pipeline.commands.options import (
    ENGINE_OPTIONS,
    EXISTING,
    SOME_FAILED,
    check_engine_options,
    device_option,
    engine_options,
    example,
    parse_names,
    parse_numbers,
    pick_device,
    plugin_option,
    store_option,
    tell_on_stderr,
    together,
)
from aqa_pipeline.commands.outputs import OUTPUT_FILE, OUTPUT_FOLDER
from heads.commands.fits.many_fits import fits_progress, pool_options, stoppable, usual_jobs
from heads.commands.fits.split_options import chosen_splits, split_options

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store
    from heads.bench.planning import BenchPlan, BenchSettings
    from heads.training.pool.fits import Outcome

DIFFERENT = 1  # exit code of `verify`

which_options = together(
    click.option(
        "--dataset",
        "datasets",
        multiple=True,
        metavar="NAME[:DIR]",
        help="A dataset as in `aqa fit`, with its folder if it is not where it was extracted from; may be "
        "repeated.  [default: all in the store]",
    ),
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="[DATASET=]A,B",
        help="Scores to learn, each a block of its own.  [default: each dataset's first]",
    ),
    store_option,
    click.option(
        "--heads",
        default="stack,action-net,wd",
        show_default=True,
        metavar="A,B:VARIANT",
        help="Heads beside `mean` and `ridge`, which are always there.",
    ),
    click.option(
        "--encoders",
        metavar="A,B",
        help="Stored features by backbone, stream, STREAM=BACKBONE or STREAM=HASH.  [default: all stored]",
    ),
)


@click.group(
    invoke_without_command=True,
    epilog=example(
        "aqa bench --dataset folder:my-videos --heads stack,wd,action-net --seeds 0,1,2 --out bench"
    ),
)
@which_options
@split_options
@click.option("--seeds", default="0,1,2", show_default=True, metavar="A,B")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipes' numbers; the tables say so.")
@click.option("--allow-missing", is_flag=True, help="Leave out videos that have no features.")
@pool_options
@device_option
@engine_options(by_default="four per GPU, else one per CPU and thread")
@click.option(
    "--out",
    type=OUTPUT_FOLDER,
    default=Path("bench"),
    show_default=True,
    help="Folder for runs and results; an unfinished bench goes on.",
)
@plugin_option
@click.pass_context
def bench(ctx: click.Context, **options: Any) -> None:
    """Fit heads x encoders x datasets and compare each head with ridge regression.

    All heads of a block (dataset and encoder) read the same stored stream, with the same splits and seeds.
    The last epoch counts. Each block has the rows `mean`, `ridge` and a control on shuffled labels. Over
    several blocks, heads are ranked. A fit that fails does not stop the others, and the exit code is 3. The
    same command continues where it stopped.
    """
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    ctx.exit(_run_bench(ctx, options))


def _refuse_options(ctx: click.Context) -> None:
    """Raise `UsageError` for options before a subcommand, which would have no effect."""
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise click.UsageError(f"`aqa bench {ctx.invoked_subcommand}` has no option {given[0]!r} before it.")


def _run_bench(ctx: click.Context, options: dict[str, Any]) -> int:
    """Run the bench, print and write its results; return the exit code."""
    from aqa_pipeline.disk.folder_lock import sole_writer
    from aqa_pipeline.store import Store
    from heads.bench.bench import results_of
    from heads.bench.output.files import write_files
    from heads.bench.output.terminal import format_results
    from heads.bench.planning import open_bench, plan_bench

    check_engine_options(**{name: options[name] for name in ENGINE_OPTIONS})
    if options["engine"] == "ray" and options["jobs"]:
        raise click.UsageError("--jobs is for --engine local: on Ray, --actors is the number of workers.")
    store, settings = Store(options["store"]), _settings(options)
    plan = plan_bench(settings, _datasets(store, options["datasets"]), store)
    ctx.with_resource(sole_writer(settings.out))
    open_bench(settings)
    results = results_of(plan, _fit_all(plan, options))
    click.echo(format_results(results))
    paths = write_files(settings.out, results)
    click.echo("\n" + "\n".join(map(str, paths)))
    tell_next("bench", "verify", str(paths[0]))
    return SOME_FAILED if results.failed else 0


def _datasets(store: "Store", names: Sequence[str]) -> list["Dataset"]:
    """Return the datasets of these names, `NAME` or `NAME:DIR`; all in the store without a name."""
    if not names and not store.datasets():
        find_dataset(store, name=None, root=None)  # raises the error that says what to do
    found = []
    for text in names or store.datasets():
        name, _, folder = text.partition(":")
        found.append(find_dataset(store, name=name, root=Path(folder) if folder else None))
    twice = [each.name for at, each in enumerate(found) if each.name in {other.name for other in found[:at]}]
    if twice:
        raise click.UsageError(f"--dataset names {twice[0]} twice: name it once.")
    return found


def _settings(options: dict[str, Any]) -> "BenchSettings":
    from heads.bench.planning import BenchSettings
    from heads.training.options import FeatureOptions, FitOptions, TrainingOptions

    training = TrainingOptions(
        seeds=parse_numbers(options["seeds"]),
        epochs=options["epochs"],
        device=options["device"] if options["engine"] == "ray" else pick_device(options["device"]),
        threads=options["threads"],
    )
    return BenchSettings(
        out=options["out"],
        options=FitOptions(
            splits=chosen_splits(options),
            features=FeatureOptions(allow_missing=options["allow_missing"]),
            training=training,
        ),
        heads=parse_names(options["heads"]),
        encoders=parse_names(options["encoders"]),
        targets=_targets(options["targets"]),
    )


def _targets(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the targets by dataset, "" for all: ('fis-v=TES,PCS',) -> {'fis-v': ('TES', 'PCS')}."""
    by_dataset: dict[str, tuple[str, ...]] = {}
    for text in texts:
        dataset, _, names = text.rpartition("=")
        targets = parse_names(names)
        if not targets or dataset in by_dataset or len(set(targets)) < len(targets):
            raise click.UsageError(
                f"--target expects [DATASET=]NAME,..., each dataset and name once; got {text!r}."
            )
        by_dataset[dataset] = targets
    return by_dataset


def _fit_all(plan: "BenchPlan", options: dict[str, Any]) -> list["Outcome"]:
    from heads.bench.tasks import is_finished
    from heads.training.fit_on_ray import fit_on_ray
    from heads.training.pool.fits import run_fits

    def on_ray(request: Any, show: Any) -> object:
        address, actors = options["ray_address"], options["actors"]
        return fit_on_ray(request, show, address=address, actors=actors, tell=tell_on_stderr)

    with stoppable(), fits_progress(plan.tasks) as progress:
        return run_fits(
            plan.tasks,
            is_finished=is_finished,
            jobs=options["jobs"] or usual_jobs(plan.settings.options.training.device),
            progress=progress,
            fit_with=on_ray if options["engine"] == "ray" else None,
        )


@bench.command(epilog=example("aqa bench verify bench/results.json"))
@click.argument("results", type=EXISTING, metavar="RESULTS.JSON")
@click.pass_context
def verify(ctx: click.Context, results: Path) -> None:
    """Compute every number of RESULTS.JSON again from the stored predictions of the runs beside it.

    Prints each number, name and digest that differs, and each run that is missing; the exit code is then 1.
    """
    from heads.bench.verify import verify as compare

    found = compare(results)
    for line in found.differences:
        click.echo(line)
    what = f"{found.num_values} values of {found.num_runs} runs"
    if found.is_same:
        click.echo(f"{what} computed again from the predictions: all are the same.")
        return
    click.secho(f"{len(found.differences)} differences in {what}.", fg="red", err=True)
    ctx.exit(DIFFERENT)


@bench.command(epilog=example("aqa bench page bench/results.json other/results.json --html leaderboard.html"))
@click.argument("results", type=EXISTING, nargs=-1, required=True, metavar="RESULTS.JSON...")
@click.option(
    "--html", type=OUTPUT_FILE, default=Path("leaderboard.html"), show_default=True, help="File of the page."
)
def page(results: tuple[Path, ...], html: Path) -> None:
    """Write one leaderboard from the results of one bench or of several.

    Blocks with the same dataset, target, features and splits become one, and heads are ranked anew. The page
    needs only these files; `aqa bench verify` checks them.
    """
    from heads.bench.merging import merge
    from heads.bench.output.files import write_page
    from heads.bench.records import read_results

    click.echo(f"Page: {write_page(html, merge([read_results(path) for path in results]))}")


@bench.command(epilog=example("aqa bench schema > docs/bench-schema.json"))
def schema() -> None:
    """Print the JSON schema of results.json: its fields, their types and bounds."""
    from heads.bench.records import results_schema

    click.echo(json.dumps(results_schema(), indent=2))
