"""How the frames of a file are stored, and how they must be converted to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.orientation import Orientation, swaps_sides
from aqa_pipeline.video.plain import square_width


@dataclass(frozen=True)
class FrameFormat:
    """The stored size in pixels, and the conversions.

    `aspect` is that of a pixel (width / height), `orientation` turns the picture. `picture` says how the
    first frames must be converted (`plain.picture_facts`).
    """

    width: int
    height: int
    aspect: Fraction
    orientation: Orientation
    picture: Mapping[str, SpecValue]

    @property
    def square_size(self) -> tuple[int, int]:
        """Return (width, height) in square pixels, before turning."""
        return square_width(self.width, self.aspect), self.height

    @property
    def shown_size(self) -> tuple[int, int]:
        """Return the displayed (width, height)."""
        width, height = self.square_size
        return (height, width) if swaps_sides(self.orientation) else (width, height)
