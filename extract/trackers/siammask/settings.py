"""The three official settings of SiamMask's tracker; each has its own checkpoint."""

from dataclasses import dataclass
from typing import Literal

from aqa_pipeline.errors import UnknownName

SettingName = Literal["davis", "vot", "vot-ld"]


@dataclass(frozen=True)
class Setting:
    """How the tracker uses the network's outputs.

    A pixel with a mask probability above `mask_threshold` belongs to the target. `penalty_k` penalizes boxes
    that change shape or size. `window_influence`, 0 to 1, penalizes boxes far from the last position.
    `smoothing` scales how fast the target's size follows the boxes.
    """

    name: SettingName
    mask_threshold: float
    penalty_k: float
    window_influence: float
    smoothing: float

    @property
    def weights(self) -> str:
        """The name of the setting's checkpoint in `aqa weights`."""
        return f"siammask-{self.name}"


# config_davis.json (the demo's default), config_vot.json and config_vot18.json of experiments/siammask_sharp
SETTINGS: dict[str, Setting] = {
    "davis": Setting("davis", mask_threshold=0.35, penalty_k=0.04, window_influence=0.40, smoothing=1.0),
    "vot": Setting("vot", mask_threshold=0.30, penalty_k=0.04, window_influence=0.42, smoothing=0.25),
    "vot-ld": Setting("vot-ld", mask_threshold=0.15, penalty_k=0.10, window_influence=0.41, smoothing=0.32),
}


def get_setting(name: str) -> Setting:
    """Return the setting of that name. Raise `UnknownName`."""
    if name not in SETTINGS:
        raise UnknownName("setting of siammask", name, SETTINGS)
    return SETTINGS[name]
