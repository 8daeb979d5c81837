"""The small records that carry meaning between modules."""

import copyreg
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from aqa_pipeline.errors import DatasetError, StoreError, UnknownName
from aqa_pipeline.footage import Footage


# Records travel between processes; their read-only mappings would not by themselves.
def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


copyreg.pickle(MappingProxyType, lambda mapping: (_read_only, (dict(mapping),)))


@dataclass(frozen=True)
class Video:
    """One performance: where its pictures are, and what the judges said of it.

    `path` is a video file or a folder of numbered pictures (then `fps` says how fast they are shown).
    `[start_frame, stop_frame)` cuts the performance out of a longer file; None means to the end.
    `labels` are raw judge scores by target name. `group` names what must not be torn apart by a
    grouped split (a broadcast, an athlete). `boxes` is a CSV of person boxes that came with the data.
    `duration_seconds` is the performance's length where the labels tell it, so that no file need be opened.
    """

    video_id: str
    path: Path
    labels: Mapping[str, float] = field(default_factory=dict)
    group: str | None = None
    start_frame: int = 0
    stop_frame: int | None = None
    fps: float | None = None
    boxes: Path | None = None
    duration_seconds: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", MappingProxyType(dict(self.labels)))
        if not self.video_id:
            raise DatasetError(f"a video without an id: {self.path}")
        if self.start_frame < 0 or (self.stop_frame is not None and self.stop_frame <= self.start_frame):
            raise DatasetError(
                f"video {self.video_id!r}: frames [{self.start_frame}, {self.stop_frame}) are not an interval"
            )


@dataclass(frozen=True)
class Split:
    """Which videos a head learns from and which it is judged on, by id."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        both = set(self.train) & set(self.test)
        if both:
            raise DatasetError(f"split {self.name!r} trains and tests on the same videos: {sorted(both)[:5]}")

    def without(self, video_ids: Collection[str]) -> "Split":
        """Return the split without these videos."""
        train, test = (
            tuple(video for video in side if video not in video_ids) for side in (self.train, self.test)
        )
        return Split(self.name, train, test)


@dataclass(frozen=True)
class Target:
    """A score that a head can learn. Raw `low` and `high` map to 0 and 1 (None: from the training labels)."""

    name: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Dataset:
    """One dataset as found on disk.

    `problems` are the labels that could not be used, with the reason. `notes` are facts that are no fault.
    `name` identifies the dataset in a store and in runs. `adapter` names the layout. The two are equal except
    for your own folders: all of them have the layout `folder`, and each has a name of its own.
    """

    name: str
    root: Path
    videos: tuple[Video, ...]
    splits: Mapping[str, Split]
    targets: tuple[Target, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    default_splits: tuple[str, ...] = ()
    adapter: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapter", self.adapter or self.name)

    def video(self, video_id: str) -> Video:
        """Return the video of that id; raises `UnknownName`."""
        for video in self.videos:
            if video.video_id == video_id:
                return video
        raise UnknownName(f"video of {self.name}", video_id, [v.video_id for v in self.videos])

    def split(self, name: str) -> Split:
        """Return the split of that name; raises `UnknownName`."""
        if name not in self.splits:
            raise UnknownName(f"split of {self.name}", name, self.splits)
        return self.splits[name]

    def splits_named(self, names: Sequence[str]) -> list[Split]:
        """Return the splits of these names; a kind such as `grouped` stands for `grouped-0`, `grouped-1`, ...

        Without a name these are the default splits, or all where the dataset has no default. Raises
        `UnknownName`.
        """
        if not names:
            return [self.splits[name] for name in self.default_splits or self.splits]
        return [split for name in names for split in self._of_kind(name) or [self.split(name)]]

    def _of_kind(self, kind: str) -> list[Split]:
        if kind in self.splits:
            return []
        return [split for name, split in self.splits.items() if name.rpartition("-")[0] == kind]

    def num_sharing_group(self, split: Split) -> int:
        """Count the test videos of the split whose group (athlete, event) is also in its training set."""
        groups = {video.video_id: video.group for video in self.videos}
        trained = {groups.get(video_id) for video_id in split.train} - {None}
        return sum(groups.get(video_id) in trained for video_id in split.test)

    def target(self, name: str | None = None) -> Target:
        """Return the named target, or the dataset's first; raise `UnknownName` or `DatasetError`."""
        if not self.targets:
            raise DatasetError(
                f"{self.name} in {self.root} has no score to learn: add a column score to its table."
            )
        if name is None:
            return self.targets[0]
        for target in self.targets:
            if target.name == name:
                return target
        raise UnknownName(f"target of {self.name}", name, [t.name for t in self.targets])

    def __repr__(self) -> str:
        targets = ", ".join(target.name for target in self.targets) or "none"
        splits = ", ".join(list(self.splits)[:5]) + (", ..." if len(self.splits) > 5 else "")
        return (
            f"Dataset({self.name}: {len(self.videos)} videos; {len(self.splits)} splits ({splits}); "
            f"targets {targets})"
        )


SpecValue = str | int | float | bool | None
Box = tuple[float, float, float, float]  # x1, y1, x2, y2

# Who in a video is meant, not how features are made: may be chosen anew for each video.
POINTING = frozenset({"start", "init_box"})


