"""Which stored features a cell reads, or which it lacks and what would make them."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.simulation import name_of_stream
from aqa_pipeline.store import Store
from heads.data.feature_set import find_missing
from heads.tables.settings import Settings
from heads.tables.table import Column, Count, Method


@dataclass(frozen=True)
class FeatureNeed:
    """Features of `num_videos` videos that the store lacks for `lacking`, of which some are on the disk.

    `extraction` are further words for `aqa extract`.
    """

    dataset: str
    stream: str
    backbone: str
    extraction: tuple[str, ...]
    lacking: tuple[str, ...]
    num_videos: int
    num_present: int

    def command(self, settings: Settings) -> str:
        """The `aqa` command that makes them."""
        place = f"--root {settings.root(self.dataset)} --store {settings.store}"
        if settings.simulated:
            name = name_of_stream(self.stream, self.backbone)
            return f"aqa simulate --like {self.dataset} {place} --streams {name}"
        words = (
            f"aqa extract --dataset {self.dataset} {place} --streams {self.stream}",
            f"--backbone {self.stream}={self.backbone}",
            *self.extraction,
        )
        return " ".join(words)

    def explain(self, settings: Settings) -> str:
        """What is lacking, and what to do about it."""
        num_lacking = len(self.lacking)
        if settings.simulated and "--variant" in self.extraction:
            return f"{self.stream} are not simulated as `aqa extract {' '.join(self.extraction)}` makes them."
        lines = [
            f"{num_lacking} of {self.num_videos} videos lack {self.stream} ({self.backbone}) in "
            f"{settings.store}. Make them with `{self.command(settings)}`"
            + (", or leave these videos out with --allow-missing." if num_lacking < self.num_videos else ".")
        ]
        absent = num_lacking - self.num_present
        if absent and not settings.simulated:
            where = DATASETS[self.dataset].where
            lines.append(f"{absent} of these videos are not in {settings.root(self.dataset)}. {where}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Shelf:
    """The store, and how its features are chosen among."""

    store: Store
    specs_of: Callable[[str, str], list[StreamSpec]]
    settings: Settings

    @classmethod
    def of(cls, settings: Settings) -> "Shelf":
        store = Store(settings.store)
        # Listing a store opens a record per stream, and every row asks again.
        return cls(store, functools.cache(store.specs), settings)


def videos_of(column: Column, dataset: Dataset) -> list[str]:
    """Every video of the column's splits once, sorted."""
    splits = [dataset.split(name) for name in column.splits]
    return sorted({video_id for split in splits for video_id in (*split.train, *split.test)})


def find_features(
    reader: Method | Count, column: Column, dataset: Dataset, *, shelf: Shelf
) -> tuple[dict[str, StreamSpec], list[FeatureNeed | str]]:
    """The spec of each stream, and what is lacking: features to make, or a choice (in words).

    Raises `RunError` where only simulated features would fit and they were not asked for.
    """
    settings = shelf.settings
    wanted = videos_of(column, dataset)
    specs: dict[str, StreamSpec] = {}
    lacking: list[FeatureNeed | str] = []
    for stream, usual in reader.streams.items():
        backbones = settings.backbones_of(stream, usual)
        need = functools.partial(_need, reader, stream, dataset=dataset, num_videos=len(wanted))
        of_stream = shelf.specs_of(dataset.name, stream)
        alike = [spec for spec in of_stream if reader.facts.items() <= spec.facts.items()]
        stored = _of_this_kind(alike, backbones, settings=settings)
        fitting = _narrow(stored, stream, backbones, settings=settings)
        if len(fitting) > 1:
            lacking.append(_choice(stream, fitting, dataset, settings))
        elif not fitting:
            lacking.append(need(backbones[0], wanted))
        else:
            (spec,) = fitting
            specs[stream] = spec
            without = list(find_missing(shelf.store, dataset, {stream: spec}, video_ids=wanted))
            if without and not settings.allow_missing:
                lacking.append(need(str(spec.facts["backbone"]), without))
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
    reader: Method | Count,
    stream: str,
    backbone: str,
    without: Sequence[str],
    *,
    dataset: Dataset,
    num_videos: int,
) -> FeatureNeed:
    lacking = set(without)
    num_present = sum(video.path.exists() for video in dataset.videos if video.video_id in lacking)
    return FeatureNeed(
        dataset.adapter, stream, backbone, reader.extraction, tuple(without), num_videos, num_present
    )
