"""A tube: where one athlete is in every frame of a video, and what happened on the way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, SpecValue, Video


@dataclass(frozen=True, eq=False)
class Step:
    """One frame of a tube: the quad (4, 2) float32, NaN where nobody is followed, and the tracker's score."""

    quad: np.ndarray
    score: float

    @property
    def present(self) -> bool:
        return not np.isnan(self.quad).any()


@dataclass(frozen=True, eq=False)
class Tube:
    """The athlete's quads, frame by frame.

    `frame_index` (T,) int64; `quads` (T, 4, 2) float32, clockwise corners in pixels, NaN where nobody is
    followed; `scores` (T,) float32, the tracker's own, 1 where a track starts and 0 where there is none.
    """

    frame_index: np.ndarray
    quads: np.ndarray
    scores: np.ndarray
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        steps = len(self.frame_index)
        if self.quads.shape != (steps, 4, 2) or self.scores.shape != (steps,):
            raise ValueError(
                f"a tube of {steps} frames needs quads ({steps}, 4, 2) and scores ({steps},), "
                f"got {self.quads.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.frame_index)

    @property
    def present(self) -> np.ndarray:
        """(T,) bool: in which frames somebody is followed."""
        inside: np.ndarray = ~np.isnan(self.quads).any(axis=(1, 2))
        return inside


class TubeMaker(Protocol):
    """Makes the tube of one video out of its frames, which come one by one and in order.

    A loss is noticed late: its event may name a frame before the latest step (see `lost_in`).
    """

    @property
    def events(self) -> list[Event]: ...

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Where the athlete is in that frame of the performance (RGB uint8, (H, W, 3))."""
        ...


class TubeSource(Protocol):
    """Where tubes come from: a tracker with a detector, or quads from disk.

    `facts` go into a stream's spec.
    """

    @property
    def name(self) -> str: ...

    @property
    def facts(self) -> Mapping[str, SpecValue]: ...

    def for_video(self, video: Video, footage: Footage) -> TubeMaker: ...


def make_tube(frames: Iterable[tuple[int, np.ndarray]], maker: TubeMaker) -> Tube:
    """The tube of (index, RGB frame) pairs in order."""
    frame_index, steps = [], []
    for index, frame in frames:
        frame_index.append(index)
        steps.append(maker.step(index, frame))
    return as_tube(frame_index, steps, maker.events)


def as_tube(frame_index: list[int], steps: list[Step], events: list[Event]) -> Tube:
    """The steps, one per frame, as one tube; nobody is followed where the events say that they were lost."""
    lost = lost_in(np.array(frame_index, np.int64), events)
    quads = [no_quad() if gone else step.quad for step, gone in zip(steps, lost, strict=True)]
    return Tube(
        frame_index=np.array(frame_index, np.int64),
        quads=np.stack(quads).astype(np.float32) if quads else np.empty((0, 4, 2), np.float32),
        scores=np.array([step.score for step in steps], np.float32),
        events=tuple(events),
    )


def lost_in(frame_index: np.ndarray, events: Iterable[Event]) -> np.ndarray:
    """Return in which of the frames the athlete is lost, as bools of the shape of `frame_index`."""
    lost = np.zeros(frame_index.shape, bool)
    for event in events:
        if event.kind == LOST:
            lost |= frame_index >= event.frame_index
        elif event.kind == RESTARTED:
            lost &= frame_index < event.frame_index
    return lost


def no_quad() -> np.ndarray:
    """The quad of a frame in which nobody is followed."""
    return np.full((4, 2), np.nan, np.float32)
