"""Initial weights of the second stage of I3D: the checkpoint whose first stage made the stored maps."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.networks.i3d import SecondStage
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.weights import load_state_dict, sha256_of, status
from heads.data.folds import derived_seed

Start = Callable[[nn.Module], None]

SIMULATED_SEED = 0


def find_start(specs: Mapping[str, StreamSpec], checkpoint: Path | None = None) -> Start:
    """Return a function that loads the weights into the `second_stage` of a network.

    The spec of the maps names the checkpoint by its SHA-256. The file is `checkpoint`, or one that `aqa
    weights` keeps. Maps of a random network (`random:SEED`) and simulated maps get a random second stage,
    drawn by the same seed. Raises `WeightsError` if the file is missing or is no I3D checkpoint with the
    names of piergiaj's implementation.
    """
    ((stream, spec),) = specs.items()
    weights = typed_facts(spec).weights or ""
    if seed := re.fullmatch(r"random:(\d+)", weights):
        return _random(int(seed[1]))
    if spec.simulated:
        return _random(SIMULATED_SEED)
    state = load_state_dict(_find_file(stream, weights, checkpoint))
    with torch.random.fork_rng(devices=[]):
        _load(SecondStage(after="Mixed_4e"), state)  # refuse a wrong file before training starts
    return lambda network: _load(network.get_submodule("second_stage"), state)


def _find_file(stream: str, weights: str, checkpoint: Path | None) -> Path:
    """Return the file whose SHA-256 is in `weights`; raise `WeightsError` if there is none."""
    wanted = weights.removeprefix("sha256:")
    if checkpoint is not None:
        if not checkpoint.is_file():
            raise WeightsError(
                f"there is no checkpoint at {checkpoint}: check the path given with --second-stage."
            )
        got = sha256_of(checkpoint)
        if got != wanted:
            raise WeightsError(
                f"{checkpoint} has the SHA-256 {got}, but the {stream!r} features were made with {wanted}: "
                "give the checkpoint that extracted them."
            )
        return checkpoint
    present = [each for each in status() if each.present and each.entry.name.startswith("i3d-")]
    for each in present:
        if sha256_of(each.path) == wanted:
            return each.path
    raise WeightsError(
        f"the second stage starts from the checkpoint that made the {stream!r} features, SHA-256 "
        f"{wanted or 'unknown'}. No I3D file on this machine has it: "
        f"{[each.entry.name for each in present]}. Run `aqa weights fetch i3d-kinetics-piergiaj`, or give "
        "the file with --second-stage (second_stage=PATH)."
    )


def _load(stage: nn.Module, state: Mapping[str, Tensor]) -> None:
    assert isinstance(stage, SecondStage)
    stage.load_checkpoint(state)


def _random(seed: int) -> Start:
    def start(network: nn.Module) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "second stage"))
            for module in network.get_submodule("second_stage").modules():
                if isinstance(module, nn.Conv3d):  # He initialization keeps the scale of the activations
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    return start
