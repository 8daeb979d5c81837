"""The state of the epoch that is kept."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from heads.data.folds import Select
from heads.runs.epoch import Epoch


class Keeper:
    """Keep the state of the epoch that `select` asks for."""

    def __init__(self, select: Select) -> None:
        self.value_of = KEPT_BY[select]
        self.value = -math.inf
        self.epoch = 0
        self.state: dict[str, Tensor] = {}

    def see(self, epoch: Epoch, module: nn.Module) -> None:
        """Keep the module's state, on the CPU, if the epoch is better than all before."""
        value = self.value_of(epoch)
        value = -math.inf if math.isnan(value) else value
        # The first of equally good epochs stays; while nothing is defined yet, the latest does.
        if value > self.value or self.value == -math.inf:
            self.value, self.epoch = value, epoch.epoch
            self.state = state_on_cpu(module)


def state_on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's state, on the CPU and in the order of memory that files have."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }


KEPT_BY: dict[Select, Callable[[Epoch], float]] = {
    "last": lambda epoch: epoch.epoch,
    "val": lambda epoch: epoch.validation,
    "best-on-test": lambda epoch: epoch.test,
}
