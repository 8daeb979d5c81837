"""Describe the pictures of a video, and check that boxes and quads belong to them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted

SHARES_UP_TO = 2.0  # if no corner is larger, the corners are shares of the picture and not pixels
BORDER = 2.0  # pixels of tolerance, for rounding and for edges that are counted from 0 or from 1
LEAST_SIDE = 4.0  # pixels; a smaller box shows no person
SMALLEST_PICTURE = 16  # pixels a side; only tests have smaller pictures
ENOUGH_ROWS = 10

Rows = npt.NDArray[np.int64]
Corners = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Footage:
    """The size of a video in pixels, the number of frames of its file, and the performance in it.

    The performance is the frames `[start_frame, stop_frame)` of the file, at `fps` frames per second.
    """

    width: int
    height: int
    num_frames: int
    start_frame: int
    stop_frame: int
    fps: float

    @property
    def duration_seconds(self) -> float:
        """Return the duration of the whole performance, whatever part of it a stream covers."""
        return (self.stop_frame - self.start_frame) / self.fps

    @property
    def performance(self) -> "Footage":
        """Return the footage of the performance alone, for rows that count frames from its start."""
        length = self.stop_frame - self.start_frame
        return replace(self, num_frames=length, start_frame=0, stop_frame=length)


def check_belong(
    frame_index: Rows, corners: Corners, footage: Footage, *, name: str, may_leave: bool = False
) -> None:
    """Raise `DatasetError` for boxes or quads, (row, corner, 2), that cannot be pixels of these pictures.

    Such corners are shares of the picture, belong to a picture of another size or to another video, or their
    frames are counted from another start. With `may_leave`, corners may lie outside the picture, as those of
    a tracker do; only the center of a row must lie inside.
    """
    if len(corners):
        _check_unit(corners, footage, name)
        _check_frames(frame_index, footage, name)
        _check_size(frame_index, corners, footage, name, may_leave=may_leave)


def doubt(corners: Corners, footage: Footage) -> str | None:
    """Return a warning if the boxes may belong to a smaller picture, although they lie within this one."""
    if len(corners) < ENOUGH_ROWS:
        return None
    x, y = corners.max(axis=(0, 1))
    if x > footage.width / 2 or y > footage.height / 2:
        return None
    return (
        f"all boxes lie in the upper left quarter, up to x {x:g} and y {y:g} of "
        f"{footage.width}x{footage.height} pixels: do they belong to a smaller picture?"
    )


def _check_unit(corners: Corners, footage: Footage, name: str) -> None:
    large_enough = min(footage.width, footage.height) >= SMALLEST_PICTURE
    if large_enough and np.abs(corners).max() <= SHARES_UP_TO:
        raise DatasetError(
            f"{name}: all corners lie between {corners.min():g} and {corners.max():g}, so they are shares of "
            f"the picture; expected pixels. Multiply x by {footage.width} and y by {footage.height}."
        )


def _check_frames(frame_index: Rows, footage: Footage, name: str) -> None:
    first, last = int(frame_index.min()), int(frame_index.max())
    if last >= footage.num_frames:
        advice = "Do these boxes belong to this video?"
        if first == 1 and last == footage.num_frames:
            advice = "The frames seem to be counted from 1: subtract 1."
        raise DatasetError(
            f"{name}: the last row is of frame {last}, but the video has the frames 0 to "
            f"{footage.num_frames - 1}. {advice}"
        )
    inside = (frame_index >= footage.start_frame) & (frame_index < footage.stop_frame)
    if not inside.any():
        raise DatasetError(
            f"{name}: no row is in the performance, frames {footage.start_frame} to "
            f"{footage.stop_frame - 1}; the rows are of frames {first} to {last}. Count the frames of the "
            "video file from 0."
        )


def _check_size(frame_index: Rows, corners: Corners, footage: Footage, name: str, *, may_leave: bool) -> None:
    size = np.array([footage.width, footage.height])
    low, high = corners.min(axis=1), corners.max(axis=1)
    center = (low + high) / 2
    beyond = (center > size + BORDER).any(axis=1) | (center < -BORDER).any(axis=1)
    if not may_leave:
        beyond |= (high > size + BORDER).any(axis=1)
    if beyond.any():
        x, y = high[beyond].max(axis=0)
        raise DatasetError(
            f"{name}: {int(beyond.sum())} of {counted(len(corners), 'row reaches', 'rows reach')} beyond the "
            f"picture of {footage.width}x{footage.height} pixels, up to x {x:g}, y {y:g} (first: frame "
            f"{int(frame_index[beyond.argmax()])}). If the boxes belong to a picture of another size, scale "
            "them; otherwise cut them at the border."
        )
    small = (high - low).max(axis=1) < LEAST_SIDE
    if 2 * small.sum() > len(corners):
        raise DatasetError(
            f"{name}: {int(small.sum())} of {counted(len(corners), 'row is', 'rows are')} smaller than "
            f"{LEAST_SIDE:g} pixels, too small for a person. Expected pixels of the picture of "
            f"{footage.width}x{footage.height}."
        )
