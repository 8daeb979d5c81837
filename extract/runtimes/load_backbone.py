"""Load a backbone: bind its network, weights and preprocessing together on a device."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone
from aqa_pipeline.backbones.registry import BACKBONES, get_backbone
from aqa_pipeline.errors import AqaError, UnknownName, WeightsError
from aqa_pipeline.precision import check_precision
from extract.runtimes import Precision, Program, Runner, Runtime

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    Build = Callable[[], nn.Module]

    from aqa_pipeline.backbones.preprocess import Preprocess


@dataclass(frozen=True, eq=False)
class LoadedBackbone:
    """A backbone with its weights. `weights_id` is `sha256:<64 hex digits>` or `random:<seed>`.

    `build` returns the network, always the same object. A runtime that has cached a converted network does
    not call it. `runtime` is not part of the spec, because it changes features only by rounding.
    """

    backbone: Backbone
    preprocess: "Preprocess"
    weights_id: str
    device: str
    precision: Precision
    build: "Build" = field(repr=False)
    runtime: Runtime = "eager"
    _runners: dict[str, Runner] = field(default_factory=dict, init=False, repr=False)

    @property
    def network(self) -> "nn.Module":
        """The network with its weights, in eval mode; it is built at the first use."""
        return self.build()

    @property
    def facts(self) -> dict[str, str]:
        """The backbone's part of a stream's spec; for a plug-in, it names the plug-in's code too."""
        origin = BACKBONES.origin(self.backbone.name)
        return {
            "backbone": self.backbone.name,
            "weights": self.weights_id,
            "preprocess": self.preprocess.name,
            "precision": self.precision,
            **({"plugin": origin.identity} if origin else {}),
        }

    @property
    def ran_on(self) -> list[str]:
        """A line per output on its runtime, such as `i3d runs in openvino: 2.4 times as fast as ...`."""
        return [runner.summary for runner in self._runners.values()]

    def counts(self, num_steps: int) -> dict[str, int]:
        """Return a record's counts of steps by runtime: `{"num_steps_by_openvino": 8}`; {} for eager."""
        by = {runner.runtime for runner in self._runners.values()} - {"eager", None}
        return {f"num_steps_by_{runtime}": num_steps for runtime in by}

    def features(self, batch: "np.ndarray") -> "np.ndarray":
        """Compute the features, float32 (batch, feature_size), of clips or images.

        The batch is uint8 (batch, frame, size, size, 3) for clips or (batch, size, size, 3) for images, with
        frames as `preprocess.geometry` returns them and `size` = `preprocess.size`. Raise ValueError for
        other shapes or types.
        """
        return self._run(batch, "features")

    def maps(self, batch: "np.ndarray", *, endpoint: str) -> "np.ndarray":
        """Compute the maps after an endpoint, float32 (batch, *backbone.map_shapes[endpoint]).

        `batch` is as for `features`. Raise `UnknownName` for an endpoint without maps, and ValueError as
        `features` does.
        """
        if endpoint not in self.backbone.map_shapes:
            raise UnknownName(f"endpoint of {self.backbone.name}", endpoint, self.backbone.map_shapes)
        return self._run(batch, endpoint)

    def _run(self, batch: "np.ndarray", output: str) -> "np.ndarray":
        self._check(batch)
        if output not in self._runners:
            self._runners[output] = self._runner(output)
        return self._runners[output](batch)

    def _runner(self, output: str) -> Runner:
        """Return the runner for `features`, or for the maps after an endpoint."""
        of_maps = output in self.backbone.map_shapes
        program = Program(
            name=f"{self.backbone.name} up to {output}" if of_maps else self.backbone.name,
            weights=_identity(self.backbone, self.weights_id),
            output=f"{self.preprocess.name} {output}",
            network=partial(_up_to, output, self.build) if of_maps else self.build,
            mean=self.preprocess.mean,
            std=self.preprocess.std,
            precision=self.precision,
            device=self.device,
            ours=_is_ours(self.backbone),
        )
        return Runner(program, self.runtime)

    def _check(self, batch: "np.ndarray") -> None:
        frames, size = self.backbone.frames_per_clip, self.preprocess.size
        expected = (size, size, 3) if frames is None else (frames, size, size, 3)
        if str(batch.dtype) != "uint8" or batch.shape[1:] != expected or not len(batch):
            raise ValueError(
                f"{self.backbone.name} takes uint8 batches of shape (batch, "
                f"{', '.join(map(str, expected))}) with batch > 0, got {batch.dtype} {batch.shape}"
            )


def _up_to(endpoint: str, build: "Build") -> "nn.Module":
    from extract.runtimes.normalize import UpTo

    return UpTo(build(), endpoint)


def _identity(backbone: Backbone, weights_id: str) -> str:
    return f"{backbone.name} {weights_id}"


def _is_ours(backbone: Backbone) -> bool:
    """Return True if this package's code builds the network, and not a plug-in's."""
    build = getattr(backbone.build, "func", backbone.build)  # of a `partial`
    return bool(build.__module__.startswith("aqa_pipeline.backbones."))


