"""Torchvision's detectors are the networks that torchvision builds around the same weights."""

import numpy as np
import pytest
import torch
from torchvision.models import detection, get_model_weights
from torchvision.models._api import WeightsEnum

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.weights import WEIGHTS
from extract.detectors import load_detector
from extract.detectors import torchvision_detection as tv

FOOTAGE = Footage(20, 20, 30, 10, 13, 25.0)


def a_video(path, **facts):
    return Video("a", path, **facts)


def official_like_state(model):
    """Return random weights like an official file's: without the counters of batch normalization."""
    torch.manual_seed(0)
    network = tv.build_network(model)
    return {key: value for key, value in network.state_dict().items() if "num_batches" not in key}


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Return a function that replaces a detector's official file with a given state."""

    def offer(model, state):
        torch.save(state, tmp_path / f"{model}.pth")
        monkeypatch.setattr(tv, "find_weights", lambda name: tmp_path / f"{name}.pth")

    return offer


@pytest.mark.parametrize("model", ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large"])
def test_it_is_the_network_that_torchvision_builds_around_its_weights(model, offer, monkeypatch):
    state = official_like_state(model)
    offer(model, state)
    detector = load_detector(f"torchvision:{model}", device="cpu")
    monkeypatch.setattr(WeightsEnum, "get_state_dict", lambda self, *args, **kwargs: state)
    reference = getattr(detection, model)(weights=get_model_weights(model).COCO_V1).eval()
    picture = torch.rand(3, 120, 160, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours, theirs = detector.network([picture])[0], reference([picture])[0]
    for key in ("boxes", "scores"):
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-4, atol=1e-4)
    assert torch.equal(ours["labels"], theirs["labels"])


@pytest.mark.parametrize("model", tv.MODELS)
def test_every_torchvision_detector_has_registered_weights(model):
    assert model in WEIGHTS


def test_only_certain_persons_are_kept():
    class Network(torch.nn.Module):
        def forward(self, pictures):
            assert pictures[0].shape == (3, 6, 8)
            assert pictures[0].max() == 1
            boxes = torch.tensor([[0.0, 1, 2, 3], [1, 1, 4, 4], [2, 2, 5, 5]])
            return [
                {"boxes": boxes, "scores": torch.tensor([0.9, 0.8, 0.3]), "labels": torch.tensor([1, 2, 1])}
            ]

    detector = tv.TorchvisionPersons("m", "0" * 64, 0.5, "cpu", Network())
    (found,) = detector.for_video(a_video("x.mp4"), FOOTAGE)([np.full((6, 8, 3), 255, np.uint8)], [0])
    np.testing.assert_allclose(found, [[0, 1, 2, 3, 0.9]], rtol=1e-6)
    assert found.dtype == np.float32
    assert detector.identity == f"torchvision:m sha256:{'0' * 64} confidence>=0.5"
    assert detector.for_video(a_video("x.mp4"), FOOTAGE)([], []) == []


def test_weights_of_another_detector_are_refused(offer):
    offer("fasterrcnn_mobilenet_v3_large_320_fpn", {"backbone.weight": torch.ones(1)})
    with pytest.raises(WeightsError, match="does not fit this torchvision"):
        load_detector("torchvision", device="cpu")
