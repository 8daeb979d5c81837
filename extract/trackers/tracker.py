"""What every tracker is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from aqa_pipeline.errors import AqaError


@dataclass(frozen=True, eq=False)
class Tracked:
    """Where a frame shows the target: four corners in pixels, and how sure the tracker is.

    `quad` (4, 2) float32 is clockwise as seen, from the corner of least x + y, and may leave the frame.
    `score` is in [0, 1] and on a scale of the tracker's own.
    """

    quad: np.ndarray
    score: float


class Track(Protocol):
    """One target being followed through the frames of one video."""

    def update(self, frame: np.ndarray) -> Tracked:
        """Where the target is in the next frame (RGB uint8, (H, W, 3), all of one size)."""
        ...


OneTrack = TypeVar("OneTrack", bound=Track)


class Tracker(Protocol[OneTrack]):
    """Follows what a box holds. One tracker serves many tracks, one after another or at once.

    `identity` goes into the spec of what is made of the tubes: name, weights, settings. A target is in
    doubt where the score is under `doubt_below` times the best score of its track.
    """

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    @property
    def doubt_below(self) -> float: ...

    def start(self, frame: np.ndarray, box: np.ndarray) -> OneTrack:
        """A track of what the box x1 y1 x2 y2 holds in a frame (RGB uint8, (H, W, 3)).

        Raises `AqaError` for a box of less than a pixel, or one beside the frame.
        """
        ...

    def update_many(self, tracks: Sequence[OneTrack], frames: Sequence[np.ndarray]) -> list[Tracked]:
        """`track.update(frame)` of several videos' tracks at once."""
        ...


def update_each(tracks: Sequence[Track], frames: Sequence[np.ndarray]) -> list[Tracked]:
    """`update_many` of a tracker that gains nothing from several at once."""
    return [track.update(frame) for track, frame in zip(tracks, frames, strict=True)]


def check_start(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The box x1 y1 x2 y2 (4,) as float64; raises `AqaError` if it cannot be a start in that frame."""
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
            f"a track cannot start from the box {corners.tolist()}: it lies beside the frame of "
            f"{width}x{height} pixels. Boxes are in pixels of the picture as shown"
        )
    return corners
