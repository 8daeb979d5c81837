"""The three official settings of SiamMask's tracker; each has a checkpoint of its own."""

from dataclasses import dataclass
from typing import Literal

from aqa_pipeline.errors import UnknownName

SettingName = Literal["davis", "vot", "vot-ld"]


@dataclass(frozen=True)
class Setting:
    """What the tracker does with the network's outputs.

    A pixel with a mask probability above `mask_threshold` belongs to the target. Boxes that change shape or
    size are penalised by `penalty_k`, those far from the last place by `window_influence` (a share).
    `smoothing` scales how fast the size follows.
    """

    name: SettingName
    weights: str
    mask_threshold: float
    penalty_k: float
    window_influence: float
    smoothing: float


# config_davis.json (the demo's default), config_vot.json and config_vot18.json of experiments/siammask_sharp
SETTINGS: dict[str, Setting] = {
    "davis": Setting("davis", "siammask-davis", 0.35, 0.04, 0.40, 1.0),
    "vot": Setting("vot", "siammask-vot", 0.30, 0.04, 0.42, 0.25),
    "vot-ld": Setting("vot-ld", "siammask-vot-ld", 0.15, 0.10, 0.41, 0.32),
}


def get_setting(name: str) -> Setting:
    """The setting of that name; raises `UnknownName`."""
    if name not in SETTINGS:
        raise UnknownName("setting of siammask", name, SETTINGS)
    return SETTINGS[name]
