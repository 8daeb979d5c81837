"""Load SiamMask with official, given or random weights."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.random_weights import build_random
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import find_weights, load_state_dict, sha256_of
from extract.trackers.siammask.network import SiamMask
from extract.trackers.siammask.pictures import SEARCH_SIZE, TEMPLATE_SIZE
from extract.trackers.siammask.settings import get_setting
from extract.trackers.siammask.tracker import SiamMaskTracker


def load_siammask(setting: str, *, device: str, weights: str) -> SiamMaskTracker:
    """Return the tracker in that setting (davis for an empty name), on `device`.

    `weights` is `official` (as fetched by `aqa weights fetch`; each setting has its own file), `random:SEED`,
    or the path of a checkpoint. Raise `UnknownName` or `WeightsError`.
    """
    chosen = get_setting(setting or "davis")
    if weights.startswith("random"):
        network, weights_id = _random(weights), weights
    else:
        path = find_weights(chosen.weights) if weights == "official" else Path(weights)
        network, weights_id = load_network(path), f"sha256:{sha256_of(path)}"
    network = network.eval().to(device)
    return SiamMaskTracker(chosen, weights_id, device, network)


def load_network(path: Path) -> SiamMask:
    """Return the network with a checkpoint's weights, which must fit exactly.

    The checkpoint may be bare or part of a training state. Raise `WeightsError` if it does not fit, as
    pysot's SiamMask does not: its names and conventions differ.
    """
    network = SiamMask()
    try:
        network.load_state_dict(load_state_dict(path))
    except RuntimeError as error:
        raise WeightsError(
            f"{path} does not fit SiamMask (siammask_sharp of foolwood/SiamMask, 356 entries): "
            f"{' '.join(str(error).split())[:600]}"
        ) from error
    return network


def _random(weights: str) -> SiamMask:
    seed = re.fullmatch(r"random:(\d{1,9})", weights)
    if seed is None:
        raise WeightsError(f"{weights!r}: random weights need a seed of up to 9 digits, as in random:0")
    shape = (3, SEARCH_SIZE, SEARCH_SIZE)
    calibrated = build_random(_OnePicture, seed=int(seed[1]), calibration_shape=shape)
    assert isinstance(calibrated, _OnePicture)
    return calibrated.network


class _OnePicture(nn.Module):
    """SiamMask that searches a picture for its own middle, so that one input runs through every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.network = SiamMask()

    def forward(self, noise: Tensor) -> Tensor:
        """Return all outputs for noise (batch, 3, 255, 255), flattened to one axis."""
        pictures = noise * 100 + 128  # from deviation 0.5 about 0 to the range of pixels
        first = (SEARCH_SIZE - TEMPLATE_SIZE) // 2
        middle = slice(first, first + TEMPLATE_SIZE)
        cls, loc, masks = self.network(pictures[:, :, middle, middle], pictures)
        return torch.cat([cls.flatten(), loc.flatten(), masks.flatten()])
