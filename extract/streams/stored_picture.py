"""How a frame is stored: resized whatever its aspect was, without a crop, as raw RGB or as JPEG."""

from dataclasses import dataclass

import numpy as np

from aqa_pipeline.backbones.jpeg import SUBSAMPLING, decode_jpeg, encode_jpeg
from aqa_pipeline.backbones.resizing import antialiased
from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import SpecValue

LARGEST_SIDE = 4096
QUALITIES = range(1, 101)


@dataclass(frozen=True)
class StoredPicture:
    """A picture of `width` x `height` pixels, raw or as JPEG of `jpeg_quality`.

    The usual size is that of Weight-Decider 4.1. Raise `AqaError` for numbers out of range.
    """

    width: int = 171
    height: int = 128
    jpeg_quality: int | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.width <= LARGEST_SIDE and 1 <= self.height <= LARGEST_SIDE):
            raise AqaError(
                f"stream pixels stores pictures of 1 to {LARGEST_SIDE} pixels a side, such as 171x128; got "
                f"{self.width}x{self.height}."
            )
        if self.jpeg_quality is not None and self.jpeg_quality not in QUALITIES:
            raise AqaError(f"the quality of a JPEG is a number from 1 to 100; got {self.jpeg_quality}.")

    @property
    def facts(self) -> dict[str, SpecValue]:
        """The picture's part of a stream's spec."""
        size: dict[str, SpecValue] = {"width": self.width, "height": self.height, "resize": "antialiased"}
        if self.jpeg_quality is None:
            return {**size, "encoding": "uint8"}
        return {**size, "encoding": "jpeg", "quality": self.jpeg_quality, "subsampling": SUBSAMPLING}

    @property
    def num_bytes(self) -> int:
        """The bytes of the picture without compression."""
        return 3 * self.width * self.height

    def store(self, frame: np.ndarray) -> np.ndarray:
        """Return what is stored of an RGB frame: uint8 (height, width, 3), or the JPEG file uint8 (byte,)."""
        picture = antialiased(frame, self.width, self.height)
        return picture if self.jpeg_quality is None else encode_jpeg(picture, quality=self.jpeg_quality)

    def load(self, stored: np.ndarray) -> np.ndarray:
        """Return the picture uint8 (height, width, 3) of what is stored."""
        return stored if self.jpeg_quality is None else decode_jpeg(stored)

    def place(self, quads: np.ndarray, *, frame_size: tuple[int, int]) -> np.ndarray:
        """Return quads in pixels of a frame of that size (width, height) in pixels of the picture."""
        scaled: np.ndarray = quads * (np.array([self.width, self.height]) / np.array(frame_size))
        return scaled.astype(np.float32)
