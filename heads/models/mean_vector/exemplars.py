"""The training videos that a head compares other videos with: vectors and scores, kept in its state."""

from typing import Any

import torch
from torch import Tensor, nn

NUM_VOTERS = 10
ROWS = ("vectors", "scores", "keys", "difficulties")
# Of SplitMix64 (Steele et al., OOPSLA 2014), as signed numbers.
MULTIPLIERS = (-0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15)


class Exemplars(nn.Module):
    """Vectors `(exemplar, dim)`, scores, keys and difficulties `(exemplar)` of the training set.

    A key is a number that stands for a video. Before `remember` there is one exemplar, of zeros.
    """

    vectors: Tensor
    scores: Tensor
    keys: Tensor
    difficulties: Tensor
    seed: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(0, dim))
        self.register_buffer("scores", torch.zeros(0))
        self.register_buffer("keys", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("difficulties", torch.zeros(0))
        self.register_buffer("seed", torch.zeros((), dtype=torch.int64))

    def remember(
        self, vectors: Tensor, scores: Tensor, *, keys: Tensor, difficulties: Tensor, seed: int
    ) -> None:
        """Take these videos as exemplars; `seed` decides which of them vote for a video."""
        for name, rows in zip(ROWS, (vectors, scores, keys, difficulties), strict=True):
            setattr(self, name, rows.to(self.get_buffer(name)))
        self.seed.fill_(seed)

    def rows(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors `(..., dim)` and scores `(...)` of exemplars."""
        if not len(self.vectors):
            shape = indices.shape
            return self.vectors.new_zeros(*shape, self.vectors.shape[1]), self.scores.new_zeros(shape)
        return self.vectors[indices], self.scores[indices]

    def admissible(self, keys: Tensor, difficulties: Tensor | None) -> Tensor:
        """Return which exemplars a video may be compared with, `(batch, exemplar)`: not with itself.

        With difficulties `(batch)` these are the exemplars of the same difficulty, or of the nearest one if
        there is none.
        """
        if not len(self.vectors):
            return keys.new_ones(len(keys), 1, dtype=torch.bool)
        others = self.keys != keys[:, None]
        if difficulties is None:
            return others
        far = (self.difficulties - difficulties[:, None]).abs().masked_fill(~others, torch.inf)
        return others & (far <= far.min(dim=1, keepdim=True).values)

    def scores_of(self, keys: Tensor) -> Tensor:
        """Return the scores of these videos `(batch)`, 0 for a video that is no exemplar."""
        return (self.keys == keys[:, None]).to(self.scores.dtype) @ self.scores

    def draw(self, admissible: Tensor) -> Tensor:
        """Return an admissible exemplar for each video `(batch)`, drawn at random."""
        draws = torch.rand(admissible.shape, device=admissible.device)
        return draws.masked_fill(~admissible, -1.0).argmax(dim=1)

    def voters(self, keys: Tensor, admissible: Tensor) -> tuple[Tensor, Tensor]:
        """Return up to ten admissible exemplars of each video `(batch, voter)`, and which of them count.

        They are drawn by the seed and the keys of both videos: the same video always has the same voters.
        """
        own = self.keys if len(self.vectors) else keys.new_zeros(1)
        draws = _mixed(_mixed(keys + _mixed(self.seed + 1))[:, None] ^ own)
        draws = draws.masked_fill(~admissible, torch.iinfo(torch.int64).max)
        voters = draws.argsort(dim=1)[:, :NUM_VOTERS]
        counted = admissible.gather(1, voters)
        return voters, counted | ~counted.any(dim=1, keepdim=True)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any, **named: Any) -> None:
        """Make room for as many exemplars as the state has."""
        for name in ROWS:
            if (stored := state_dict.get(f"{prefix}{name}")) is not None:
                own = self.get_buffer(name)
                setattr(self, name, own.new_empty(len(stored), *own.shape[1:]))
        super()._load_from_state_dict(state_dict, prefix, *rest, **named)


def _mixed(numbers: Tensor) -> Tensor:
    """Return numbers that look random and depend on the given ones alone; overflow is intended."""
    for shift, multiplier in zip((30, 27), MULTIPLIERS, strict=True):
        numbers = (numbers ^ (numbers >> shift)) * multiplier
    return numbers ^ (numbers >> 31)
