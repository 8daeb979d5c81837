"""What every form of a finished table says beside the numbers."""

from collections.abc import Iterator

from heads.evaluation import SELECT_LABELS
from heads.tables.results import TableResult


def facts_of(result: TableResult) -> tuple[str, ...]:
    """How it was made: one line each."""
    settings = result.settings
    seeds = ", ".join(map(str, settings.seeds))
    if settings.epochs is None:
        epochs = "as many epochs as the recipe of each head, dataset and class says"
    else:
        epochs = f"{settings.epochs} epochs (--epochs; heads that are fitted at once have none)"
    return (
        f"seeds {seeds}; {SELECT_LABELS[settings.select]}; {settings.precision}; {epochs}",
        f"metric: {METRIC_TITLES.get(result.table.metric, result.table.metric)}",
    )


METRIC_TITLES = {"spearman": "Spearman's rank correlation"}


def reasons_of(result: TableResult) -> Iterator[tuple[str, str]]:
    """Each reason why cells could not be run, once, with the cells that it holds back."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for cell in result.blocked:
        by_reason.setdefault(cell.reason, []).append((cell.row, cell.column))
    for reason, places in by_reason.items():
        columns = list(dict.fromkeys(column for _, column in places))
        rows = list(dict.fromkeys(row for row, _ in places))
        runnable = [row for row in result.table.rows if row.method is not None]
        which = "every row" if len(rows) == len(runnable) else ", ".join(rows)
        yield f"{', '.join(columns)}: {which}", reason
