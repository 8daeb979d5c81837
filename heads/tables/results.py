"""A table's cells as measured, beside what the paper prints. Nothing depends on when or how often it ran."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from aqa_pipeline.metrics import Interval, fisher_z_mean
from heads.configs import read_config
from heads.predicted import Predicted, read_predicted
from heads.resampling import class_mean_interval, find_metric, mean_interval, over_classes, per_seed
from heads.run_facts import run_flags
from heads.tables.planning import Blocked, CellTask, Settings, TablePlan
from heads.tables.table import Average, Row, Table

# blank: neither printed nor run. not run: it could be, with data that is missing here.
Status = Literal["run", "cited", "not run", "blank"]


@dataclass(frozen=True)
class Measured:
    """What was found. `std` is over all splits and seeds (of an average: over seeds); nan for a single one.

    `num_test` counts each split's test videos, `num_videos` different ones; `epochs` are those trained.
    """

    mean: float
    std: float
    interval: Interval
    num_videos: int
    num_test: tuple[int, ...]
    num_seeds: int
    epochs: tuple[int, ...]


@dataclass(frozen=True)
class TableCell:
    """One cell: the paper's value (None: it prints none), ours (None: not run), and why not."""

    row: Row
    column: str
    printed: float | None
    measured: Measured | None
    status: Status
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Ours minus the paper's."""
        if self.measured is None or self.printed is None:
            return None
        return self.measured.mean - self.printed

    @property
    def covered(self) -> bool | None:
        """Whether the paper's value lies in our interval."""
        if self.measured is None or self.printed is None or math.isnan(self.measured.interval.low):
            return None
        return self.measured.interval.covers(self.printed)


