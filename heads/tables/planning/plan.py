"""The plan of a table: which table cells can be run or counted on this machine, and what the others need."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Store
from heads.data.stored_specs import SpecChoice
from heads.registry import find_head
from heads.tables.planning.needs import FeatureNeed, Shelf, find_features, videos_of
from heads.tables.planning.trained_backbones import StartOfBackbone, recipes_of, start_of, why_no_start
from heads.tables.settings import Settings
from heads.tables.table import Column, Count, Method, Row, Table
from heads.training.options import FeatureOptions, FineTuneOptions, FitOptions, FitRequest, TrainingOptions
from heads.training.pool.workload import SECONDS_PER_EPOCH, UNKNOWN_HEAD_SECONDS, Load, Place


@dataclass(frozen=True)
class CellTask:
    """A table cell to train, in plain values that can be sent to another process.

    `place` is its row and the folder of its runs. `specs` are the full hashes by stream. `recipe_epochs` are
    the epochs of one training by the recipes, `num_epochs` those of all splits and seeds. `trained` is the
    backbone that is trained, too.
    """

    place: Place
    head: str
    variant: str
    dataset: str
    target: str | None
    splits: tuple[str, ...]
    specs: tuple[tuple[str, str], ...]
    settings: Settings
    recipe_epochs: tuple[int, ...]
    num_epochs: int
    trained: StartOfBackbone | None = None

    @property
    def out(self) -> Path:
        """The run directory."""
        return self.settings.out.joinpath("runs", *self.place)

    @property
    def epochs(self) -> int | None:
        """The epochs to ask for; a head that is fitted in closed form has no epochs to shorten."""
        return None if self.recipe_epochs == (1,) else self.settings.training.epochs

    @property
    def load(self) -> Load:
        """The epochs of all splits and seeds, and the guessed time of one."""
        streams, trained = tuple(stream for stream, _ in self.specs), self.trained
        per_epoch = SECONDS_PER_EPOCH.get(self.head, UNKNOWN_HEAD_SECONDS) * len(streams)
        if trained is not None:
            per_epoch = trained.guess_epoch_seconds(self.settings.device)
        backbone = trained and trained.name
        return Load(self.num_epochs, per_epoch, (self.head, self.variant, streams, self.dataset, backbone))

    def request(self) -> FitRequest:
        """Return the fit of this table cell; load the labels of the dataset."""
        settings, trained = self.settings, self.trained
        is_on_maps = trained is None and find_head(self.head).reads_maps
        features = FeatureOptions(
            streams=tuple(stream for stream, _ in self.specs),
            specs=SpecChoice(dict(self.specs)),
            allow_missing=settings.features.allow_missing,
            second_stage=settings.training.second_stage if is_on_maps else None,
        )
        training = TrainingOptions(
            seeds=tuple(settings.training.seeds),
            select=settings.training.select,
            epochs=self.epochs,
            device=settings.device,
            threads=settings.threads,
            precision=settings.training.precision,
        )
        options = FitOptions(
            head=self.head,
            variant=self.variant,
            target=self.target,
            splits=self.splits,
            features=features,
            training=training,
            fine_tune=None
            if trained is None
            else FineTuneOptions(
                backbone=trained.name,
                weights=trained.weights,
                checkpoint_activations=settings.training.checkpoint_activations,
            ),
        )
        dataset = load_dataset(self.dataset, settings.root(self.dataset))
        return FitRequest(options, dataset, Store(settings.store), self.out)


@dataclass(frozen=True)
class CountTask:
    """A table cell to count on the stored tubes of `videos` that have that spec.

    Without a spec no tubes are stored, and it is counted on the sizes that the paper implies.
    """

    row: str
    column: str
    dataset: str
    spec: StreamSpec | None
    videos: tuple[str, ...]


@dataclass(frozen=True)
class Blocked:
    """A table cell that cannot be run, and the reason with what to do about it."""

    row: str
    column: str
    reason: str


@dataclass(frozen=True)
class TablePlan:
    """The table cells to run or to count, those that lack something, and the features that they need.

    Table cells that are counted on implied sizes are among the `blocked`, too, because they lack tubes.
    """

    table: Table
    settings: Settings
    tasks: tuple[CellTask, ...]
    blocked: tuple[Blocked, ...]
    needs: tuple[FeatureNeed, ...]
    counts: tuple[CountTask, ...] = ()

    @property
    def can_run(self) -> bool:
        """True if a table cell can be trained, or counted on stored tubes."""
        return bool(self.tasks) or any(count.spec is not None for count in self.counts)


def plan_table(table: Table, settings: Settings) -> TablePlan:
    """Return the plan of a table from datasets and store; train nothing.

    Raises `RunError` if only simulated features fit, without --simulated.
    """
    shelf = Shelf.of(settings)
    datasets = {column.name: _load(column, settings) for column in table.columns}
    table = _with_cited(table, datasets, shelf)
    plans = _Plans(table, shelf)
    for column in table.columns:
        dataset = datasets[column.name]
        for row in table.rows:
            source = table.source_of(row, column.name)
            if isinstance(source, Method):
                plans.add_method(row, source, column, dataset)
            elif isinstance(source, Count):
                plans.add_count(row, source, column, dataset)
    return plans.finished()


def _with_cited(table: Table, datasets: Mapping[str, Dataset | str], shelf: Shelf) -> Table:
    """Return the table with the columns in which rows `where_stored` have no stored features as cited."""

    def is_stored(row: Row, dataset: Dataset | str) -> bool:
        streams = row.method.streams if row.method else {}
        return isinstance(dataset, Dataset) and all(shelf.specs_of(dataset.name, each) for each in streams)

    def with_cited(row: Row) -> Row:
        if not row.where_stored:
            return row
        cited = {name for name, dataset in datasets.items() if not is_stored(row, dataset)}
        cited |= {average.name for average in table.averages if cited & set(average.columns)}
        return replace(row, cited=frozenset(cited))

    return replace(table, rows=tuple(map(with_cited, table.rows)))


def _load(column: Column, settings: Settings) -> Dataset | str:
    """Return the column's dataset, or the reason why it or its splits cannot be read."""
    try:
        dataset = load_dataset(column.dataset, settings.root(column.dataset))
        for split in column.splits:
            dataset.split(split)
    except (DatasetError, UnknownName) as error:
        return f"{error}\nName its folder with --root {column.dataset}=DIR."
    return dataset


