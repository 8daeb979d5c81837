"""`aqa reproduce`: a paper's table."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.defaults import stored_roots
from aqa_pipeline.commands.options import (
    EXISTING,
    SOME_FAILED,
    example,
    network_options,
    parse_backbones,
    parse_names,
    parse_numbers,
    pick_device,
    store_option,
    together,
)
from aqa_pipeline.commands.outputs import OUTPUT_FOLDER, check_output
from aqa_pipeline.precision import check_precision
from heads.commands.fine_tune_options import checkpoint_option
from heads.commands.fits.many_fits import fits_progress, pool_options, stoppable, usual_jobs
from heads.commands.parse_table_options import parse_root, parse_spec, parse_start
from heads.tables.quick import EPOCHS, EXIT_CODE, SEEDS, quick_part
from heads.tables.registry import TABLES, find_table

if TYPE_CHECKING:
    from heads.tables.planning.missing import WeightsLacking
    from heads.tables.planning.plan import TablePlan
    from heads.tables.settings import Settings
    from heads.tables.table import Table

USUAL_SEEDS = (0, 1, 2)

# Extracts the features that a plan lacks, with the options of EXTRACTION; passed in, because this package
# imports nothing of extract.
ExtractNeeds = Callable[["TablePlan", Mapping[str, Any]], None]
EXTRACTION = ("detector", "weights", "device", "batch_size", "runtime")
WeightsOf = Callable[..., Sequence[str]]  # (stream, backbone) pairs and a `detector` -> missing weights


def _table_names() -> str:
    """Return the list of tables for the end of the help text."""
    return "\n\n\b\nTables:\n" + "\n".join(f"  {table.name}  {table.title}" for table in TABLES.values())


which_options = together(
    click.argument("table", metavar="TABLE"),
    store_option,
    click.option(
        "--out",
        type=OUTPUT_FOLDER,
        help="Folder for runs and table.  [default: results/TABLE, with --quick results/TABLE-quick]",
    ),
    click.option(
        "--root",
        "roots",
        multiple=True,
        metavar="NAME=DIR",
        help="Folder of a dataset.  [default: the folder it was extracted from, else data/NAME]",
    ),
    click.option("--columns", metavar="A,B", help="Only these columns, such as mit-skating,ball."),
    click.option("--rows", metavar="A,B", help="Only these rows, such as xu,action-net-paper."),
    click.option(
        "--spec",
        "specs",
        multiple=True,
        metavar="STREAM=HASH",
        help="Which stored features to read, if several fit.",
    ),
    click.option(
        "--backbone",
        "backbones",
        multiple=True,
        metavar="[STREAM=]NAME",
        help="Which backbone's features to read, if a row may read several.",
    ),
    click.option("--allow-missing", is_flag=True, help="Leave out videos without features."),
    click.option("--simulated", is_flag=True, help="Read only simulated features."),
    click.option(
        "--fine-tune",
        is_flag=True,
        help="Also train backbones end to end with their heads, as Weight-Decider and TSA-Net do, in rows "
        "named ...-fine-tuned. They start from --weights.",
    ),
    checkpoint_option,
)
output_options = together(
    click.option(
        "--plan",
        "only_plan",
        is_flag=True,
        help="Run nothing; print what is missing per dataset, with time and disk.",
    ),
    click.option(
        "--quick",
        is_flag=True,
        help=f"A first look, no reproduction: one split, one seed, {EPOCHS} epochs; exit code {EXIT_CODE}.",
    ),
    click.option("--latex", is_flag=True, help="Also write the table as LaTeX (booktabs, graphicx)."),
)
training_options = together(
    click.option("--seeds", metavar="A,B", help="[default: 0,1,2; with --quick 0]"),
    click.option(
        "--select",
        type=click.Choice(["last", "val", "best-on-test"]),
        default="last",
        show_default=True,
        help="Which epoch to keep, as in `aqa fit`.",
    ),
    click.option(
        "--epochs", type=click.IntRange(1), help="Number of epochs instead of the paper's; the table says so."
    ),
    click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True),
    click.option(
        "--second-stage",
        type=EXISTING,
        metavar="PATH",
        help="Checkpoint of the I3D whose first stage made the maps (TSA-Net's tables), as in `aqa fit`.",
    ),
    pool_options,
)
extraction_options = together(
    click.option("--no-extract", is_flag=True, help="Use only stored features; extract nothing."),
    click.option("--detector", default="yolo", show_default=True, help="Detector of the athlete, for crops."),
    network_options(),
)


def make_reproduce(extract_needs: ExtractNeeds, weights_lacking: WeightsOf) -> click.Command:
    """Return the command `aqa reproduce`, which extracts missing features by `extract_needs`.

    `weights_lacking` returns the missing weights of the streams' backbones and of the detector.
    """

    @click.command(epilog=example("aqa reproduce action-net-table1") + _table_names())
    @which_options
    @output_options
    @training_options
    @extraction_options
    @click.pass_context
    def reproduce(ctx: click.Context, table: str, jobs: int | None, **options: Any) -> None:
        """Run a paper's table and print the paper's values beside ours, with intervals.

        Missing features are extracted first if videos and weights are available. Table cells that cannot be
        run are listed with what they need, the others are run, and the exit code is 3. The same command
        continues where it stopped. `--plan` only prints what is missing.
        """
        from aqa_pipeline.disk.folder_lock import sole_writer
        from heads.tables.output.files import open_folder, write_table
        from heads.tables.output.terminal import format_table_result
        from heads.tables.planning.plan import plan_table
        from heads.tables.tabulating import tabulate

        part, settings = _part(table, options), _settings(table, options)
        _check_backbones(part, settings.features.backbones)
        plan = plan_table(part, settings)
        lacking = partial(weights_lacking, detector=options["detector"])
        if options["only_plan"]:
            click.echo(_plan_text(plan, lacking))
            return
        check_output(settings.out, folder=True)
        ctx.with_resource(sole_writer(settings.out))
        open_folder(part, settings)
        if plan.needs and not options["no_extract"] and not settings.features.simulated:
            extract_needs(plan, {name: options[name] for name in EXTRACTION})
            plan = plan_table(part, settings)
        if not plan.can_run:
            click.echo(f"{_plan_text(plan, lacking)}\n")
        result = tabulate(plan, _run(plan, jobs or usual_jobs(settings.device)))
        click.echo(format_table_result(result))
        click.echo("\n" + "\n".join(map(str, write_table(result, latex=options["latex"]))))
        ctx.exit(EXIT_CODE if settings.quick else SOME_FAILED if result.blocked else 0)

    return reproduce


def _part(table: str, options: dict[str, Any]) -> "Table":
    whole = find_table(table)
    if options["fine_tune"]:
        from heads.tables.fine_tuned import with_fine_tuned

        if options["simulated"]:
            raise click.UsageError(
                "--fine-tune reads pictures, which are not simulated: leave out --simulated."
            )
        whole = with_fine_tuned(whole)
    elif options["checkpoint_activations"]:
        raise click.UsageError("--checkpoint-activations goes with --fine-tune only.")
    part = whole.part(rows=parse_names(options["rows"]), columns=parse_names(options["columns"]))
    return quick_part(part) if options["quick"] else part


def _plan_text(plan: "TablePlan", weights_lacking: "WeightsLacking") -> str:
    from heads.tables.planning.missing import find_lacks
    from heads.tables.planning.plan_text import format_plan

    return format_plan(plan, find_lacks(plan, weights_lacking))


def _run(plan: "TablePlan", jobs: int) -> dict[tuple[str, str], str]:
    """Train the plan's table cells; return the reasons of those that failed, by row and folder."""
    from heads.tables.running import run_tasks

    with stoppable(), fits_progress(plan.tasks) as progress:
        outcomes = run_tasks(plan.tasks, jobs=jobs, progress=progress)
    return {outcome.place: outcome.error for outcome in outcomes if outcome.error is not None}


