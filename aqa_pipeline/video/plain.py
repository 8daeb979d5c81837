"""Find the properties for which the pictures of a file must be converted to plain pictures.

Plain pictures are progressive, have square pixels and the colors of BT.709, as in the training sets of
networks.
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
LEAST_STRETCH = Fraction(1, 100)  # less is a rounding by the encoder: the narrowest standard ratio is 16:15
MOST_STRETCH = 4  # the widest standard ratio is 2:1 (H.264, table E-1); a larger one means damage

DEINTERLACED = {"deinterlaced": "bwdif"}
MADE_PLAIN = {  # the meaning of the facts of a picture, in words
    "tone_mapped": "tone-mapped to BT.709 from",
    "wide_gamut": "converted to BT.709 from",
    "deinterlaced": "deinterlaced by",
    "sample_aspect": "scaled to square pixels from",
}


def sample_aspect(stream: Any, path: Path) -> Fraction:
    """Return the width of a stored pixel relative to its height; 1 if it is unknown or nearly 1."""
    stated = as_fraction(stream.sample_aspect_ratio)
    if stated is None or stated <= 0 or abs(stated - 1) <= LEAST_STRETCH:
        return SQUARE
    if not Fraction(1, MOST_STRETCH) <= stated <= MOST_STRETCH:
        log.warning("%s: the pixel ratio %s is wrong: pixels are taken as square", path, _as_text(stated))
        return SQUARE
    return stated


def square_width(width: int, aspect: Fraction) -> int:
    """Return the width of the picture in square pixels. Its height stays, as in players."""
    return max(1, round(width * aspect))


def aspect_facts(aspect: Fraction) -> dict[str, SpecValue]:
    """Return the facts that a record stores about the pixels; none for square pixels."""
    return {} if aspect == SQUARE else {"sample_aspect": _as_text(aspect)}


def picture_facts(frames: Iterable[Any], aspect: Fraction) -> dict[str, SpecValue]:
    """Return the facts for which decoded frames must be converted; none for plain pictures."""
    facts = aspect_facts(aspect)
    for frame in frames:
        colors = colors_of(frame)
        facts |= colors.facts if colors else {}
        facts |= DEINTERLACED if frame.interlaced_frame else {}
    return facts


def in_words(picture: Mapping[str, SpecValue]) -> list[str]:
    """Return one phrase for each fact, such as "scaled to square pixels from 4:3"."""
    return [f"{MADE_PLAIN.get(name, name)} {value}" for name, value in sorted(picture.items())]


def _as_text(aspect: Fraction) -> str:
    return f"{aspect.numerator}:{aspect.denominator}"
