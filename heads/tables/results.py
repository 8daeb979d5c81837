"""A finished table: the measured value of every table cell beside the paper's value."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from heads.tables.measuring import Measured
from heads.tables.planning.plan import Blocked
from heads.tables.settings import Settings
from heads.tables.table import Row, Table

# run: trained, or computed from trained cells. counted: on stored tubes or all positions. implied: on tube
# sizes that the paper implies. blank: neither printed nor run. not run: data is missing here.
Status = Literal["run", "counted", "implied", "cited", "not run", "blank"]


@dataclass(frozen=True)
class TableCell:
    """A cell of a table: the paper's value (None if it prints none), ours (None if not run), and the reason.

    `metric` is a name in heads/tables/output/metrics.py.
    """

    row: Row
    column: str
    metric: str
    printed: float | None
    measured: Measured | None = None
    status: Status = "blank"
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Our value minus the paper's.

        None if either is missing or undefined, or ours is implied by theirs.
        """
        if (
            self.status == "implied"
            or self.measured is None
            or self.printed is None
            or math.isnan(self.measured.mean)
        ):
            return None
        return self.measured.mean - self.printed

    @property
    def covered(self) -> bool | None:
        """True if our interval contains the paper's value.

        None if there is no interval or no paper's value.
        """
        interval = self.measured.interval if self.measured else None
        if self.difference is None or interval is None or math.isnan(interval.low):
            return None
        assert self.printed is not None
        return interval.covers(self.printed)


@dataclass(frozen=True)
class TableResult:
    """The finished table; `flags` say in capitals why its numbers are no result, `notes` explain them."""

    table: Table
    settings: Settings
    cells: Mapping[tuple[str, str], TableCell]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    blocked: tuple[Blocked, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the columns, then of the averages."""
        names = [column.name for column in self.table.columns]
        return (*names, *(average.name for average in self.table.averages))

    def of_row(self, row: Row) -> list[TableCell]:
        """Return the row's table cells in the order of `column_names`."""
        return [self.cells[row.name, name] for name in self.column_names]

    def num_test(self, column: str) -> str:
        """Return the number of test videos of that column, such as `5 x 50`; "" if nothing was run."""
        counts = {
            cell.measured.num_test
            for (_, name), cell in self.cells.items()
            if name == column and cell.measured is not None and cell.measured.num_test
        }
        return " or ".join(sorted(map(_counted, counts)))


def _counted(num_test: tuple[int, ...]) -> str:
    """Return numbers as text: (50,) -> 50, (50, 50) -> 2 x 50, (49, 50) -> 49 + 50."""
    if len(num_test) == 1:
        return str(num_test[0])
    if len(set(num_test)) == 1:
        return f"{len(num_test)} x {num_test[0]}"
    return " + ".join(map(str, num_test))
