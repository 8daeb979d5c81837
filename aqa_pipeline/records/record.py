"""One stream of one video, and what it was made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from aqa_pipeline.errors import StoreError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records.stream_spec import SpecValue, StreamSpec

Box = tuple[float, float, float, float]  # x1, y1, x2, y2


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


@dataclass(frozen=True)
class Pictures:
    """The pictures that a record was made from.

    `footage` is what the video showed; None where no video was seen. `field_of_view` is the part of a frame,
    in pixels, that the network saw; None where that is no one part (crops). `conversions` says how pictures
    were read where that was not plain (tone-mapped, deinterlaced).
    """

    footage: Footage | None = None
    field_of_view: Box | None = None
    conversions: Mapping[str, SpecValue] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Record:
    """One stream of one video, complete.

    `features` is (time, dim): one row per step; or (time, view, dim) where the spec names `views`. They are
    floats, or uint8 where the spec's dtype is uint8: stored frames (time, height, width, 3), or (time, byte).
    `pts_seconds` is (time, 2): the `[start, stop)` that the step covers, in its first view, counted from the
    performance's first frame. `extras` are further arrays with one row per step (boxes, confidences).
    `counts` are facts worth a number (frames without a person). `events` are in the order of their frames.
    """

    dataset: str
    video_id: str
    spec: StreamSpec
    features: np.ndarray
    pts_seconds: np.ndarray
    source: Source
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    pictures: Pictures = field(default_factory=Pictures)

    def __post_init__(self) -> None:
        steps = len(self.features)
        is_bytes = self.features.dtype == np.uint8
        if self.features.ndim < 2 or not (is_bytes if self.spec.stores_pictures else self._are_floats):
            kind = "uint8" if self.spec.stores_pictures else "floats"
            raise StoreError(f"{self}: features must be {kind}, (time, dim)")
        views = self.spec.views
        if views and (self.features.ndim < 3 or self.features.shape[1] != len(views)):
            raise StoreError(f"{self}: features must be (time, {len(views)} views, dim), of {views}")
        if self.pts_seconds.shape != (steps, 2) or not (np.diff(self.pts_seconds, axis=1) > 0).all():
            raise StoreError(f"{self}: pts_seconds must be {steps} intervals [start, stop)")
        if (np.diff(self.pts_seconds[:, 0]) < 0).any():
            raise StoreError(f"{self}: time steps are not in order")
        if any(len(rows) != steps for rows in self.extras.values()):
            raise StoreError(f"{self}: every extra must have {steps} rows")
        if self._are_floats and not np.isfinite(self.features).all():
            raise StoreError(f"{self}: the network returned values that are not finite")

    @property
    def _are_floats(self) -> bool:
        return self.features.dtype.kind == "f"

    @property
    def duration_seconds(self) -> float:
        """How long the performance lasts; without footage, when the last step ends."""
        if self.pictures.footage is not None:
            return self.pictures.footage.duration_seconds
        return float(self.pts_seconds[-1, 1]) if len(self.pts_seconds) else 0.0

    def __repr__(self) -> str:
        shapes = {"features": self.features.shape} | {name: rows.shape for name, rows in self.extras.items()}
        return f"Record({self.dataset}/{self.spec.stream}-{self.spec.hash}/{self.video_id}, {shapes})"
