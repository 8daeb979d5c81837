"""Detector `torchvision`: the BSD-licensed detectors of torchvision, trained on COCO."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.weights import find_weights, load_state_dict, sha256_of
from extract.detectors.detector import Detect
from extract.full_precision import full_float32

MODELS = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",  # the light one, and the default: 19 M parameters, box AP 22.8
    "fasterrcnn_resnet50_fpn_v2",
    "retinanet_resnet50_fpn_v2",
    "fcos_resnet50_fpn",
    "ssdlite320_mobilenet_v3_large",
)
PERSON = 1  # COCO's label in torchvision, where 0 is the background


@dataclass(frozen=True, eq=False)
class TorchvisionPersons:
    """A detector of torchvision. It returns persons with at least `confidence`, 0 to 1."""

    model: str
    weights_sha256: str
    confidence: float
    device: str
    network: nn.Module = field(repr=False)

    @property
    def name(self) -> str:
        """The name that `load_detector` takes."""
        return f"torchvision:{self.model}"

    @property
    def identity(self) -> str:
        """Name, weights and threshold, for a stream's spec."""
        return f"{self.name} sha256:{self.weights_sha256} confidence>={self.confidence:g}"

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """Return the function that finds the persons; it is the same for every video."""
        return self._detect

    def _detect(self, frames: list[np.ndarray], frame_index: Sequence[int]) -> list[np.ndarray]:
        if not frames:
            return []
        pictures = [_picture(frame, self.device) for frame in frames]
        with torch.inference_mode(), full_float32():
            found = self.network(pictures)
        return [self._persons(each["boxes"], each["scores"], each["labels"]) for each in found]

    def _persons(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> np.ndarray:
        persons = torch.column_stack([boxes, scores])[(labels == PERSON) & (scores >= self.confidence)]
        array: np.ndarray = persons.float().cpu().numpy()
        return array


def load_torchvision(model: str, *, device: str, confidence: float | None) -> TorchvisionPersons:
    """Return the detector of that name with its official weights; for an empty name, the lightest one.

    `confidence` is 0.5 by default. Raise `UnknownName`, or `WeightsError` if the weights are missing.
    """
    model = model or MODELS[0]
    if model not in MODELS:
        raise UnknownName("torchvision detector", model, MODELS)
    path = find_weights(model)
    network = build_network(model)
    _load_strictly(network, path)
    floor = 0.5 if confidence is None else confidence
    return TorchvisionPersons(model, sha256_of(path), floor, device, network.eval().to(device))


def build_network(model: str) -> nn.Module:
    """Return the detector without weights. torchvision downloads none, not even those of the backbone."""
    network: nn.Module = get_model(model, weights=None, weights_backbone=None)
    return network


def _load_strictly(network: nn.Module, path: Path) -> None:
    try:
        # Official files were saved with frozen batch normalization: they lack only the counters
        # `num_batches_tracked`, which `load_state_dict` does not require.
        network.load_state_dict(load_state_dict(path))
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit this torchvision: {str(error)[:600]}") from error


def _picture(frame: np.ndarray, device: str) -> Tensor:
    return torch.from_numpy(frame).to(device).permute(2, 0, 1).float().div_(255)  # to (C, H, W)
