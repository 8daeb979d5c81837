"""Checkpoints of the authors' code: names of weights are the same there and here."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import WeightsError


def check_names(
    state: Mapping[str, Tensor], *, network: Callable[[Mapping[str, int]], nn.Module], name: str
) -> Mapping[str, Tensor]:
    """Return the state dict; raise `WeightsError` if its names are not those of the network."""
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        names = set(network({"segments": 1}).state_dict())
    if set(state) != names:
        missing, extra = sorted(names - set(state)), sorted(set(state) - names)
        raise WeightsError(
            f"not the state dict of a released {name}: missing {missing}, unexpected {extra}. Expected what "
            "the authors' code saves, the state dict of the whole network."
        )
    return state
