"""The pictures that boxes and quads are drawn in, and whether they belong to them."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import DatasetError

SHARES_UP_TO = 2.0  # a picture whose corners all lie below this is a dot, or they are shares of the picture
BORDER = 2.0  # pixels: rounding, and edges that are counted from 0 or from 1
LEAST_SIDE = 4.0  # pixels: what is smaller shows nobody
SMALLEST_PICTURE = 16  # pixels a side: smaller ones are drawn by tests alone
ENOUGH_ROWS = 10

Rows = npt.NDArray[np.int64]
Corners = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Footage:
    """What a video shows: its size in pixels, the frames of its file, and the performance in it.

    The performance is `[start_frame, stop_frame)` of the file, at `fps` frames a second on average.
    """

    width: int
    height: int
    num_frames: int
    start_frame: int
    stop_frame: int
    fps: float

    @property
    def duration_seconds(self) -> float:
        """How long the performance lasts, whatever part of it a stream looks at."""
        return (self.stop_frame - self.start_frame) / self.fps

    @property
    def performance(self) -> "Footage":
        """The performance as a file of its own, for rows that count its frames."""
        length = self.stop_frame - self.start_frame
        return replace(self, num_frames=length, start_frame=0, stop_frame=length)


def check_belong(
    frame_index: Rows, corners: Corners, footage: Footage, *, name: str, may_leave: bool = False
) -> None:
    """Raise `DatasetError` for boxes or quads (rows, corners, 2) that cannot be pixels of these pictures.

    They are shares of the picture, or of a picture of another size, or of another video, or count frames from
    another start. With `may_leave` only a centre beyond the picture tells another size: a tracker's quads may
    leave the frame.
    """
    if len(corners):
        _check_unit(corners, footage, name)
        _check_frames(frame_index, footage, name)
        _check_size(frame_index, corners, footage, name, may_leave=may_leave)


def doubt(corners: Corners, footage: Footage) -> str | None:
    """Return why the boxes may be those of a smaller picture, though they lie within this one."""
    if len(corners) < ENOUGH_ROWS:
        return None
    x, y = corners.max(axis=(0, 1))
    if x > footage.width / 2 or y > footage.height / 2:
        return None
    return (
        f"all boxes lie in the upper left quarter, up to x {x:g} and y {y:g} of "
        f"{footage.width}x{footage.height} pixels: are they of a smaller picture?"
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
        advice = "Are these boxes of this video?"
        if first == 1 and last == footage.num_frames:
            advice = "They seem to be counted from 1: subtract 1."
        raise DatasetError(
            f"{name}: the last row is of frame {last}, but the video has the frames 0 to "
            f"{footage.num_frames - 1}. {advice}"
        )
    inside = (frame_index >= footage.start_frame) & (frame_index < footage.stop_frame)
    if not inside.any():
        raise DatasetError(
            f"{name}: no row is of the performance, frames {footage.start_frame} to "
            f"{footage.stop_frame - 1}; the rows are of frames {first} to {last}. Count the frames of the "
            "video's file from 0."
        )


def _check_size(frame_index: Rows, corners: Corners, footage: Footage, name: str, *, may_leave: bool) -> None:
    size = np.array([footage.width, footage.height])
    low, high = corners.min(axis=1), corners.max(axis=1)
    centre = (low + high) / 2
    beyond = (centre > size + BORDER).any(axis=1) | (centre < -BORDER).any(axis=1)
    if not may_leave:
        beyond |= (high > size + BORDER).any(axis=1)
    if beyond.any():
        x, y = high[beyond].max(axis=0)
        raise DatasetError(
            f"{name}: {int(beyond.sum())} of {len(corners)} rows reach beyond the picture of "
            f"{footage.width}x{footage.height} pixels, up to x {x:g}, y {y:g} (first: frame "
            f"{int(frame_index[beyond.argmax()])}). Scale boxes of a picture of another size; cut boxes of "
            "this one at its border."
        )
    small = (high - low).max(axis=1) < LEAST_SIDE
    if 2 * small.sum() > len(corners):
        raise DatasetError(
            f"{name}: {int(small.sum())} of {len(corners)} rows are smaller than {LEAST_SIDE:g} pixels, too "
            f"small for a person. Expected pixels of the picture of {footage.width}x{footage.height}."
        )
