"""A tube: one athlete's quad in every frame of a video, and the events of tracking."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, SpecValue, Video


@dataclass(frozen=True, eq=False)
class Step:
    """One frame of a tube: the quad (4, 2) float32, NaN if nobody is followed, and the tracker's score."""

    quad: np.ndarray
    score: float

    @property
    def present(self) -> bool:
        """True if somebody is followed in this frame."""
        return not np.isnan(self.quad).any()


class TubeMaker(Protocol):
    """Makes the tube of one video from its frames, which come one by one and in order of time.

    A loss is noticed late: its event may name a frame before the latest step (see `lost_in`).
    """

    @property
    def events(self) -> list[Event]:
        """The events so far."""
        ...

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Return where the athlete is in a frame of the performance, RGB uint8 (height, width, channel)."""
        ...


class TubeSource(Protocol):
    """A source of tubes: a tracker with a detector, or quads from disk."""

    @property
    def name(self) -> str:
        """The name that `load_tube_source` takes."""
        ...

    @property
    def facts(self) -> Mapping[str, SpecValue]:
        """The tubes' part of a stream's spec."""
        ...

    def for_video(self, video: Video, footage: Footage) -> TubeMaker:
        """Return the maker of the tube of `video`."""
        ...


def lost_in(frame_index: np.ndarray, events: Iterable[Event]) -> np.ndarray:
    """Return in which of the frames the athlete is lost: bools in the shape of `frame_index`."""
    lost = np.zeros(frame_index.shape, bool)
    for event in events:
        if event.kind == LOST:
            lost |= frame_index >= event.frame_index
        elif event.kind == RESTARTED:
            lost &= frame_index < event.frame_index
    return lost


def no_quad() -> np.ndarray:
    """Return the quad (4, 2) of a frame in which nobody is followed, all NaN."""
    return np.full((4, 2), np.nan, np.float32)