@dataclass
class _Plans:
    """A plan to which table cells are added."""

    table: Table
    shelf: Shelf
    tasks: list[CellTask] = field(default_factory=list)
    counts: list[CountTask] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    needs: dict[FeatureNeed, None] = field(default_factory=dict)

    def add_method(self, row: Row, method: Method, column: Column, dataset: Dataset | str) -> None:
        """Add the training of a table cell; columns that share runs are one task."""
        specs, reason = self._look(method, column, dataset)
        if reason or isinstance(dataset, str):
            self.blocked.append(Blocked(row.name, column.name, reason))
            return
        settings = self.shelf.settings
        start = start_of(method, column, dataset, settings)
        task = _task(row, method, column, specs=specs, settings=settings, start=start)
        self.tasks += [task] if task not in self.tasks else []

    def add_count(self, row: Row, count: Count, column: Column, dataset: Dataset | str) -> None:
        """Add the counting of a table cell; counting everywhere needs no stored tubes."""
        specs, reason = self._look(count, column, dataset)
        spec = None if reason else next(iter(specs.values()))
        videos = tuple(videos_of(column, dataset)) if spec and isinstance(dataset, Dataset) else ()
        if spec or count.everywhere or column.name in count.implied_by:
            name = dataset.name if isinstance(dataset, Dataset) else column.dataset
            self.counts.append(CountTask(row.name, column.name, name, spec, videos))
        if reason and not count.everywhere:
            self.blocked.append(Blocked(row.name, column.name, reason))

    def _look(
        self, reader: Method | Count, column: Column, dataset: Dataset | str
    ) -> tuple[dict[str, StreamSpec], str]:
        """Return the specs to read, and the reason if something is missing."""
        if isinstance(dataset, str):
            return {}, dataset
        specs, lacking = find_features(reader, column, dataset, shelf=self.shelf)
        self.needs |= dict.fromkeys(need for need in lacking if isinstance(need, FeatureNeed))
        settings = self.shelf.settings
        reasons = [each if isinstance(each, str) else each.explain(settings) for each in lacking]
        if isinstance(reader, Method) and reader.trained is not None:
            reasons.append(why_no_start(reader.trained, settings))
        return specs, "\n".join(filter(None, reasons))

    def finished(self) -> TablePlan:
        """Return the plan."""
        return TablePlan(
            table=self.table,
            settings=self.shelf.settings,
            tasks=tuple(self.tasks),
            blocked=tuple(self.blocked),
            needs=tuple(self.needs),
            counts=tuple(self.counts),
        )


def _task(
    row: Row,
    method: Method,
    column: Column,
    *,
    specs: Mapping[str, StreamSpec],
    settings: Settings,
    start: StartOfBackbone | None,
) -> CellTask:
    recipes = recipes_of(method, column)
    at_once = all(recipe.is_closed_form for recipe in recipes)
    recipe_epochs = tuple(sorted({recipe.epochs for recipe in recipes}))
    per_seed = sum((not at_once and settings.training.epochs) or recipe.epochs for recipe in recipes)
    return CellTask(
        place=(row.name, column.folder),
        head=method.head,
        variant=method.variant,
        dataset=column.dataset,
        target=column.target,
        splits=column.splits,
        specs=tuple((stream, spec.hash) for stream, spec in specs.items()),
        settings=settings,
        recipe_epochs=recipe_epochs,
        num_epochs=per_seed * len(settings.training.seeds),
        trained=start,
    )