@dataclass(frozen=True)
class StreamSpec:
    """Exactly how a stream is made. Its hash names the stored stream: another spec is another stream.

    `facts` are flat `name: value` pairs: sampling, preprocessing, backbone, weights, detector, precision.
    """

    stream: str
    facts: Mapping[str, SpecValue]

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(sorted(self.facts.items()))))

    def to_json(self) -> str:
        """Canonical text: same spec, same bytes."""
        return json.dumps({"stream": self.stream, **self.facts}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "StreamSpec":
        """Return the spec that `to_json` wrote."""
        facts = json.loads(text)
        return cls(stream=facts.pop("stream"), facts=facts)

    @property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical text."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]

    @property
    def random_weights(self) -> bool:
        """Whether a network with random weights made this stream (true of demos and tests only)."""
        # A tracker's fact names its kind first: `siammask:davis random:0`.
        words = [word for value in self.facts.values() if isinstance(value, str) for word in value.split()]
        return any(word.startswith("random:") for word in words)

    @property
    def simulated(self) -> bool:
        """Whether these features were drawn at random around known labels; no video was seen."""
        return self.facts.get("simulated") is True

    @property
    def imported(self) -> bool:
        """Whether others made these features: no video was seen here."""
        return "imported" in self.facts

    @property
    def in_words(self) -> str:
        """Who made the features, and which: `imported segments (i3d)`, `extracted crops (resnet50)`."""
        origin = "simulated" if self.simulated else "imported" if self.imported else "extracted"
        return f"{origin} {self.stream} ({self.facts.get('backbone', 'unknown')})"

    @property
    def views(self) -> tuple[str, ...]:
        """What each step was seen as (`end-0`, `end-0-flip`), the reference first; () for a single way."""
        views = self.facts.get("views")
        return tuple(views.split(",")) if isinstance(views, str) else ()

    def serves_for(self, other: "StreamSpec") -> bool:
        """Whether a head that learned from `other` may read this: they differ at most in who is meant."""
        return self.stream == other.stream and _making(self.facts) == _making(other.facts)

    def differences(self, other: "StreamSpec") -> list[str]:
        """One line per fact that differs, `name: mine != theirs`."""
        mine, theirs = {"stream": self.stream, **self.facts}, {"stream": other.stream, **other.facts}
        return [
            f"{name}: {mine.get(name, '(absent)')} != {theirs.get(name, '(absent)')}"
            for name in sorted({*mine, *theirs})
            if mine.get(name, "(absent)") != theirs.get(name, "(absent)")
        ]


def _making(facts: Mapping[str, SpecValue]) -> dict[str, SpecValue]:
    return {name: value for name, value in facts.items() if name not in POINTING}


@dataclass(frozen=True)
class Source:
    """What a record was made from, as it was then; None where it does not apply.

    `digest` is the SHA-256 of the video's file or of its folder of pictures, `size` their bytes, `mtime_ns`
    when the file last changed, or a number for the times of all pictures. `fps` is that of a folder of
    pictures. `boxes_digest` is of the boxes or quads that the stream reads. A record that was imported or
    simulated has a digest alone: no video was seen.
    """

    digest: str
    size: int | None = None
    mtime_ns: int | None = None
    start_frame: int | None = None
    stop_frame: int | None = None
    fps: float | None = None
    boxes_digest: str | None = None

    def is_as(self, other: "Source") -> bool:
        """Whether they are the same but for the time: a copy of a file is as good."""
        return replace(self, mtime_ns=None) == replace(other, mtime_ns=None)


@dataclass(frozen=True)
class Event:
    """What happened to the athlete in that frame of the performance: `lost`, `restarted`, `jumped`."""

    frame_index: int
    kind: str
    detail: str = ""


@dataclass(frozen=True, eq=False)
class Record:
    """One stream of one video, complete.

    `features` is (time, dim): one row per step; or (time, view, dim) where the spec names `views`.
    `pts_seconds` is (time, 2): the `[start, stop)` that the step covers, in its first view, counted from the
    performance's first frame. `extras` are further arrays with one row per step (boxes, confidences).
    `counts` are facts worth a number (frames without a person). `picture` says how pictures were read where
    that was not plain (tone-mapped, deinterlaced). `events` are in the order of their frames.
    `footage` is what the video showed; None where no video was seen. `field_of_view` is the part of a frame,
    in pixels, that the network saw; None where that is no one part (crops).
    """

    dataset: str
    video_id: str
    spec: StreamSpec
    features: np.ndarray
    pts_seconds: np.ndarray
    source: Source
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    picture: Mapping[str, SpecValue] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    footage: Footage | None = None
    field_of_view: Box | None = None

    def __post_init__(self) -> None:
        steps = len(self.features)
        if self.features.ndim < 2 or self.features.dtype.kind != "f":
            raise StoreError(f"{self}: features must be floats, (time, dim)")
        views = self.spec.views
        if views and (self.features.ndim < 3 or self.features.shape[1] != len(views)):
            raise StoreError(f"{self}: features must be (time, {len(views)} views, dim), of {views}")
        if self.pts_seconds.shape != (steps, 2) or not (np.diff(self.pts_seconds, axis=1) > 0).all():
            raise StoreError(f"{self}: pts_seconds must be {steps} intervals [start, stop)")
        if (np.diff(self.pts_seconds[:, 0]) < 0).any():
            raise StoreError(f"{self}: time steps are not in order")
        if any(len(rows) != steps for rows in self.extras.values()):
            raise StoreError(f"{self}: every extra must have {steps} rows")
        if not np.isfinite(self.features).all():
            raise StoreError(f"{self}: the network returned values that are not finite")

    @property
    def duration_seconds(self) -> float:
        """How long the performance lasts; without footage, when the last step ends."""
        if self.footage is not None:
            return self.footage.duration_seconds
        return float(self.pts_seconds[-1, 1]) if len(self.pts_seconds) else 0.0

    def __repr__(self) -> str:
        shapes = {"features": self.features.shape} | {name: rows.shape for name, rows in self.extras.items()}
        return f"Record({self.dataset}/{self.spec.stream}-{self.spec.hash}/{self.video_id}, {shapes})"
