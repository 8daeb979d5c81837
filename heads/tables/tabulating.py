"""Make the table cells from finished runs and stored tubes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aqa_pipeline.metrics import fisher_z_mean
from aqa_pipeline.plurals import counted
from heads.runs.config import read_config
from heads.runs.predictions import Predicted, read_predicted
from heads.runs.run_config import RunConfig
from heads.runs.title import run_flags
from heads.tables.counting import Counted, count_tasks
from heads.tables.measuring import (
    Measured,
    mean_count,
    measure_average,
    measure_counts,
    measure_difference,
    measure_fisher_z_difference,
    measure_predictions,
    percent_change,
)
from heads.tables.output.metrics import METRICS
from heads.tables.planning.plan import Blocked, CellTask, TablePlan
from heads.tables.results import TableCell, TableResult
from heads.tables.table import Average, Column, Count, Method, Row, Table, Versus
from heads.training.pool.workload import Place

IMPLIED_FLAG = "COSTS MARKED ≈ ARE IMPLIED BY THE PAPER'S OWN NUMBERS: NO REPRODUCTION"
SCRATCH_FLAG = "BACKBONES TRAINED FROM RANDOM WEIGHTS"

Cells = dict[Place, TableCell]


def tabulate(plan: TablePlan, failures: Mapping[Place, str]) -> TableResult:
    """Return the finished table: measure every finished run of the plan, and count tubes.

    `failures` are the reasons of failed trainings by row and folder.
    """
    blocked = (*plan.blocked, *_failed_cells(plan.table, failures))
    tasks = [task for task in plan.tasks if task.place not in failures]
    configs = {task.place: read_config(task.out) for task in tasks}
    found = _Found(
        table=plan.table,
        predicted={task.place: read_predicted(task.out) for task in tasks},
        configs=configs,
        counted=count_tasks(plan),
        reasons={(cell.row, cell.column): cell.reason for cell in blocked},
    )
    cells = found.cells()
    return TableResult(
        table=plan.table,
        settings=plan.settings,
        cells=cells,
        flags=tuple(_flags(list(configs.values()), tasks, plan, cells)),
        notes=tuple(_notes(list(configs.values()), plan.table)),
        blocked=blocked,
    )


def _failed_cells(table: Table, failures: Mapping[Place, str]) -> Iterator[Blocked]:
    """Yield the table cells that would have read a failed training."""
    for (name, folder), reason in failures.items():
        for column in table.columns:
            if column.folder == folder and isinstance(table.source_of(table.row(name), column.name), Method):
                yield Blocked(name, column.name, reason)


@dataclass(frozen=True)
class _Found:
    """The results to make a table from: runs by row and folder, counts and reasons by row and column."""

    table: Table
    predicted: Mapping[Place, Sequence[Predicted]]
    configs: Mapping[Place, RunConfig]
    counted: Mapping[Place, Counted]
    reasons: Mapping[Place, str]

    def cells(self) -> Cells:
        """Return every table cell; rows that compare other rows come last."""
        cells: Cells = {}
        for row in sorted(self.table.rows, key=lambda row: row.versus is not None):
            for column in self.table.columns:
                cells[row.name, column.name] = self._cell(row, column, cells)
            for average in self.table.averages:
                cells[row.name, average.name] = self._average_cell(row, average, cells)
        return cells

    def _cell(self, row: Row, column: Column, cells: Cells) -> TableCell:
        source, metric = self.table.source_of(row, column.name), self.table.metric_name(row, column.name)
        cell = TableCell(row, column.name, metric, row.printed.get(column.name))
        reason = self.reasons.get((row.name, column.name), "")
        if source is None:
            return cell if cell.printed is None else replace(cell, status="cited")
        if isinstance(source, Versus):
            return self._versus(cell, source, cells, columns=[column])
        if isinstance(source, Count):
            counted = self.counted.get((row.name, column.name))
            if counted is None:
                return replace(cell, status="not run", reason=reason)
            measured = measure_counts(counted.values, metric)
            return replace(cell, measured=measured, status=counted.status, reason=reason)
        if reason:
            return replace(cell, status="not run", reason=reason)
        place = (row.name, column.folder)
        epochs = [split.recipe.epochs for split in self.configs[place].splits.values()]
        return replace(
            cell, measured=measure_predictions(self.predicted[place], metric, epochs=epochs), status="run"
        )

    def _average_cell(self, row: Row, average: Average, cells: Cells) -> TableCell:
        """Return the mean over the columns if all of them have a value."""
        metric = self.table.metric_name(row, average.name)
        parts = [cells[row.name, column] for column in average.columns]
        cell = TableCell(row, average.name, metric, _printed_average(row, average, parts))
        columns = [column for column in self.table.columns if column.name in average.columns]
        source = self.table.source_of(row, average.name)
        if source is None:
            return cell if cell.printed is None else replace(cell, status="cited")
        if isinstance(source, Versus):
            return self._versus(cell, source, cells, columns=columns)
        measured = [part.measured for part in parts if part.measured is not None]
        if len(measured) < len(parts):
            lacking = ", ".join(part.column for part in parts if part.measured is None)
            return replace(
                cell, status="not run", reason=f"not every column that it averages was run: {lacking}."
            )
        if isinstance(source, Count):
            implied = any(part.status == "implied" for part in parts)
            return replace(cell, measured=mean_count(measured), status="implied" if implied else "counted")
        return replace(
            cell, measured=measure_average(self._predictions_of(row.name, columns), measured), status="run"
        )

    def _versus(
        self, cell: TableCell, versus: Versus, cells: Cells, *, columns: Sequence[Column]
    ) -> TableCell:
        """Return the comparison of two rows, over one column or the averages of several."""
        row, base = (cells[name, cell.column] for name in (versus.row, versus.base))
        if row.measured is None or base.measured is None:
            lacking = ", ".join(side.row.name for side in (row, base) if side.measured is None)
            return replace(cell, status="not run", reason=f"a row that it compares was not run: {lacking}.")
        if METRICS[cell.metric].kind == "decrease":
            implied = "implied" in (row.status, base.status)
            measured = percent_change(row.measured, base.measured)
            return replace(cell, measured=measured, status="implied" if implied else "counted")
        sides = [self._predictions_of(name, columns) for name in (versus.row, versus.base)]
        return replace(cell, measured=_difference(sides, row.measured), status="run")

    def _predictions_of(self, row: str, columns: Sequence[Column]) -> dict[str, Sequence[Predicted]]:
        return {column.name: self.predicted[row, column.folder] for column in columns}


def _difference(sides: Sequence[Mapping[str, Sequence[Predicted]]], like: Measured) -> Measured:
    first, second = sides
    if len(first) > 1:
        return measure_fisher_z_difference(first, second, like)
    return measure_difference(next(iter(first.values())), next(iter(second.values())), like)


def _printed_average(row: Row, average: Average, parts: Sequence[TableCell]) -> float | None:
    """Return the paper's average, or the Fisher-z mean of its printed correlations if it prints none."""
    values = [part.printed for part in parts if part.printed is not None]
    if average.name in row.printed or row.metric or len(values) < len(parts):
        return row.printed.get(average.name)
    return fisher_z_mean(values)


