"""The title, settings, legend and reasons that every format of a finished table shows."""

from collections.abc import Iterator, Sequence

from aqa_pipeline.plurals import counted
from heads.evaluation.evaluate import SELECT_LABELS
from heads.tables.results import TableResult
from heads.tables.table import Count, Method, Row, Table


def title_of(result: TableResult) -> str:
    """Return the title of the table; it says if the table, or a part of it, reproduces nothing."""
    title, statuses = result.table.title, {cell.status for cell in result.cells.values()}
    if result.settings.quick:
        return f"QUICK LOOK, NO REPRODUCTION of {title}"
    if "implied" not in statuses:
        return title
    if "run" not in statuses:
        return f"NO REPRODUCTION, costs that the paper's own numbers imply: {title}"
    return f"{title} (costs marked ≈ are implied by the paper's own numbers: no reproduction)"


def facts_of(result: TableResult) -> tuple[str, ...]:
    """Return how the table was made, one fact per text."""
    settings = result.settings
    seeds = ", ".join(map(str, settings.training.seeds))
    if settings.training.epochs is None:
        epochs = "epochs as in the recipe of each head, dataset and split"
    else:
        by = "--quick" if settings.quick else "--epochs"
        number = counted(settings.training.epochs, "epoch")
        epochs = f"{number} ({by}; heads that are fitted in closed form have none)"
    return (
        f"seeds {seeds}; {SELECT_LABELS[settings.training.select]}; {settings.training.precision}; {epochs}",
        *(["quick: the first split of each column alone"] if settings.quick else []),
        *(f"metric: {metric.title}" for metric in result.table.metrics.values()),
    )


def counted_legend(table: Table) -> str:
    """Return the legend of counted table cells, or "" if the table has none."""
    if not any(metric.kind == "counted" for metric in table.metrics.values()):
        return ""
    return (
        " Counted cells are means over videos, ± standard deviation over videos. Cells marked ≈ and "
        "`implied` are computed from the tube sizes that the paper's own numbers imply, without data: they "
        "reproduce nothing and show no difference."
    )


def reasons_of(result: TableResult) -> Iterator[tuple[str, str]]:
    """Yield each reason why table cells could not be run, or counted on stored tubes, after those cells."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for cell in result.blocked:
        by_reason.setdefault(cell.reason, []).append((cell.row, cell.column))
    for reason, places in by_reason.items():
        columns = list(dict.fromkeys(column for _, column in places))
        rows = list(dict.fromkeys(row for row, _ in places))
        which = "every row" if len(rows) == len(_runnable(result.table, columns)) else ", ".join(rows)
        yield f"{', '.join(columns)}: {which}", reason


def missing_title(result: TableResult) -> str:
    """Return the title above the reasons."""
    implied = any(cell.status == "implied" for cell in result.cells.values())
    return "Not run, or counted on implied tubes" if implied else "Not run"


def _runnable(table: Table, columns: Sequence[str]) -> list[Row]:
    """Return the rows that are trained or counted in these columns."""
    return [
        row
        for row in table.rows
        if any(isinstance(table.source_of(row, column), Method | Count) for column in columns)
    ]
