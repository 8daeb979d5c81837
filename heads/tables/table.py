"""A paper's table as data: what it prints in every cell, and what is run or counted there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from aqa_pipeline.errors import UnknownName
from heads.tables.output.metrics import METRICS, Metric

if TYPE_CHECKING:  # records need numpy, and `aqa --help` names the tables
    from aqa_pipeline.records import SpecValue


@dataclass(frozen=True)
class Method:
    """A head in a variant, and per stream the backbones whose features it may read, the usual one first.

    `facts` are what the specs of these features must say besides, `extraction` the words that make
    `aqa extract` do so.
    """

    head: str
    streams: Mapping[str, tuple[str, ...]]
    variant: str = "paper"
    facts: Mapping[str, "SpecValue"] = field(default_factory=dict)
    extraction: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "streams", MappingProxyType(dict(self.streams)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))


@dataclass(frozen=True)
class Count:
    """The cost of `stacked` attention modules on a column's videos: on their tubes, or `everywhere`.

    Tubes are those of `streams` and `facts`, as a method's. `implied_by` holds, by column, the paper's own
    count in G of one module: it tells how large its tubes were, for where none are stored.
    """

    streams: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, "SpecValue"] = field(default_factory=dict)
    extraction: tuple[str, ...] = ()
    stacked: int = 1
    everywhere: bool = False
    implied_by: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("streams", "facts", "implied_by"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True)
class Versus:
    """Two rows of the same table, by name: `row` is held against `base`."""

    row: str
    base: str


Source = Method | Count | Versus


@dataclass(frozen=True)
class Column:
    """What every row is judged on: splits of one dataset (their mean) and a target (None: its first).

    `metric` is a name of tables/output/metrics.py. Columns that read several metrics off the same runs name
    the folder of those in `trained_as`.
    """

    name: str
    title: str
    dataset: str
    splits: tuple[str, ...]
    target: str | None = None
    metric: str = "spearman"
    trained_as: str = ""

    @property
    def folder(self) -> str:
        """Under which name its runs lie in a row's folder."""
        return self.trained_as or self.name


@dataclass(frozen=True)
class Average:
    """The mean over columns that are classes: the Fisher-z mean of correlations, the plain one of counts.

    Where the paper prints none of its own, its side is that of its printed values.
    """

    name: str
    title: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One method. `printed` holds the paper's value per column or average, as printed; no entry where none.

    `method` is trained, `count` counted, `versus` computed from two other rows, each in the columns whose
    metric is of that kind; what has none there is cited only, and never run. `metric` stands in place of the
    columns' own. `name` is the row's folder.
    """

    name: str
    group: str
    label: str
    printed: Mapping[str, float]
    method: Method | None = None
    count: Count | None = None
    versus: Versus | None = None
    metric: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "printed", MappingProxyType(dict(self.printed)))


@dataclass(frozen=True)
class Table:
    """One table. `footnotes` are what a reader must know.

    `decimals` are those that the paper prints of correlations, and so do we.
    """

    name: str
    title: str
    source: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    averages: tuple[Average, ...] = ()
    footnotes: tuple[str, ...] = ()
    decimals: int = 3

    def __post_init__(self) -> None:
        problem = next(_contradictions(self), None)
        if problem:
            raise ValueError(f"{self.name}: {problem}")

    def metric_name(self, row: Row, column: str) -> str:
        """What stands in the cell, also of an average: that of its columns."""
        if row.metric:
            return row.metric
        average = next((one for one in self.averages if one.name == column), None)
        names = average.columns if average else (column,)
        (metric,) = {each.metric for each in self.columns if each.name in names}
        return metric

    def source_of(self, row: Row, column: str) -> Source | None:
        """What is done for that cell; None: the paper's value is only cited."""
        kind = METRICS[self.metric_name(row, column)].kind
        sources: dict[str, Source | None] = {"predicted": row.method, "counted": row.count}
        return sources.get(kind, row.versus)

    def decimals_of(self, metric: str) -> int:
        """How many are printed of that metric."""
        decimals = METRICS[metric].decimals
        return self.decimals if decimals is None else decimals

    @property
    def metrics(self) -> dict[str, Metric]:
        """Every metric that stands in it, by name."""
        names = [self.metric_name(row, column.name) for column in self.columns for row in self.rows]
        return {name: METRICS[name] for name in dict.fromkeys(names)}

    def row(self, name: str) -> Row:
        """The row of that name; raises `UnknownName`."""
        _check_known(f"row of {self.name}", [name], [row.name for row in self.rows])
        return next(row for row in self.rows if row.name == name)

    def part(self, *, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> "Table":
        """The table with these rows and columns alone, in its own order (none named: all).

        An average stays where all its columns do, and with a row the two that it compares. Raises
        `UnknownName`.
        """
        _check_known(f"row of {self.name}", rows, [row.name for row in self.rows])
        _check_known(f"column of {self.name}", columns, [column.name for column in self.columns])
        left = tuple(column for column in self.columns if not columns or column.name in columns)
        names = {column.name for column in left}
        averages = tuple(average for average in self.averages if names.issuperset(average.columns))
        names |= {average.name for average in averages}
        wanted = {*rows, *(base for row in self.rows if row.name in rows for base in _compared(row))}
        return replace(
            self,
            columns=left,
            rows=tuple(
                replace(row, printed={name: row.printed[name] for name in row.printed if name in names})
                for row in self.rows
                if not rows or row.name in wanted
            ),
            averages=averages,
        )


def _compared(row: Row) -> tuple[str, ...]:
    return (row.versus.row, row.versus.base) if row.versus else ()


def _contradictions(table: Table) -> Iterator[str]:
    rows, columns = [row.name for row in table.rows], [column.name for column in table.columns]
    for kind, found in (("row", rows), ("column", columns)):
        if len(set(found)) < len(found):
            yield f"a {kind} is named twice in {found}"
    unknown = {name for average in table.averages for name in average.columns} - set(columns)
    averages = {average.name for average in table.averages}
    unknown |= {name for row in table.rows for name in row.printed} - {*columns, *averages}
    if unknown:
        yield f"there are no columns {sorted(unknown)}"
    compared = {name for row in table.rows for name in _compared(row)} - set(rows)
    if compared:
        yield f"there are no rows {sorted(compared)}"
    metrics = {column.metric for column in table.columns} | {row.metric for row in table.rows if row.metric}
    if metrics - set(METRICS):
        yield f"there are no metrics {sorted(metrics - set(METRICS))}"
    trained = {(column.folder, column.dataset, column.splits, column.target) for column in table.columns}
    if len(trained) > len({column.folder for column in table.columns}):
        yield "columns of the same runs differ in dataset, splits or target"


def _check_known(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownName(kind, name, known)
