"""Which cells of a table can be run with what is on this machine, and what the others need."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.datasets import DATASETS, load_dataset
from aqa_pipeline.errors import DatasetError, RunError, UnknownName
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.simulation import name_of_stream
from aqa_pipeline.store import Store
from heads.folds import Select
from heads.registry import find_head
from heads.requests import FitRequest
from heads.samples import find_missing
from heads.tables.table import Column, Method, Row, Table
from heads.training import Precision


@dataclass(frozen=True)
class Settings:
    """How every cell is fitted. `specs` are `STREAM=HASH` (its start) where several features would fit.

    `roots` says where datasets lie (default data/NAME). `simulated` takes simulated features, and no others.
    """

    store: Path
    out: Path
    roots: Mapping[str, Path] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    select: Select = "last"
    epochs: int | None = None
    precision: Precision = "fp32"
    device: str = "auto"
    threads: int = 1
    specs: tuple[str, ...] = ()
    simulated: bool = False
    allow_missing: bool = False

    def root(self, dataset: str) -> Path:
        """Where that dataset is looked for."""
        return self.roots.get(dataset, Path("data") / dataset)


@dataclass(frozen=True)
class CellTask:
    """One cell to run, in plain values that travel to another process. `specs` are whole hashes per stream.

    `num_epochs` counts those of all its splits and seeds; `recipe_epochs` are one training's, by the recipe.
    """

    row: str
    column: str
    head: str
    variant: str
    dataset: str
    target: str | None
    splits: tuple[str, ...]
    specs: tuple[tuple[str, str], ...]
    settings: Settings
    recipe_epochs: tuple[int, ...]
    num_epochs: int

    @property
    def out(self) -> Path:
        """The cell's run directory."""
        return self.settings.out / "runs" / self.row / self.column

    @property
    def epochs(self) -> int | None:
        """What is asked of the fit; a head that is fitted at once has no epochs to shorten."""
        return None if self.recipe_epochs == (1,) else self.settings.epochs

    def request(self) -> FitRequest:
        """The fit of this cell; loads the dataset's labels."""
        settings = self.settings
        return FitRequest(
            head=self.head,
            dataset=load_dataset(self.dataset, settings.root(self.dataset)),
            store=Store(settings.store),
            out=self.out,
            target=self.target,
            splits=self.splits,
            seeds=settings.seeds,
            variant=self.variant,
            select=settings.select,
            epochs=self.epochs,
            specs=dict(self.specs),
            allow_missing=settings.allow_missing,
            device=settings.device,
            threads=settings.threads,
            streams=tuple(stream for stream, _ in self.specs),
            precision=settings.precision,
        )


@dataclass(frozen=True)
class FeatureNeed:
    """Features of `num_videos` videos that the store lacks for `lacking`, of which some are on the disk."""

    dataset: str
    stream: str
    backbone: str
    lacking: tuple[str, ...]
    num_videos: int
    num_present: int

    def command(self, settings: Settings) -> str:
        """The `aqa` command that makes them."""
        place = f"--root {settings.root(self.dataset)} --store {settings.store}"
        if settings.simulated:
            name = name_of_stream(self.stream, self.backbone)
            return f"aqa simulate --like {self.dataset} {place} --streams {name}"
        return (
            f"aqa extract --dataset {self.dataset} {place} --streams {self.stream} "
            f"--backbone {self.stream}={self.backbone}"
        )


@dataclass(frozen=True)
class Blocked:
    """A cell that cannot be run, why, and what to do about it."""

    row: str
    column: str
    reason: str


@dataclass(frozen=True)
class TablePlan:
    """A table's cells: those to run, those that cannot be, and the features that would change that."""

    table: Table
    settings: Settings
    tasks: tuple[CellTask, ...]
    blocked: tuple[Blocked, ...]
    needs: tuple[FeatureNeed, ...]


def plan_table(table: Table, settings: Settings) -> TablePlan:
    """Looks at datasets and store, and trains nothing.

    Raises `RunError` where only simulated features would fit and they were not asked for.
    """
    store = Store(settings.store)
    # Listing a store opens a record per stream, and every row asks again.
    scene = _Scene(store, functools.cache(store.specs), settings)
    tasks: list[CellTask] = []
    blocked: list[Blocked] = []
    needs: dict[FeatureNeed, None] = {}
    for column in table.columns:
        dataset = _load(column, settings)
        for row in table.rows:
            if row.method is None:
                continue
            if isinstance(dataset, str):
                blocked.append(Blocked(row.name, column.name, dataset))
                continue
            specs, lacking = _features(row.method, column, dataset, scene=scene)
            if lacking:
                needs |= dict.fromkeys(need for need in lacking if isinstance(need, FeatureNeed))
                reasons = [n if isinstance(n, str) else _explain(n, settings) for n in lacking]
                blocked.append(Blocked(row.name, column.name, "\n".join(reasons)))
            else:
                tasks.append(_task(row, row.method, column, specs=specs, settings=settings))
    return TablePlan(table, settings, tuple(tasks), tuple(blocked), tuple(needs))


@dataclass(frozen=True)
class _Scene:
    """What there is to run with."""

    store: Store
    specs_of: Callable[[str, str], list[StreamSpec]]
    settings: Settings


