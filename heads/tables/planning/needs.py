"""The stored features that a table cell reads, or the missing ones and the command that makes them."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.simulation import name_of_stream
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store
from heads.data.feature_set import find_missing
from heads.tables.settings import Settings
from heads.tables.table import Column, Count, ExtractionChoice, Method


@dataclass(frozen=True)
class FeatureNeed:
    """Features that the store lacks for the videos `lacking`, of `num_videos` in all.

    `backbone` is "" for the stream pixels, which no network makes. `num_present` of the lacking videos are
    on disk.
    """

    dataset: str
    stream: str
    backbone: str
    extraction: ExtractionChoice
    lacking: tuple[str, ...]
    num_videos: int
    num_present: int

    @property
    def made_with(self) -> str:
        """What makes the stream: its backbone; the size of pictures for pixels."""
        return self.backbone or str(self.extraction.frames)

    def command(self, settings: Settings) -> str:
        """Return the `aqa` command that makes the features."""
        place = f"--root {settings.root(self.dataset)} --store {settings.store}"
        if settings.features.simulated:
            name = name_of_stream(self.stream, self.backbone)
            return f"aqa simulate --like {self.dataset} {place} --streams {name}"
        words = (
            f"aqa extract --dataset {self.dataset} {place} --streams {self.stream}",
            *([f"--backbone {self.stream}={self.backbone}"] if self.backbone else []),
            *self.extraction.words,
        )
        return " ".join(words)

    def explain(self, settings: Settings) -> str:
        """Return what is missing and how to get it."""
        num_lacking = len(self.lacking)
        if settings.features.simulated and self.extraction.variant != "paper":
            words = " ".join(self.extraction.words)
            return f"{self.stream} are not simulated as `aqa extract {words}` makes them."
        lines = [
            f"{num_lacking} of {self.num_videos} videos lack {self.stream} ({self.made_with}) in "
            f"{settings.store}. Make them with `{self.command(settings)}`"
            + (", or leave these videos out with --allow-missing." if num_lacking < self.num_videos else ".")
        ]
        absent = num_lacking - self.num_present
        if absent and not settings.features.simulated:
            where = DATASETS[self.dataset].where
            lines.append(f"{absent} of these videos are not in {settings.root(self.dataset)}. {where}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Shelf:
    """The store, and the choice among its features."""

    store: Store
    specs_of: Callable[[str, str], list[StreamSpec]]
    settings: Settings

    @classmethod
    def of(cls, settings: Settings) -> "Shelf":
        """Return the shelf of the settings' store."""
        store = Store(settings.store)
        # Listing a store opens a record per stream, and every row asks again.
        return cls(store, functools.cache(store.specs), settings)


def videos_of(column: Column, dataset: Dataset) -> list[str]:
    """Return the ids of all videos of the column's splits, sorted."""
    splits = [dataset.split(name) for name in column.splits]
    return sorted({video_id for split in splits for video_id in (*split.train, *split.test)})


def find_features(
    reader: Method | Count, column: Column, dataset: Dataset, *, shelf: Shelf
) -> tuple[dict[str, StreamSpec], list[FeatureNeed | str]]:
    """Return the spec of each stream, and what is missing: features to make, or a choice as text.

    Raises `RunError` if only simulated features fit, without --simulated.
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
        stored = _of_this_kind(_with_tubes(alike, reader), backbones, settings=settings)
        fitting = _narrow(stored, stream, backbones, settings=settings)
        if len(fitting) > 1:
            lacking.append(_choice(stream, fitting, dataset, settings))
        elif not fitting:
            lacking.append(need(backbones[0], wanted))
        else:
            (spec,) = fitting
            specs[stream] = spec
            without = list(find_missing(shelf.store, dataset, {stream: spec}, video_ids=wanted))
            if without and not settings.features.allow_missing:
                lacking.append(need(_backbone_of(spec), without))
    return specs, lacking


def _backbone_of(spec: StreamSpec) -> str:
    """Return the backbone that made the features; "" for the stream pixels."""
    return typed_facts(spec).backbone or ""


def _with_tubes(stored: Sequence[StreamSpec], reader: Method | Count) -> list[StreamSpec]:
    """Return the tracked frames if the head needs a tube, or if there are any; else all features.

    Tracked and untracked frames of one size show the same pictures.
    """
    trained = reader.trained if isinstance(reader, Method) else None
    if trained is None:
        return list(stored)
    tracked = [spec for spec in stored if typed_facts(spec).tracker is not None]
    return tracked if trained.needs_tube or tracked else list(stored)


def _of_this_kind(
    stored: Sequence[StreamSpec], backbones: Sequence[str], *, settings: Settings
) -> list[StreamSpec]:
    """Return the features of these backbones, simulated or real as the settings say."""
    of_backbone = [spec for spec in stored if _backbone_of(spec) in backbones]
    fitting = [spec for spec in of_backbone if spec.simulated == settings.features.simulated]
    if of_backbone and not fitting and not settings.features.simulated:
        raise RunError(
            f"{settings.store} holds SIMULATED features, drawn at random from no video: a table of "
            "them tests the pipeline and reproduces no paper. Add --simulated to use them, or name another "
            "--store."
        )
    return fitting


def _narrow(
    specs: Sequence[StreamSpec], stream: str, backbones: Sequence[str], *, settings: Settings
) -> list[StreamSpec]:
    """Return the specs chosen by --spec, or else those of the first backbone that has any."""
    starts = [text.partition("=")[2] for text in settings.features.specs if text.partition("=")[0] == stream]
    chosen = [spec for spec in specs if any(spec.hash.startswith(start) for start in starts)]
    for backbone in backbones:
        of_first = [spec for spec in chosen or specs if _backbone_of(spec) == backbone]
        if of_first:
            return of_first
    return []


def _choice(stream: str, specs: Sequence[StreamSpec], dataset: Dataset, settings: Settings) -> str:
    first = specs[0]
    backbone = f" ({_backbone_of(first)})" if _backbone_of(first) else ""
    listed = "\n".join(
        f"  --spec {stream}={spec.hash}: {'; '.join(first.differences(spec)) or 'the first'}"
        for spec in specs
    )
    return (
        f"{settings.store} has {stream}{backbone} of {dataset.name} made in "
        f"{len(specs)} ways. Choose one:\n{listed}"
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
        dataset=dataset.adapter,
        stream=stream,
        backbone=backbone,
        extraction=reader.extraction,
        lacking=tuple(without),
        num_videos=num_videos,
        num_present=num_present,
    )
