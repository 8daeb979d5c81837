"""What is not plain about the pictures of a file, and how they are made plain.

Plain are progressive pictures of square pixels in the colors of BT.709: networks know no others.
"""

import logging
from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.colors import colors_of
from aqa_pipeline.video.container import as_fraction

log = logging.getLogger(__name__)

SQUARE = Fraction(1)
LEAST_STRETCH = Fraction(1, 100)  # less is a rounding of the encoder's: the narrowest in a standard is 16:15
MOST_STRETCH = 4  # the widest in a standard is 2:1 (H.264, table E-1); beyond is damage

DEINTERLACED = {"deinterlaced": "bwdif"}
MADE_PLAIN = {  # what the facts of a picture mean, for people
    "tone_mapped": "tone-mapped to BT.709 from",
    "wide_gamut": "converted to BT.709 from",
    "deinterlaced": "deinterlaced by",
    "sample_aspect": "scaled to square pixels from",
}


def sample_aspect(stream: Any, path: Path) -> Fraction:
    """How many times as wide as high a stored pixel is shown; 1 where that is unknown or nearly so."""
    stated = as_fraction(stream.sample_aspect_ratio)
    if stated is None or stated <= 0 or abs(stated - 1) <= LEAST_STRETCH:
        return SQUARE
    if not Fraction(1, MOST_STRETCH) <= stated <= MOST_STRETCH:
        log.warning("%s: pixels of %s count as square: no camera makes them", path, _as_text(stated))
        return SQUARE
    return stated


def square_width(width: int, aspect: Fraction) -> int:
    """The width of a picture whose pixels are square; its height stays, as in players."""
    return max(1, round(width * aspect))


def aspect_facts(aspect: Fraction) -> dict[str, SpecValue]:
    """What a record says of the pixels: nothing of square ones."""
    return {} if aspect == SQUARE else {"sample_aspect": _as_text(aspect)}


def picture_facts(frames: Iterable[Any], aspect: Fraction) -> dict[str, SpecValue]:
    """What is not plain about decoded frames of a file."""
    facts = aspect_facts(aspect)
    for frame in frames:
        colors = colors_of(frame)
        facts |= colors.facts if colors else {}
        facts |= DEINTERLACED if frame.interlaced_frame else {}
    return facts


def in_words(picture: Mapping[str, SpecValue]) -> list[str]:
    """One phrase for each fact, such as "scaled to square pixels from 4:3"."""
    return [f"{MADE_PLAIN.get(name, name)} {value}" for name, value in sorted(picture.items())]


def _as_text(aspect: Fraction) -> str:
    return f"{aspect.numerator}:{aspect.denominator}"