def _load(column: Column, settings: Settings) -> Dataset | str:
    """The column's dataset with its splits, or why it cannot be read."""
    try:
        dataset = load_dataset(column.dataset, settings.root(column.dataset))
        for split in column.splits:
            dataset.split(split)
    except (DatasetError, UnknownName) as error:
        return f"{error}\nName its folder with --root {column.dataset}=DIR."
    return dataset


def _features(
    method: Method, column: Column, dataset: Dataset, *, scene: _Scene
) -> tuple[dict[str, StreamSpec], list[FeatureNeed | str]]:
    """The spec of each stream, and what is lacking: features to make, or a choice (in words)."""
    settings = scene.settings
    splits = [dataset.split(name) for name in column.splits]
    wanted = sorted({video_id for split in splits for video_id in (*split.train, *split.test)})
    specs: dict[str, StreamSpec] = {}
    lacking: list[FeatureNeed | str] = []
    for stream, backbones in method.streams.items():
        of_stream = scene.specs_of(dataset.name, stream)
        alike = [spec for spec in of_stream if method.facts.items() <= spec.facts.items()]
        stored = _of_this_kind(alike, backbones, settings=settings)
        fitting = _narrow(stored, stream, backbones, settings=settings)
        if len(fitting) > 1:
            lacking.append(_choice(stream, fitting, dataset, settings))
        elif not fitting:
            lacking.append(_need(stream, backbones[0], wanted, dataset=dataset, num_videos=len(wanted)))
        else:
            (spec,) = fitting
            specs[stream] = spec
            without = list(find_missing(scene.store, dataset, {stream: spec}, video_ids=wanted))
            if without and not settings.allow_missing:
                backbone = str(spec.facts["backbone"])
                lacking.append(_need(stream, backbone, without, dataset=dataset, num_videos=len(wanted)))
    return specs, lacking


def _of_this_kind(
    stored: Sequence[StreamSpec], backbones: Sequence[str], *, settings: Settings
) -> list[StreamSpec]:
    """Features of these backbones: simulated ones if they were asked for, real ones if not."""
    of_backbone = [spec for spec in stored if spec.facts.get("backbone") in backbones]
    fitting = [spec for spec in of_backbone if spec.simulated == settings.simulated]
    if of_backbone and not fitting and not settings.simulated:
        raise RunError(
            f"{settings.store} holds SIMULATED features, drawn at random from no video: a table of "
            "them proves the machinery and no paper. Say --simulated if that is what you want, or name "
            "another --store."
        )
    return fitting


def _narrow(
    specs: Sequence[StreamSpec], stream: str, backbones: Sequence[str], *, settings: Settings
) -> list[StreamSpec]:
    """One spec where there is a choice by --spec, or by the backbone that comes first."""
    starts = [text.partition("=")[2] for text in settings.specs if text.partition("=")[0] == stream]
    chosen = [spec for spec in specs if any(spec.hash.startswith(start) for start in starts)]
    for backbone in backbones:
        of_first = [spec for spec in chosen or specs if spec.facts["backbone"] == backbone]
        if of_first:
            return of_first
    return []


def _choice(stream: str, specs: Sequence[StreamSpec], dataset: Dataset, settings: Settings) -> str:
    first = specs[0]
    listed = "\n".join(
        f"  --spec {stream}={spec.hash}: {'; '.join(first.differences(spec)) or 'the first'}"
        for spec in specs
    )
    return (
        f"{settings.store} has {stream} ({first.facts['backbone']}) of {dataset.name} made in {len(specs)} "
        f"ways. Choose one:\n{listed}"
    )


def _need(
    stream: str, backbone: str, without: Sequence[str], *, dataset: Dataset, num_videos: int
) -> FeatureNeed:
    lacking = set(without)
    num_present = sum(video.path.exists() for video in dataset.videos if video.video_id in lacking)
    return FeatureNeed(dataset.name, stream, backbone, tuple(without), num_videos, num_present)


def _explain(need: FeatureNeed, settings: Settings) -> str:
    num_lacking = len(need.lacking)
    lines = [
        f"{num_lacking} of {need.num_videos} videos lack {need.stream} ({need.backbone}) in "
        f"{settings.store}. Make them with `{need.command(settings)}`"
        + (", or leave these videos out with --allow-missing." if num_lacking < need.num_videos else ".")
    ]
    absent = num_lacking - need.num_present
    if absent and not settings.simulated:
        where = DATASETS[need.dataset].where
        lines.append(f"{absent} of these videos are not in {settings.root(need.dataset)}. {where}")
    return "\n".join(lines)


def _task(
    row: Row, method: Method, column: Column, *, specs: Mapping[str, StreamSpec], settings: Settings
) -> CellTask:
    choose = find_head(method.head).choose_recipe
    # The number of epochs does not depend on the videos' lengths, which only the features know.
    lengths = {stream: [1] for stream in specs}
    recipes = [choose(column.dataset, split, method.variant, lengths) for split in column.splits]
    at_once = all(recipe.optimiser == "closed-form" for recipe in recipes)
    recipe_epochs = tuple(sorted({recipe.epochs for recipe in recipes}))
    per_seed = sum((not at_once and settings.epochs) or recipe.epochs for recipe in recipes)
    return CellTask(
        row=row.name,
        column=column.name,
        head=method.head,
        variant=method.variant,
        dataset=column.dataset,
        target=column.target,
        splits=column.splits,
        specs=tuple((stream, spec.hash) for stream, spec in specs.items()),
        settings=settings,
        recipe_epochs=recipe_epochs,
        num_epochs=per_seed * len(settings.seeds),
    )
