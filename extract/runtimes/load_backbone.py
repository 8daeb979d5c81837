"""Load a backbone: bind its network, weights and preprocessing together on a device."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone
from aqa_pipeline.backbones.registry import backbone_origin, get_backbone
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.precision import check_precision
from extract.runtimes import Precision, Program, Runner, Runtime

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import nn

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
        origin = backbone_origin(self.backbone.name)
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
    is_built_in = build.__module__.startswith("aqa_pipeline.backbones.")
    return bool(is_built_in and backbone_origin(backbone.name) is None)


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
    weights_id, with_weights = network_with_weights(backbone, weights, size=of_paper.size)
    build = cache(partial(_ready, with_weights, device=device))
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


def _ready(with_weights: "Build", *, device: str) -> "nn.Module":
    network = with_weights().eval().to(device)
    return network.to(memory_format=_channels_last(network))


def _channels_last(network: "nn.Module") -> "torch.memory_format":
    """Return the memory order in which frames come; 2D convolutions are twice as fast in it on a CPU."""
    import torch

    has_3d = any(parameter.dim() == 5 for parameter in network.parameters())
    return torch.channels_last_3d if has_3d else torch.channels_last


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
