"""A paper's table as data: what it prints in every cell, and which head on which features runs there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from aqa_pipeline.errors import UnknownName

if TYPE_CHECKING:  # records need numpy, and `aqa --help` names the tables
    from aqa_pipeline.records import SpecValue


@dataclass(frozen=True)
class Method:
    """A head in a variant, and per stream the backbones whose features it may read, the usual one first.

    `facts` are what the specs of these features must say besides.
    """

    head: str
    streams: Mapping[str, tuple[str, ...]]
    variant: str = "paper"
    facts: Mapping[str, "SpecValue"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "streams", MappingProxyType(dict(self.streams)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))


@dataclass(frozen=True)
class Column:
    """What every row is judged on: splits of one dataset (their mean) and a target (None: its first)."""

    name: str
    title: str
    dataset: str
    splits: tuple[str, ...]
    target: str | None = None


@dataclass(frozen=True)
class Average:
    """The Fisher-z mean over columns that are classes. The paper's side is that of its printed values."""

    name: str
    title: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One method. `printed` holds the paper's value per column name, as printed; no entry where it has none.

    `method` None: the paper only cites the row, so it is never run here. `name` is the row's folder.
    """

    name: str
    group: str
    label: str
    printed: Mapping[str, float]
    method: Method | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "printed", MappingProxyType(dict(self.printed)))


@dataclass(frozen=True)
class Table:
    """One table. `metric` is a name of heads/resampling.py; `footnotes` are what a reader must know.

    `decimals` are those that the paper prints, and so do we.
    """

    name: str
    title: str
    source: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    averages: tuple[Average, ...] = ()
    footnotes: tuple[str, ...] = ()
    metric: str = "spearman"
    decimals: int = 3

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        for kind, found in (("row", [row.name for row in self.rows]), ("column", names)):
            if len(set(found)) < len(found):
                raise ValueError(f"{self.name}: a {kind} is named twice in {found}")
        unknown = {name for row in self.rows for name in row.printed} - set(names)
        unknown |= {name for average in self.averages for name in average.columns} - set(names)
        if unknown:
            raise ValueError(f"{self.name}: there are no columns {sorted(unknown)}")

    def part(self, *, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> "Table":
        """The table with these rows and columns alone, in its own order (none named: all).

        An average stays where all its columns do. Raises `UnknownName`.
        """
        _check_known(f"row of {self.name}", rows, [row.name for row in self.rows])
        _check_known(f"column of {self.name}", columns, [column.name for column in self.columns])
        left = tuple(column for column in self.columns if not columns or column.name in columns)
        names = {column.name for column in left}
        return replace(
            self,
            columns=left,
            rows=tuple(
                replace(row, printed={name: row.printed[name] for name in row.printed if name in names})
                for row in self.rows
                if not rows or row.name in rows
            ),
            averages=tuple(average for average in self.averages if names.issuperset(average.columns)),
        )


def _check_known(kind: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownName(kind, name, known)
