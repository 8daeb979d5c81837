"""What every form of a finished table says beside the numbers."""

from collections.abc import Iterator, Sequence

from heads.evaluation.evaluate import SELECT_LABELS
from heads.tables.results import TableResult
from heads.tables.table import Count, Method, Row, Table


def title_of(result: TableResult) -> str:
    """The table's title; it says so where nothing, or not everything, in it is a reproduction."""
    title, statuses = result.table.title, {cell.status for cell in result.cells.values()}
    if result.settings.quick:
        return f"QUICK LOOK, NO REPRODUCTION of {title}"
    if "implied" not in statuses:
        return title
    if "run" not in statuses:
        return f"NO REPRODUCTION, costs that the paper's own numbers imply: {title}"
    return f"{title} (costs marked ≈ are implied by the paper's own numbers: no reproduction)"


def facts_of(result: TableResult) -> tuple[str, ...]:
    """How it was made: one line each."""
    settings = result.settings
    seeds = ", ".join(map(str, settings.seeds))
    if settings.epochs is None:
        epochs = "epochs as in the recipe of each head, dataset and split"
    else:
        by = "--quick" if settings.quick else "--epochs"
        epochs = f"{settings.epochs} epochs ({by}; heads that are fitted at once have none)"
    return (
        f"seeds {seeds}; {SELECT_LABELS[settings.select]}; {settings.precision}; {epochs}",
        *(["quick: the first split of each column alone"] if settings.quick else []),
        *(f"metric: {metric.title}" for metric in result.table.metrics.values()),
    )


def counted_legend(table: Table) -> str:
    """What counted cells are, where a table has any; else nothing."""
    if not any(metric.kind == "counted" for metric in table.metrics.values()):
        return ""
    return (
        " Counted cells are means over videos, ± over videos. Those marked ≈ and `implied` are computed from "
        "tube sizes that the paper's own numbers imply, from no data: they reproduce nothing, and no "
        "difference stands beside them."
    )


def reasons_of(result: TableResult) -> Iterator[tuple[str, str]]:
    """Each reason why cells could not be run, or counted on stored tubes, once, with these cells."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for cell in result.blocked:
        by_reason.setdefault(cell.reason, []).append((cell.row, cell.column))
    for reason, places in by_reason.items():
        columns = list(dict.fromkeys(column for _, column in places))
        rows = list(dict.fromkeys(row for row, _ in places))
        which = "every row" if len(rows) == len(_runnable(result.table, columns)) else ", ".join(rows)
        yield f"{', '.join(columns)}: {which}", reason


def missing_title(result: TableResult) -> str:
    """What stands above the reasons."""
    implied = any(cell.status == "implied" for cell in result.cells.values())
    return "Not run, or counted on implied tubes" if implied else "Not run"


def _runnable(table: Table, columns: Sequence[str]) -> list[Row]:
    """The rows that are trained or counted in these columns."""
    return [
        row
        for row in table.rows
        if any(isinstance(table.source_of(row, column), Method | Count) for column in columns)
    ]