@dataclass(frozen=True)
class TableResult:
    """The finished table. `flags` say in capitals why its numbers are no result; `notes` what to know."""

    table: Table
    settings: Settings
    cells: Mapping[tuple[str, str], TableCell]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    blocked: tuple[Blocked, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Columns, then averages."""
        names = [column.name for column in self.table.columns]
        return (*names, *(average.name for average in self.table.averages))

    def of_row(self, row: Row) -> list[TableCell]:
        """The row's cells in the order of `column_names`."""
        return [self.cells[row.name, name] for name in self.column_names]

    def num_test(self, column: str) -> str:
        """How many videos that column was tested on, such as `5 x 50`; empty where nothing was run."""
        counts = {
            cell.measured.num_test
            for (_, name), cell in self.cells.items()
            if name == column and cell.measured is not None
        }
        return " or ".join(sorted(map(_counted, counts)))


def _counted(num_test: tuple[int, ...]) -> str:
    """(50,) -> 50; (50, 50) -> 2 x 50; (49, 50) -> 49 + 50."""
    if len(num_test) == 1:
        return str(num_test[0])
    if len(set(num_test)) == 1:
        return f"{len(num_test)} x {num_test[0]}"
    return " + ".join(map(str, num_test))


def tabulate(plan: TablePlan, failures: Mapping[tuple[str, str], str]) -> TableResult:
    """Reads every finished run of the plan and measures it; `failures` are cells whose training failed."""
    blocked = (*plan.blocked, *(Blocked(*place, reason) for place, reason in failures.items()))
    reasons = {(cell.row, cell.column): cell.reason for cell in blocked}
    tasks = {(task.row, task.column): task for task in plan.tasks if (task.row, task.column) not in reasons}
    predicted = {place: read_predicted(task.out) for place, task in tasks.items()}
    configs = {place: read_config(task.out) for place, task in tasks.items()}
    cells = {
        (row.name, column.name): _cell(
            plan.table, row, column.name, predicted=predicted, configs=configs, reasons=reasons
        )
        for row in plan.table.rows
        for column in plan.table.columns
    }
    cells |= {
        (row.name, average.name): _average_cell(row, average, cells, predicted)
        for row in plan.table.rows
        for average in plan.table.averages
    }
    return TableResult(
        table=plan.table,
        settings=plan.settings,
        cells=cells,
        flags=_flags(list(configs.values()), list(tasks.values()), plan.settings),
        notes=tuple(_notes(list(configs.values()), plan.table)),
        blocked=blocked,
    )


def _cell(
    table: Table,
    row: Row,
    column: str,
    *,
    predicted: Mapping[tuple[str, str], Sequence[Predicted]],
    configs: Mapping[tuple[str, str], Mapping[str, Any]],
    reasons: Mapping[tuple[str, str], str],
) -> TableCell:
    place, printed = (row.name, column), row.printed.get(column)
    if row.method is None:
        return TableCell(row, column, printed, None, "blank" if printed is None else "cited")
    if place in reasons:
        return TableCell(row, column, printed, None, "not run", reasons[place])
    splits, config = predicted[place], configs[place]
    metric = find_metric(table.metric)
    values = per_seed(splits, metric=metric)
    epochs = {split["recipe"]["epochs"] for split in config["splits"].values()}
    measured = Measured(
        mean=float(values.mean()),
        std=_sample_std(values),
        interval=mean_interval(splits, metric=metric),
        num_videos=len({video for split in splits for video in split.videos}),
        num_test=tuple(len(split.videos) for split in splits),
        num_seeds=len(splits[0].seeds),
        epochs=tuple(sorted(epochs)),
    )
    return TableCell(row, column, printed, measured, "run")


def _average_cell(
    row: Row,
    average: Average,
    cells: Mapping[tuple[str, str], TableCell],
    predicted: Mapping[tuple[str, str], Sequence[Predicted]],
) -> TableCell:
    """The Fisher-z mean over the columns, where all of them have one."""
    parts = [cells[row.name, column] for column in average.columns]
    values = [part.printed for part in parts if part.printed is not None]
    printed = fisher_z_mean(values) if len(values) == len(parts) else None
    if row.method is None:
        return TableCell(row, average.name, printed, None, "blank" if printed is None else "cited")
    found = [part.measured for part in parts if part.measured is not None]
    if len(found) < len(parts):
        lacking = [part.column for part in parts if part.measured is None]
        reason = f"not every column that it averages was run: {', '.join(lacking)}."
        return TableCell(row, average.name, printed, None, "not run", reason)
    classes = {column: predicted[row.name, column] for column in average.columns}
    by_seed = over_classes([per_seed(splits).mean(axis=0) for splits in classes.values()])
    measured = Measured(
        mean=float(by_seed.mean()),
        std=_sample_std(by_seed),
        interval=class_mean_interval(classes),
        num_videos=sum(part.num_videos for part in found),
        num_test=tuple(count for part in found for count in part.num_test),
        num_seeds=found[0].num_seeds,
        epochs=tuple(sorted({epochs for part in found for epochs in part.epochs})),
    )
    return TableCell(row, average.name, printed, measured, "run")


def _sample_std(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if values.size > 1 else math.nan


def _flags(
    configs: Sequence[Mapping[str, Any]], tasks: Sequence[CellTask], settings: Settings
) -> tuple[str, ...]:
    flags = dict.fromkeys(["SIMULATED"] if settings.simulated else [])
    flags |= dict.fromkeys(flag for config in configs for flag in run_flags(config))
    of_recipe = sorted({n for task in tasks if task.epochs is not None for n in task.recipe_epochs})
    if any(epochs != settings.epochs for epochs in of_recipe):
        by_recipe = " to ".join(str(n) for n in dict.fromkeys((of_recipe[0], of_recipe[-1])))
        flags[f"NOT THE PAPER'S TRAINING: {settings.epochs} epochs instead of {by_recipe}"] = None
    return tuple(flags)


def _notes(configs: Sequence[Mapping[str, Any]], table: Table) -> Iterator[str]:
    yield from table.footnotes
    imported = {
        stream
        for config in configs
        for stream, spec in config["specs"].items()
        if spec["facts"].get("imported")
    }
    if imported:
        yield f"Imported features, made by others: {', '.join(sorted(imported))}."
    missing = {(config["dataset"]["name"], video_id) for config in configs for video_id in config["missing"]}
    if missing:
        names = ", ".join(sorted(video_id for _, video_id in missing)[:5])
        yield f"{len(missing)} videos were left out of some cells (--allow-missing), such as {names}."
