"""The networks and the detector that an extraction takes where no option names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PresetName = Literal["paper", "light"]


@dataclass(frozen=True)
class Preset:
    """A detector, and backbones by stream; a stream that is not in it keeps its own default."""

    detector: str
    backbones: Mapping[str, str] = field(default_factory=dict)


PRESETS: Mapping[PresetName, Preset] = {
    "paper": Preset("yolo"),
    # The weights of lite0 come with the installation. One thread of a CPU takes 4.2 s per minute of video for
    # segments and crops in OpenVINO, 9.1 s in torch; the paper's networks take 11.0 s and 18.0 s.
    "light": Preset(
        "blazepose",
        {"segments": "lite0-motion", "clips": "lite0-motion", "crops": "lite0", "frames": "lite0"},
    ),
}
LIGHT_INSTEAD = "Or begin without these files: --preset light, whose networks came with the installation."
