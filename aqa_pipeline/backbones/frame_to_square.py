"""Turn a frame into the square picture that a network takes, and say which part of the frame it shows.

A frame is uint8 RGB (height, width, channel). Geometries are pure functions of one frame. They can be pickled
and called from several threads.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from aqa_pipeline.athlete.tube_masks import PictureGeometry, Size, resized_to_short_side
from aqa_pipeline.backbones.resizing import ResizedCenter, antialiased, antialiased_center, bilinear, center

RELEASED_HEIGHT, RELEASED_WIDTH = 224, 300
GDLT_SHORT_SIDE = 256


class Geometry(Protocol):
    """A function from a frame to a square picture."""

    @property
    def resize(self) -> ResizedCenter:
        """The filter that resizes the frame."""
        ...

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the square picture, uint8 (size, size, 3)."""
        ...

    def place(self, frame_size: Size) -> PictureGeometry:
        """Return where the picture lies in a frame of that size (width, height)."""
        ...


@dataclass(frozen=True)
class ShortSideAndCrop:
    """Resize to a shorter side of `short_side` with the aspect kept, then cut out the central square.

    The longer side is truncated as in torchvision, 598x336 -> 455x256 (455.6), or rounded as in MMAction2,
    598x336 -> 456x256.
    """

    short_side: int
    crop: int
    resize: ResizedCenter
    longer_side: Literal["truncated", "rounded"] = "truncated"

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the central square of the resized frame."""
        height, width = frame.shape[:2]
        return self.resize(frame, *self._resized((width, height)), self.crop)

    def place(self, frame_size: Size) -> PictureGeometry:
        """Return where the central square of the resized frame lies."""
        return PictureGeometry(frame_size, self._resized(frame_size), self.crop)

    def _resized(self, frame_size: Size) -> Size:
        if self.longer_side == "truncated":
            return resized_to_short_side(frame_size, self.short_side)
        width, height = (int(self.short_side * side / min(frame_size) + 0.5) for side in frame_size)
        return width, height


@dataclass(frozen=True)
class SquashAndCrop:
    """Resize to width x height whatever the aspect was, then cut out the central square."""

    width: int
    height: int
    crop: int
    resize: ResizedCenter

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the central square of the resized frame."""
        return self.resize(frame, self.width, self.height, self.crop)

    def place(self, frame_size: Size) -> PictureGeometry:
        """Return where the central square of the resized frame lies."""
        return PictureGeometry(frame_size, (self.width, self.height), self.crop)


@dataclass(frozen=True)
class ReleasedSegments:
    """ACTION-NET's code: resize with OpenCV to height 224, cut out the central 300x224, squash to 224x224."""

    resize: ResizedCenter = antialiased_center

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the squashed central part of the resized frame."""
        resized = bilinear(frame, self._width(frame.shape[1], frame.shape[0]), RELEASED_HEIGHT)
        return antialiased(center(resized, RELEASED_WIDTH, RELEASED_HEIGHT), RELEASED_HEIGHT, RELEASED_HEIGHT)

    def place(self, frame_size: Size) -> PictureGeometry:
        """Return where the central 300 columns lie, exact to a pixel: as if squashed before the cut."""
        squashed = round(self._width(*frame_size) * RELEASED_HEIGHT / RELEASED_WIDTH)
        return PictureGeometry(frame_size, (max(1, squashed), RELEASED_HEIGHT), RELEASED_HEIGHT)

    def _width(self, width: int, height: int) -> int:
        return max(1, int(width / height * RELEASED_HEIGHT + 0.5))


@dataclass(frozen=True)
class ReleasedClips:
    """GDLT's code: resize to a shorter side of 256, cut out the central 300x224, squash to 224x224."""

    resize: ResizedCenter = antialiased_center

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Return the squashed central part of the resized frame."""
        height, width = frame.shape[:2]
        resized = antialiased(frame, *resized_to_short_side((width, height), GDLT_SHORT_SIDE))
        return antialiased(center(resized, RELEASED_WIDTH, RELEASED_HEIGHT), RELEASED_HEIGHT, RELEASED_HEIGHT)

    def place(self, frame_size: Size) -> PictureGeometry:
        """Return where the central 300x224 lie, exact to a pixel: as if squashed before the cut."""
        width, height = resized_to_short_side(frame_size, GDLT_SHORT_SIDE)
        squashed = round(width * RELEASED_HEIGHT / RELEASED_WIDTH)
        return PictureGeometry(frame_size, (max(1, squashed), height), RELEASED_HEIGHT)
