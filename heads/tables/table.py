"""A table of a paper as data: the printed values, and what is run or counted for each table cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from aqa_pipeline.errors import UnknownName
from heads.tables.output.metrics import METRICS, Metric

if TYPE_CHECKING:  # records need numpy, and `aqa --help` names the tables
    from aqa_pipeline.records import SpecValue


@dataclass(frozen=True)
class StoredFrames:
    """The frames of the stream pixels: the last `num_frames` of a video, as raw RGB of `width` x `height`.

    `tracker` follows the athlete in them; "" follows nobody.
    """

    width: int
    height: int
    num_frames: int
    tracker: str = ""

    @property
    def facts(self) -> dict[str, "SpecValue"]:
        """The facts of the specs that fit, whatever the encoding."""
        return {"num_frames": self.num_frames, "width": self.width, "height": self.height}

    @property
    def num_bytes(self) -> int:
        """The size of one video's frames."""
        return self.num_frames * self.height * self.width * 3

    @property
    def words(self) -> tuple[str, ...]:
        """The options of `aqa extract` that store these frames."""
        frames = ("--picture-size", f"{self.width}x{self.height}", "--last-frames", str(self.num_frames))
        return (*frames, "--tracker", self.tracker) if self.tracker else frames

    def __str__(self) -> str:
        return f"{self.width}x{self.height}{', tracked' if self.tracker else ''}"


@dataclass(frozen=True)
class ExtractionChoice:
    """What a table chooses about the extraction of its features, beside streams and backbones.

    `variant` and `views` are those of `aqa extract`; without `views`, the views are as usual. `frames` are
    those of the stream pixels.
    """

    variant: Literal["paper", "released"] = "paper"
    views: Literal["reference"] | None = None
    frames: StoredFrames | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The options of `aqa extract` that make this choice."""
        variant = () if self.variant == "paper" else ("--variant", self.variant)
        views = () if self.views is None else ("--views", self.views)
        return (*variant, *views, *(self.frames.words if self.frames else ()))


@dataclass(frozen=True)
class TrainedBackbone:
    """A backbone that is trained together with the head, from the stream pixels.

    `stream` is the one that holds its frozen features; `--weights STREAM=...` names what training starts
    from. A head that `needs_tube` reads tracked frames only.
    """

    name: str
    stream: str
    needs_tube: bool


@dataclass(frozen=True)
class Method:
    """A head in a variant, and the backbones whose features it may read by stream, the usual one first.

    `facts` must be in the specs of these features; `extraction` is how they are made so. With `trained` the
    head reads the stream pixels, which has the backbone "", and a backbone is trained, too.
    """

    head: str
    streams: Mapping[str, tuple[str, ...]]
    variant: str = "paper"
    facts: Mapping[str, "SpecValue"] = field(default_factory=dict)
    extraction: ExtractionChoice = ExtractionChoice()
    trained: TrainedBackbone | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "streams", MappingProxyType(dict(self.streams)))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))


@dataclass(frozen=True)
class Count:
    """The cost of `stacked` attention modules on the tubes of a column's videos, or `everywhere`.

    `streams`, `facts` and `extraction` choose the tubes as in `Method`. `implied_by` is the paper's own count
    of one module in G by column, which gives the tube sizes if none are stored.
    """

    streams: Mapping[str, tuple[str, ...]]
    facts: Mapping[str, "SpecValue"] = field(default_factory=dict)
    extraction: ExtractionChoice = ExtractionChoice()
    stacked: int = 1
    everywhere: bool = False
    implied_by: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("streams", "facts", "implied_by"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True)
class Versus:
    """A comparison of two rows of the same table by name: `row` relative to `base`."""

    row: str
    base: str


Source = Method | Count | Versus


@dataclass(frozen=True)
class Column:
    """The splits of one dataset (averaged) and the target (None: the first) that every row is evaluated on.

    `metric` is a name in tables/output/metrics.py. Columns that read several metrics from the same runs name
    the folder of those runs in `trained_as`.
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
        """The name of the folder of its runs, in the row's folder."""
        return self.trained_as or self.name


@dataclass(frozen=True)
class Average:
    """The mean over columns, such as one per apparatus: Fisher-z for correlations, plain for counts.

    If the paper prints no average, its side is the average of its printed values.
    """

    name: str
    title: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A row of a table. `printed` holds the paper's values by column or average.

    `method` is trained, `count` is counted, and `versus` is computed from two other rows, each in the columns
    whose metric is of that kind. A table cell without any of them is only cited. `metric` replaces the metric
    of the columns. `name` is the row's folder. A row with `where_stored` is trained only in columns whose
    features are stored, so that nobody has to make them; the plan names the others in `cited`.
    """

    name: str
    group: str
    label: str
    printed: Mapping[str, float]
    method: Method | None = None
    count: Count | None = None
    versus: Versus | None = None
    metric: str | None = None
    where_stored: bool = False
    cited: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "printed", MappingProxyType(dict(self.printed)))


@dataclass(frozen=True)
class Table:
    """A table of a paper; correlations have as many `decimals` as in the paper."""

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
        """Return the metric of the table cell; an average has the metric of its columns."""
        if row.metric:
            return row.metric
        average = next((one for one in self.averages if one.name == column), None)
        names = average.columns if average else (column,)
        (metric,) = {each.metric for each in self.columns if each.name in names}
        return metric

    def source_of(self, row: Row, column: str) -> Source | None:
        """Return what is run or counted for that table cell; None if the paper's value is only cited."""
        if column in row.cited:
            return None
        kind = METRICS[self.metric_name(row, column)].kind
        sources: dict[str, Source | None] = {"predicted": row.method, "counted": row.count}
        return sources.get(kind, row.versus)

    def decimals_of(self, metric: str) -> int:
        """Return the decimals of that metric."""
        decimals = METRICS[metric].decimals
        return self.decimals if decimals is None else decimals

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics of the table by name."""
        names = [self.metric_name(row, column.name) for column in self.columns for row in self.rows]
        return {name: METRICS[name] for name in dict.fromkeys(names)}

    def row(self, name: str) -> Row:
        """Return the row of that name; raise `UnknownName` if there is none."""
        _check_known(f"row of {self.name}", [name], [row.name for row in self.rows])
        return next(row for row in self.rows if row.name == name)

    def part(self, *, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> "Table":
        """Return the table with only these rows and columns, in its own order; no names mean all.

        An average stays if all its columns stay. A row that compares two others keeps those. Raises
        `UnknownName` for unknown names.
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
