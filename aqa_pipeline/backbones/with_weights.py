"""A backbone's network with its weights: official ones, those of a file, or random ones."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.backbones.backbone import Backbone
from aqa_pipeline.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

    Build = Callable[[], nn.Module]

DIGEST = "sha256:"


def network_with_weights(backbone: Backbone, weights: str, *, size: int) -> "tuple[str, Build]":
    """Return the weights' id, `sha256:<64 hex digits>` or `random:<seed>`, and what builds the network.

    `weights` is `official` (as fetched by `aqa weights fetch`), `random:SEED`, the path of a checkpoint whose
    parameter names the backbone knows, or `sha256:` and the digest of a file that `aqa weights` keeps. `size`
    is the side of the pictures in pixels. Raise `WeightsError` for a file that is missing or does not fit,
    the latter when the network is built.
    """
    from aqa_pipeline.weights import sha256_of

    if seed := re.fullmatch(r"random:(\d{1,9})", weights):
        return weights, partial(_random_network, backbone, int(seed[1]), size=size)
    if weights.startswith("random"):
        raise WeightsError(f"{weights!r}: random weights need a seed of up to 9 digits, as in random:0")
    if weights.startswith(DIGEST):
        path = _with_digest(weights, backbone)
    else:
        path = _official(backbone) if weights == "official" else Path(weights)
    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    return f"{DIGEST}{sha256_of(path)}", partial(_network_of_file, backbone, path)


def _with_digest(weights: str, backbone: Backbone) -> Path:
    from aqa_pipeline.weights import sha256_of, status

    for each in status():
        if each.present and sha256_of(each.path) == weights.removeprefix(DIGEST):
            return each.path
    raise WeightsError(
        f"no file of `aqa weights` has the SHA-256 {weights.removeprefix(DIGEST)}, which the network "
        f"{backbone.name} began with: add it with `aqa weights add {backbone.weights} PATH`, or name it with "
        "--weights PATH."
    )


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