def load_backbone(
    name: str,
    *,
    weights: str,
    device: str,
    precision: Precision,
    preprocess: str | None = None,
    runtime: Runtime = "eager",
) -> LoadedBackbone:
    """Return the backbone of that name, ready to run on `device`.

    `weights` is `official` (as fetched by `aqa weights fetch`), `random:SEED`, or the path of a checkpoint
    whose parameter names the backbone knows. `preprocess` is by default the paper's. Raise `UnknownName`,
    `WeightsError`, or `AqaError` for a device, precision or runtime that does not work on this machine.
    """
    from aqa_pipeline.backbones.preprocess import get_preprocess
    from extract.runtimes.choose import check_runtime

    backbone = get_backbone(name)
    of_paper = get_preprocess(backbone.preprocess["paper"])
    chosen = get_preprocess(preprocess) if preprocess else of_paper
    if chosen.size != of_paper.size:
        fitting = " or ".join(sorted(set(backbone.preprocess.values())))
        raise AqaError(
            f"preprocessing {chosen.name!r} makes pictures of {chosen.size}x{chosen.size}, backbone {name!r} "
            f"takes {of_paper.size}x{of_paper.size}: choose {fitting}"
        )
    _check_device(device)
    check_precision(precision, device=device)
    check_runtime(runtime, device=device, precision=precision)
    weights_id, with_weights = _with_weights(backbone, weights, size=of_paper.size)
    build = cache(partial(_ready, backbone, with_weights, device=device))
    loaded = LoadedBackbone(
        backbone, chosen, weights_id, device=device, precision=precision, build=build, runtime=runtime
    )
    if not _was_loaded_before(loaded):
        build()  # so that an error in the weights is raised now, not with every video
    return loaded


def _was_loaded_before(loaded: LoadedBackbone) -> bool:
    """Return True if OpenVINO has cached a conversion of this network with these weights."""
    from extract.runtimes.openvino.cache import is_any_kept

    may_recall = (
        loaded.runtime in ("auto", "openvino") and loaded.device == "cpu" and _is_ours(loaded.backbone)
    )
    return may_recall and is_any_kept(_identity(loaded.backbone, loaded.weights_id))


def _ready(backbone: Backbone, with_weights: "Build", *, device: str) -> "nn.Module":
    return with_weights().eval().to(device).to(memory_format=_channels_last(backbone))


def _channels_last(backbone: Backbone) -> "torch.memory_format":
    """Return the memory order in which frames come; 2D convolutions are twice as fast in it on a CPU."""
    import torch

    return torch.channels_last_3d if backbone.takes == "clip" else torch.channels_last


def _check_device(device: str) -> None:
    if device == "cpu":
        return  # before importing torch, which takes seconds
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise AqaError(f"{device!r} is no device: expected cpu, cuda or cuda:N") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise AqaError(f"no CUDA device on this machine for {device!r}: use the device cpu")


def _with_weights(backbone: Backbone, weights: str, *, size: int) -> "tuple[str, Build]":
    """Return the weights' id, and the function that builds the network with these weights."""
    from aqa_pipeline.weights import sha256_of

    if seed := re.fullmatch(r"random:(\d{1,9})", weights):
        return weights, partial(_random_network, backbone, int(seed[1]), size=size)
    if weights.startswith("random"):
        raise WeightsError(f"{weights!r}: random weights need a seed of up to 9 digits, as in random:0")
    path = _official(backbone) if weights == "official" else Path(weights)
    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    return f"sha256:{sha256_of(path)}", partial(_network_of_file, backbone, path)


def _official(backbone: Backbone) -> Path:
    from aqa_pipeline.weights import WEIGHTS, find_weights

    if backbone.weights not in WEIGHTS:  # a plug-in's
        raise WeightsError(
            f"the weights of {backbone.name!r} cannot be fetched: name a checkpoint with --weights PATH, or "
            "try it with --weights random:0."
        )
    return find_weights(backbone.weights)


def _network_of_file(backbone: Backbone, path: Path) -> "nn.Module":
    from aqa_pipeline.weights import load_state_dict

    state = load_state_dict(path)
    network = backbone.build()
    _load_strictly(network, backbone, state, path)
    return network


def _random_network(backbone: Backbone, seed: int, *, size: int) -> "nn.Module":
    from aqa_pipeline.backbones.random_weights import build_random

    frames = () if backbone.frames_per_clip is None else (backbone.frames_per_clip,)
    return build_random(backbone.build, seed=seed, calibration_shape=(3, *frames, size, size))


def _load_strictly(network: "nn.Module", backbone: Backbone, state: "dict[str, Tensor]", path: Path) -> None:
    ours = {_our_name(key, backbone): value for key, value in state.items()}
    used = {key: value for key, value in ours.items() if not key.startswith(backbone.checkpoint.unused)}
    try:
        network.load_state_dict(used)  # `num_batches_tracked`, which old torch did not save, may be absent
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:4]]
        raise WeightsError(
            f"{path} does not fit the backbone {backbone.name!r}: {' '.join(lines)[:600]}"
        ) from error


def _our_name(key: str, backbone: Backbone) -> str:
    for pattern, replacement in backbone.checkpoint.key_map:
        key = re.sub(pattern, replacement, key)
    return key
