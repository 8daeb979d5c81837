"""From a frame to the square picture that a network takes, and which part of the frame that picture shows.

A frame is uint8 RGB, (height, width, channel). Geometries are pure functions of one frame, can be pickled,
and are safe to call from threads.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from aqa_pipeline.athlete.tube_masks import PictureGeometry, Size, resized_to_short_side
from aqa_pipeline.backbones.resizing import ResizedCenter, antialiased, antialiased_center, bilinear, center

RELEASED_HEIGHT, RELEASED_WIDTH = 224, 300


class Geometry(Protocol):
    """`place` says where the picture of a frame of that size (width, height) lies in the frame."""

    @property
    def resize(self) -> ResizedCenter: ...

    def __call__(self, frame: np.ndarray) -> np.ndarray: ...

    def place(self, frame_size: Size) -> PictureGeometry: ...


@dataclass(frozen=True)
class ShortSideAndCrop:
    """Resized to a shorter side of `short_side`, aspect kept, and the central square of it.

    The longer side is cut, not rounded, as torchvision does: 640x360 -> 455x256 (455.1).
    """

    short_side: int
    crop: int
    resize: ResizedCenter

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        height, width = frame.shape[:2]
        return self.resize(frame, *resized_to_short_side((width, height), self.short_side), self.crop)

    def place(self, frame_size: Size) -> PictureGeometry:
        """The central square of the resized frame."""
        return PictureGeometry(frame_size, resized_to_short_side(frame_size, self.short_side), self.crop)


@dataclass(frozen=True)
class SquashAndCrop:
    """Resized to width x height, whatever the aspect was, and the central square of it."""

    width: int
    height: int
    crop: int
    resize: ResizedCenter

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        return self.resize(frame, self.width, self.height, self.crop)

    def place(self, frame_size: Size) -> PictureGeometry:
        """The central square of the resized frame; all of it where that is a square."""
        return PictureGeometry(frame_size, (self.width, self.height), self.crop)


@dataclass(frozen=True)
class ReleasedSegments:
    """ACTION-NET's code: OpenCV to a height of 224, the central 300x224 cut out, squashed to 224x224."""

    resize: ResizedCenter = antialiased_center

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        resized = bilinear(frame, self._width(frame.shape[1], frame.shape[0]), RELEASED_HEIGHT)
        return antialiased(center(resized, RELEASED_WIDTH, RELEASED_HEIGHT), RELEASED_HEIGHT, RELEASED_HEIGHT)

    def place(self, frame_size: Size) -> PictureGeometry:
        """The central 300 columns, as if the frame had been squashed before the cut: good to a pixel."""
        squashed = round(self._width(*frame_size) * RELEASED_HEIGHT / RELEASED_WIDTH)
        return PictureGeometry(frame_size, (max(1, squashed), RELEASED_HEIGHT), RELEASED_HEIGHT)

    def _width(self, width: int, height: int) -> int:
        return max(1, int(width / height * RELEASED_HEIGHT + 0.5))
