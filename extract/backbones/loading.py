"""A backbone ready to run: network, weights and preprocessing bound together on a device."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from aqa_pipeline.errors import AqaError, UnknownName, WeightsError
from extract.backbones.backbone import Backbone
from extract.backbones.zoo import get_backbone

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from extract.backbones.preprocess import Preprocess

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, eq=False)
class LoadedBackbone:
    """A backbone with its weights. `weights_id` is `sha256:<64 hex digits>` or `random:<seed>`."""

    backbone: Backbone
    preprocess: "Preprocess"
    weights_id: str
    device: str
    precision: Precision
    network: "nn.Module"

    @property
    def facts(self) -> dict[str, str]:
        """What a stream's spec says of its features' origin."""
        return {
            "backbone": self.backbone.name,
            "weights": self.weights_id,
            "preprocess": self.preprocess.name,
            "precision": self.precision,
        }

    def features(self, batch: "np.ndarray") -> "np.ndarray":
        """Features (B, feature_size), float32, of uint8 clips (B, T, S, S, 3) or images (B, S, S, 3).

        Their frames come from `preprocess.geometry`, S is `preprocess.size`. Raises ValueError for other
        shapes or types.
        """
        return self._run(self.network, batch)

    def maps(self, batch: "np.ndarray", *, endpoint: str) -> "np.ndarray":
        """Maps (B, *backbone.map_shapes[endpoint]), float32, after that endpoint, of clips as for `features`.

        Raises `UnknownName` for an endpoint out of reach, ValueError as `features` does.
        """
        if endpoint not in self.backbone.map_shapes:
            raise UnknownName(f"endpoint of {self.backbone.name}", endpoint, self.backbone.map_shapes)
        forward_to = cast("Callable[[str, Tensor], Tensor]", self.network.forward_to)
        return self._run(lambda clips: forward_to(endpoint, clips), batch)

    def _run(self, network: "Callable[[Tensor], Tensor]", batch: "np.ndarray") -> "np.ndarray":
        import torch

        self._check(batch)
        with torch.inference_mode(), _autocast(self.device, self.precision):
            output = network(self._normalised(torch.from_numpy(batch).to(self.device)))
        return output.float().cpu().numpy()

    def _normalised(self, batch: "Tensor") -> "Tensor":
        frames = batch.movedim(-1, 1).float()  # (B, [T,] H, W, C) -> (B, C, [T,] H, W), channels still last
        per_channel = (1, 3, *[1] * (frames.ndim - 2))
        mean = frames.new_tensor(self.preprocess.mean).view(per_channel)
        std = frames.new_tensor(self.preprocess.std).view(per_channel)
        return frames.sub_(mean * 255).div_(std * 255)

    def _check(self, batch: "np.ndarray") -> None:
        frames, size = self.backbone.frames_per_clip, self.preprocess.size
        expected = (size, size, 3) if frames is None else (frames, size, size, 3)
        if str(batch.dtype) != "uint8" or batch.shape[1:] != expected or not len(batch):
            raise ValueError(
                f"{self.backbone.name} takes uint8 batches of shape (B, {', '.join(map(str, expected))}) "
                f"with B > 0, got {batch.dtype} {batch.shape}"
            )


def load_backbone(
    name: str, *, weights: str, device: str, precision: Precision, preprocess: str | None = None
) -> LoadedBackbone:
    """The backbone of that name, on `device` and ready to run.

    `weights` is `official` (as fetched by `aqa weights fetch`), `random:SEED`, or the path of a checkpoint in
    any naming that the backbone knows. `preprocess` is by default the paper's.
    Raises `UnknownName`, `WeightsError`, or `AqaError` for a device or precision that does not work here.
    """
    from extract.backbones.preprocess import get_preprocess

    backbone = get_backbone(name)
    of_paper = get_preprocess(backbone.preprocess["paper"])
    chosen = get_preprocess(preprocess) if preprocess else of_paper
    if chosen.size != of_paper.size:
        fitting = " or ".join(sorted(set(backbone.preprocess.values())))
        raise AqaError(
            f"preprocessing {chosen.name!r} makes pictures of {chosen.size}x{chosen.size}, backbone {name!r} "
            f"takes {of_paper.size}x{of_paper.size}: choose {fitting}"
        )
    _check_device(device, precision)
    network, weights_id = _with_weights(backbone, weights, size=of_paper.size)
    network = network.eval().to(device).to(memory_format=_channels_last(backbone))
    return LoadedBackbone(backbone, chosen, weights_id, device, precision, network)


def _channels_last(backbone: Backbone) -> "torch.memory_format":
    """The order that pictures come in; convolutions of pictures are twice as fast in it on a CPU."""
    import torch

    return torch.channels_last_3d if backbone.takes == "clip" else torch.channels_last


def _check_device(device: str, precision: Precision) -> None:
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise AqaError(f"{device!r} is no device: expected cpu, cuda or cuda:N") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise AqaError(f"no CUDA device on this machine for {device!r}: use the device cpu")
    if kind == "cpu" and precision == "fp16":
        raise AqaError("fp16 needs a GPU: on a CPU use fp32, or bf16 where it is fast")


def _autocast(device: str, precision: Precision) -> "torch.autocast":
    import torch

    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.autocast(torch.device(device).type, dtype=dtype, enabled=precision != "fp32")


def _with_weights(backbone: Backbone, weights: str, *, size: int) -> "tuple[nn.Module, str]":
    from aqa_pipeline.weights import find_weights, load_state_dict, sha256_of

    if seed := re.fullmatch(r"random:(\d{1,9})", weights):
        return _random_network(backbone, int(seed[1]), size=size), weights
    if weights.startswith("random"):
        raise WeightsError(f"{weights!r}: random weights need a seed of up to 9 digits, as in random:0")
    path = find_weights(backbone.weights) if weights == "official" else Path(weights)
    state = load_state_dict(path)
    network = backbone.build()
    _load_strictly(network, backbone, state, path)
    return network, f"sha256:{sha256_of(path)}"


def _random_network(backbone: Backbone, seed: int, *, size: int) -> "nn.Module":
    from extract.backbones.random_weights import build_random

    frames = () if backbone.frames_per_clip is None else (backbone.frames_per_clip,)
    return build_random(backbone.build, seed=seed, calibration_shape=(3, *frames, size, size))


def _load_strictly(network: "nn.Module", backbone: Backbone, state: "dict[str, Tensor]", path: Path) -> None:
    ours = {_our_name(key, backbone): value for key, value in state.items()}
    used = {key: value for key, value in ours.items() if not key.startswith(backbone.unused)}
    try:
        network.load_state_dict(used)  # counters `num_batches_tracked`, unknown to old torch, may be absent
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:4]]
        raise WeightsError(
            f"{path} does not fit the backbone {backbone.name!r}: {' '.join(lines)[:600]}"
        ) from error


def _our_name(key: str, backbone: Backbone) -> str:
    for pattern, replacement in backbone.key_map:
        key = re.sub(pattern, replacement, key)
    return key
