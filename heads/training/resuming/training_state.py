"""What changes while a network is trained by gradient, as a snapshot and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from heads.runs.epoch import Epoch
from heads.training.distributed.world import ALONE, World
from heads.training.methods.kept_epoch import Keeper, state_on_cpu
from heads.training.resuming.snapshot_file import Snapshot

State = Mapping[str, Tensor]

LAYOUT = "2"  # of a snapshot: a change of `to_snapshot` needs another number


@dataclass(eq=False)
class TrainingState:
    """A network in training: everything that the next epoch depends on, and what was found so far.

    `average` is the moving average of the weights, if the recipe asks for one: it is evaluated and kept then.
    `generator` draws the batches. Dropout draws from torch's own generators, which belong to the state too,
    those of all processes of the `world`. What else there is, is the same in all of them.
    """

    module: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    keeper: Keeper
    average: AveragedModel | None = None
    world: World = ALONE
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and kept."""
        return self.module if self.average is None else self.average.module

    def to_snapshot(self) -> Snapshot:
        """Return the state after the last epoch; all processes must call this together."""
        numbers, moments = _split_optimizer(self.optimizer.state_dict())
        parts: dict[str, State] = {
            "module": self.module.state_dict(),
            "average": {} if self.average is None else self.average.state_dict(),
            "optimizer": moments,
            "kept": {} if self._keeps_the_last_epoch() else self.keeper.state,
            "batches": {"random": self.generator.get_state()},
        }
        for rank, states in enumerate(self.world.gather(_random_states(self.module))):
            parts[f"process-{rank}"] = states
        tensors = {f"{part}/{name}": tensor for part, each in parts.items() for name, tensor in each.items()}
        facts = {
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "optimizer": numbers,
            "kept": {"epoch": self.keeper.epoch, "value": self.keeper.value},
        }
        return Snapshot(tensors, facts)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to the state of a snapshot of the same training, torch's generators included.

        The generators of a process that was not there before the interruption stay as they are.
        """
        facts, random = snapshot.facts, snapshot.part(f"process-{self.world.rank}")
        self.module.load_state_dict(snapshot.part("module"))
        if self.average is not None:
            self.average.load_state_dict(snapshot.part("average"))
        _load_optimizer(self.optimizer, facts["optimizer"], snapshot.part("optimizer"))
        self.epochs = [Epoch(**values) for values in facts["epochs"]]
        self.keeper.epoch, self.keeper.value = facts["kept"]["epoch"], facts["kept"]["value"]
        last = self._keeps_the_last_epoch()
        self.keeper.state = state_on_cpu(self.evaluated) if last else snapshot.part("kept")
        self.generator.set_state(snapshot.part("batches")["random"])
        if "cpu" in random:
            torch.set_rng_state(random["cpu"])
        if "cuda" in random:
            torch.cuda.set_rng_state(random["cuda"], _device_of(self.module))

    def _keeps_the_last_epoch(self) -> bool:
        return self.keeper.epoch == self.epochs[-1].epoch


def _random_states(module: nn.Module) -> dict[str, Tensor]:
    """Return the states of torch's generators on the CPU and, if the module is there, on the GPU."""
    device = _device_of(module)
    states = {"cpu": torch.get_rng_state()}
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _device_of(module: nn.Module) -> torch.device:
    return next(module.parameters()).device


def _split_optimizer(state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the JSON values of an optimizer's state dict, and its tensors as `PARAMETER/NAME`."""
    numbers: dict[str, dict[str, Any]] = {}
    tensors: dict[str, Tensor] = {}
    for index, values in state["state"].items():
        numbers[str(index)] = {n: value for n, value in values.items() if not isinstance(value, Tensor)}
        tensors |= {f"{index}/{n}": value for n, value in values.items() if isinstance(value, Tensor)}
    return {"groups": state["param_groups"], "numbers": numbers}, tensors


def _load_optimizer(
    optimizer: torch.optim.Optimizer, facts: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> None:
    """Restore what `_split_optimizer` took apart; tensors get the memory layout of their parameter."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {int(index): dict(each) for index, each in facts["numbers"].items()}
    for place, tensor in tensors.items():
        index, name = place.split("/", 1)
        state[int(index)][name] = _laid_out_as(parameters[int(index)], tensor)
    optimizer.load_state_dict({"state": state, "param_groups": facts["groups"]})


def _laid_out_as(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Return the tensor with the strides of its parameter, which fused optimizers expect."""
    if tensor.shape != parameter.shape:
        return tensor  # a count of steps
    return torch.empty_like(parameter, dtype=tensor.dtype, requires_grad=False).copy_(tensor)
