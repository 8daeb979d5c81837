"""The deterministic network and frames behind SiamMask's golden outputs."""

import importlib.util
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from extract.trackers.siammask.network import SiamMask


@pytest.fixture(scope="session")
def golden(shared):
    """`inputs` (the module that builds them), `outputs` by config, `frames` (RGB), `network`, `box`."""
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    network = SiamMask().eval()
    values = {
        key: np.asarray(inputs.siammask_weight(key, tuple(value.shape)))
        for key, value in network.state_dict().items()
    }
    network.load_state_dict({key: torch.from_numpy(value) for key, value in values.items()})
    text = (shared / "golden" / "siammask_np1.26.4_cv3.4.18.json").read_text()
    return SimpleNamespace(
        outputs=json.loads(text),
        frames=[np.ascontiguousarray(frame[:, :, ::-1]) for frame in inputs.siammask_frames()],
        network=network,
        box=np.array([32.0, 52, 88, 88]),  # centre (60, 70), size (56, 36)
    )
