"""The processes that train together: who they are, and what they tell each other.

`torchrun` or Ray Train starts them and says in the environment which of them each is. The first process
decides and writes. The others train their part of every batch.
"""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.errors import RunError
from heads.data.shares import Share

VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
# The others wait while the first process loads, evaluates, or trains a head that is not shared.
LONGEST_WAIT = timedelta(hours=24)
HOW_MANY = "--nproc-per-node of torchrun, --actors on Ray"  # the options that set the number of processes

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """The `rank`-th of `size` processes, the `local_rank`-th on its machine; by default the only one.

    Every method that exchanges something must be called by all processes, in the same order.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls) -> "World":
        """Return the world that `torchrun` describes; without it, that of a process alone."""
        if not all(name in os.environ for name in VARIABLES):
            return cls()
        rank, size, local_rank = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return cls(rank, size, local_rank)

    @property
    def is_first(self) -> bool:
        """True for the process that writes and prints."""
        return self.rank == 0

    @property
    def is_alone(self) -> bool:
        """True without other processes."""
        return self.size == 1

    @property
    def share(self) -> Share:
        """The part of each batch that is this process's."""
        return Share(self.rank, self.size)

    def own_device(self, device: str) -> str:
        """Return this process's device where a run says `device`; raise `RunError` if it has none."""
        if self.is_alone or not device.startswith("cuda"):
            return device
        if device != "cuda":
            raise RunError(
                f"device {device!r} is one GPU for {self.size} processes: use cuda, or one process."
            )
        if self.local_rank >= torch.cuda.device_count():
            raise RunError(
                f"process {self.local_rank} of this machine has no GPU: it sees "
                f"{torch.cuda.device_count()}. Start at most so many ({HOW_MANY})."
            )
        return f"cuda:{self.local_rank}"

    def sum(self, tensor: Tensor) -> Tensor:
        """Return the sum of all processes' tensors."""
        if self.is_alone:
            return tensor
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    def take_from_first(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite the tensors with those of the first process."""
        for tensor in () if self.is_alone else tensors:
            dist.broadcast(tensor, src=0)

    def tell(self, value: T | None = None) -> T:
        """Return the first process's value; what the others give is not read."""
        values: list[Any] = [value]
        if not self.is_alone:
            dist.broadcast_object_list(values, src=0)
        told: T = values[0]
        return told

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes, in their order."""
        if self.is_alone:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def score(
        self, videos: NDArray[np.int64], score: Callable[[NDArray[np.int64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the scores of the videos `(video)`; every process scores its part of them, once each."""
        if self.is_alone:
            return score(videos)
        mine = videos[self.rank :: self.size]
        parts = self.gather(score(mine) if len(mine) else np.empty(0))
        scores = np.empty(len(videos))
        for rank, part in enumerate(parts):
            scores[rank :: self.size] = part
        return scores

    def first_then_others(self, make: Callable[[], T]) -> T:
        """Return `make()`, which the first process calls before the others do.

        If it fails there, the others end without a word: the first process says why.
        """
        if self.is_first:
            try:
                made = make()
            except BaseException:
                self.tell(False)
                raise
            self.tell(True)
            return made
        self.go_on_if(False)
        return make()

    def go_on_if(self, is_well: bool) -> None:
        """End every process but the first unless that one is well."""
        if not self.tell(is_well) and not self.is_first:
            raise SystemExit(1)


ALONE = World()


@contextmanager
def joined_world(device: str) -> Iterator[World]:
    """Connect this process with the others, and yield their world. Ray Train has connected them before.

    GPUs exchange gradients by NCCL, CPUs by gloo, and everything else goes by gloo. The connection lasts as
    long as the process, because processes may not find each other a second time. After an error the process
    ends without leaving it: it would wait for the others, which wait for it.
    """
    world = World.from_environment()
    if not world.is_alone and not dist.is_initialized():
        on_gpu = device != "cpu" and torch.cuda.is_available()
        if on_gpu:
            torch.cuda.set_device(world.own_device("cuda"))
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=LONGEST_WAIT)
        atexit.register(dist.destroy_process_group)
    try:
        yield world
    except BaseException:
        atexit.unregister(dist.destroy_process_group)
        raise
