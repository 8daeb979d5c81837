"""Where the second stage of I3D starts from: the very checkpoint whose first stage made the stored maps."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.networks.i3d import SecondStage
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.weights import load_state_dict, sha256_of, status
from heads.data.folds import derived_seed

Start = Callable[[nn.Module], None]

SIMULATED_SEED = 0


def find_start(specs: Mapping[str, StreamSpec], checkpoint: Path | None = None) -> Start:
    """What puts the weights into the `second_stage` of a network whose maps have that spec.

    The spec says which file made the maps, by its SHA-256: `checkpoint`, or one of those that `aqa weights`
    keeps. Maps of a random network (`random:SEED`) and simulated ones go on with a random second stage, drawn
    by the same seed: a demo, as are the maps. Raises `WeightsError` where the file is not at hand or is no
    I3D of piergiaj's names.
    """
    ((stream, spec),) = specs.items()
    weights = str(spec.facts.get("weights", ""))
    if seed := re.fullmatch(r"random:(\d+)", weights):
        return _random(int(seed[1]))
    if spec.simulated:
        return _random(SIMULATED_SEED)
    state = load_state_dict(_find_file(stream, weights, checkpoint))
    with torch.random.fork_rng(devices=[]):
        _load(SecondStage(after="Mixed_4e"), state)  # a wrong file is refused before training
    return lambda network: _load(network.get_submodule("second_stage"), state)


def _find_file(stream: str, weights: str, checkpoint: Path | None) -> Path:
    """The file of that digest."""
    wanted = weights.removeprefix("sha256:")
    if checkpoint is not None:
        if not checkpoint.is_file():
            raise WeightsError(f"no checkpoint at {checkpoint}")
        got = sha256_of(checkpoint)
        if got != wanted:
            raise WeightsError(
                f"{checkpoint} has the SHA-256 {got}, but the {stream!r} features were made with {wanted}: "
                "give the checkpoint that they were extracted with."
            )
        return checkpoint
    present = [each for each in status() if each.present and each.entry.name.startswith("i3d-")]
    for each in present:
        if sha256_of(each.path) == wanted:
            return each.path
    raise WeightsError(
        f"the second stage starts from the checkpoint that made the {stream!r} features, SHA-256 "
        f"{wanted or 'unknown'}. It is none of the I3D files on this machine, "
        f"{[each.entry.name for each in present]}. Run `aqa weights fetch i3d-kinetics-piergiaj`, or name "
        "the file itself with --second-stage (second_stage=PATH)."
    )


def _load(stage: nn.Module, state: Mapping[str, Tensor]) -> None:
    assert isinstance(stage, SecondStage)
    stage.load_checkpoint(state)


def _random(seed: int) -> Start:
    def start(network: nn.Module) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "second stage"))
            for module in network.get_submodule("second_stage").modules():
                if isinstance(module, nn.Conv3d):  # He: activations keep their size from layer to layer
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    return start
