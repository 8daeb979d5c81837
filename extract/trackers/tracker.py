"""The interface of a tracker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from aqa_pipeline.errors import AqaError


@dataclass(frozen=True, eq=False)
class Tracked:
    """The target's place in a frame: four corners in pixels, and the tracker's score.

    `quad` (4, 2) float32 is clockwise on the picture, from the corner of least x + y. It may leave the frame.
    `score` is in [0, 1]; scores of different trackers cannot be compared.
    """

    quad: np.ndarray
    score: float


class Track(Protocol):
    """One target that is followed through the frames of one video."""

    def update(self, frame: np.ndarray) -> Tracked:
        """Return where the target is in the next frame, RGB uint8 (height, width, channel).

        All frames of a track have one size.
        """
        ...


OneTrack = TypeVar("OneTrack", bound=Track)


class Tracker(Protocol[OneTrack]):
    """Starts tracks, each of one target. The tracks of a tracker may be used at the same time."""

    @property
    def name(self) -> str:
        """The name that `load_tracker` takes."""
        ...

    @property
    def identity(self) -> str:
        """Name, weights and settings, for the spec of features that depend on the tubes."""
        ...

    @property
    def doubt_below(self) -> float:
        """A target is in doubt if its score is under this share of the best score of its track."""
        ...

    def start(self, frame: np.ndarray, box: np.ndarray) -> OneTrack:
        """Start a track of the target in the box x1 y1 x2 y2 of a frame, RGB uint8 (height, width, channel).

        Raise `AqaError` for a box with a side under a pixel, or outside the frame.
        """
        ...

    def update_many(self, tracks: Sequence[OneTrack], frames: Sequence[np.ndarray]) -> list[Tracked]:
        """Return `track.update(frame)` for each pair; the tracks are of several videos."""
        ...


def update_each(tracks: Sequence[Track], frames: Sequence[np.ndarray]) -> list[Tracked]:
    """Update the tracks one after another; the `update_many` of trackers without batches."""
    return [track.update(frame) for track, frame in zip(tracks, frames, strict=True)]


def check_start(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Return the box x1 y1 x2 y2 (4,) as float64. Raise `AqaError` if no track can start there."""
    corners = np.asarray(box, np.float64)[:4]
    x1, y1, x2, y2 = corners
    height, width = frame.shape[:2]
    if not (np.isfinite(corners).all() and x2 - x1 >= 1 and y2 - y1 >= 1):
        raise AqaError(
            f"a track cannot start from the box {corners.tolist()}: "
            "expected x1 y1 x2 y2 at least a pixel apart"
        )
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise AqaError(
            f"a track cannot start from the box {corners.tolist()}: it lies outside the frame of "
            f"{width}x{height} pixels. Boxes are in pixels of the picture as a player shows it"
        )
    return corners
