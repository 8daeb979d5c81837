"""The means and deviations that networks expect of pixels, by name."""

from collections.abc import Mapping
from typing import NamedTuple

from aqa_pipeline.errors import UnknownName

PerChannel = tuple[float, float, float]


class Normalization(NamedTuple):
    """A mean and a deviation per channel, R G B, of pixels in [0, 1]: (x / 255 - mean) / std."""

    mean: PerChannel
    std: PerChannel


# Caffe's (104, 117, 128) is subtracted from pixels of 0..255, which are not divided.
NORMALIZATIONS: Mapping[str, Normalization] = {
    "half-range": Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),  # [0, 255] -> [-1, 1]
    "unit-range": Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),  # [0, 255] -> [0, 1]
    "imagenet": Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "kinetics": Normalization((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)),
    "pyslowfast": Normalization((0.45, 0.45, 0.45), (0.225, 0.225, 0.225)),
    "hara": Normalization((0.4345, 0.4051, 0.3775), (0.2768, 0.2713, 0.2737)),
    "caffe": Normalization((104 / 255, 117 / 255, 128 / 255), (1 / 255, 1 / 255, 1 / 255)),
}


def get_normalization(name: str) -> Normalization:
    """Return the normalization of that name; raise `UnknownName`."""
    if name not in NORMALIZATIONS:
        raise UnknownName("normalization", name, NORMALIZATIONS)
    return NORMALIZATIONS[name]


def name_of(normalization: Normalization) -> str:
    """Return the name of these numbers; raise ValueError if they have none."""
    for name, known in NORMALIZATIONS.items():
        if known == normalization:
            return name
    raise ValueError(f"{normalization} has no name: expected one of {sorted(NORMALIZATIONS)}")