def _settings(table: str, options: dict[str, Any]) -> "Settings":
    from aqa_pipeline.store import Store
    from heads.tables.settings import FeatureChoice, Settings, TrainingChoice

    device = pick_device(options["device"])
    check_precision(options["precision"], device=device)
    quick = options["quick"]
    seeds = options["seeds"] or ",".join(map(str, SEEDS if quick else USUAL_SEEDS))
    return Settings(
        store=options["store"],
        out=options["out"] or Path("results") / (f"{table}-quick" if quick else table),
        roots=stored_roots(Store(options["store"])) | dict(parse_root(text) for text in options["roots"]),
        features=FeatureChoice(
            specs=tuple(parse_spec(text) for text in options["specs"]),
            backbones=parse_backbones(options["backbones"]),
            simulated=options["simulated"],
            allow_missing=options["allow_missing"],
        ),
        training=TrainingChoice(
            seeds=parse_numbers(seeds),
            select=options["select"],
            epochs=options["epochs"] or (EPOCHS if quick else None),
            precision=options["precision"],
            second_stage=options["second_stage"],
            weights=dict(parse_start(text) for text in options["weights"]),
            checkpoint_activations=options["checkpoint_activations"],
        ),
        device=device,
        threads=options["threads"],
        quick=quick,
    )


def _check_backbones(table: "Table", chosen: Mapping[str, str]) -> None:
    """Raise `UsageError` for a backbone that no row reads."""
    readers = [reader for row in table.rows if (reader := row.method or row.count)]
    streams = [item for reader in readers for item in reader.streams.items()]
    read = {(stream, name) for stream, names in streams for name in names if name}
    for stream, name in chosen.items():
        if not any(each == name and stream in ("", of_stream) for of_stream, each in read):
            known = ", ".join(sorted(f"{of_stream}={each}" for of_stream, each in read))
            raise click.UsageError(
                f"--backbone {name}: no row of {table.name} reads it. Its rows read {known}."
            )
