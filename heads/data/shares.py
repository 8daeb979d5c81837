"""The part of each batch that one of several processes trains on."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class BatchPart:
    """Some videos of a batch of `num_videos` that `num_processes` divide among themselves.

    `positions` are places in the batch. `counts` `(position)` is how often a video counts: 1, or less if
    several processes have it. Over all processes the counts of a video sum to 1.
    """

    positions: Tensor
    counts: Tensor
    num_videos: int
    num_processes: int

    def mean_loss(self, losses: Tensor) -> Tensor:
        """Return this part's loss; its mean over all processes is the mean loss over the batch's videos."""
        counts = self.counts.to(losses.device)
        return (losses * counts).sum() * (self.num_processes / self.num_videos)

    def sum_of(self, losses: Tensor) -> Tensor:
        """Return this part of the sum of all losses of the batch."""
        return (losses * self.counts.to(losses.device)).sum()


@dataclass(frozen=True)
class Share:
    """The `rank`-th of `num_processes` that divide every batch, counted from 0."""

    rank: int = 0
    num_processes: int = 1

    def part_of(self, num_videos: int) -> BatchPart:
        """Return the part of a batch of so many videos.

        Parts are consecutive and differ by at most one video. Of fewer videos than processes every process
        still gets one, because all of them must take each step together: 2 videos, 3 processes -> videos 0,
        1, 0, where video 0 counts half in both parts.
        """
        if num_videos >= self.num_processes:
            positions = torch.arange(num_videos).tensor_split(self.num_processes)[self.rank]
            return BatchPart(positions, torch.ones(len(positions)), num_videos, self.num_processes)
        position = self.rank % num_videos
        num_holders = len(range(position, self.num_processes, num_videos))
        counts = torch.full((1,), 1 / num_holders)
        return BatchPart(torch.tensor([position]), counts, num_videos, self.num_processes)


WHOLE = Share()