def _flags(
    configs: Sequence[RunConfig], tasks: Sequence[CellTask], plan: TablePlan, cells: Cells
) -> Iterator[str]:
    specs = [task.spec for task in plan.counts if task.spec is not None]
    found = ["QUICK LOOK, NO REPRODUCTION"] if plan.settings.quick else []
    found += ["SIMULATED"] if plan.settings.features.simulated else []
    found += [flag for config in configs for flag in run_flags(config)]
    found += ["RANDOM WEIGHTS" for spec in specs if spec.random_weights]
    found += [SCRATCH_FLAG for config in configs if _is_from_scratch(config)]
    found += [IMPLIED_FLAG for cell in cells.values() if cell.status == "implied"]
    yield from dict.fromkeys(found)
    of_recipe = sorted({n for task in tasks if task.epochs is not None for n in task.recipe_epochs})
    if any(epochs != plan.settings.training.epochs for epochs in of_recipe):
        by_recipe = " to ".join(str(n) for n in dict.fromkeys((of_recipe[0], of_recipe[-1])))
        epochs = counted(plan.settings.training.epochs or 0, "epoch")
        yield f"NOT THE PAPER'S TRAINING: {epochs} instead of {by_recipe}"


def _is_from_scratch(config: RunConfig) -> bool:
    return config.head.backbone is not None and config.head.backbone.weights.startswith("random:")


def _notes(configs: Sequence[RunConfig], table: Table) -> Iterator[str]:
    yield from table.footnotes
    imported = {stream for config in configs for stream, spec in config.specs.items() if spec.imported}
    if imported:
        yield f"Imported features, made by others: {', '.join(sorted(imported))}."
    missing = {(config.dataset.name, video_id) for config in configs for video_id in config.left_out.missing}
    if missing:
        names = ", ".join(sorted(video_id for _, video_id in missing)[:5])
        videos = counted(len(missing), "video without features was", "videos without features were")
        yield f"{videos} left out (--allow-missing), such as {names}."
