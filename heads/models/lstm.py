"""Recurrent networks over padded sequences, and the baselines LSTM and Bi-LSTM.

Zeng et al. (ACTION-NET), ACM MM 2020, section 5.2: hidden size 256, or 128 in each direction, "and to avoid
over-fitting, we used one fully connected layer for regression". The paper does not say which state enters
the regression. Here it is the state after the last real step (backward direction: after the first step).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput
from heads.models.time_weights import equal_weights

HIDDEN_DIM = 256


class Lstm(nn.Module):
    """A one-directional LSTM whose final state ignores padding."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.out_dim = hidden
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs `(batch, time, hidden)` and the last real one of each video `(batch, hidden)`."""
        outputs, _ = self.lstm(features)  # padding comes last and changes no real step
        return outputs, last_real(outputs, mask)


class BiLstm(nn.Module):
    """Two LSTMs: one reads the real steps of each video forwards, the other backwards."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.out_dim = 2 * hidden
        self.forwards = nn.LSTM(dim, hidden, batch_first=True)
        self.backwards = nn.LSTM(dim, hidden, batch_first=True)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return outputs `(batch, time, 2 hidden)` and the final states of both `(batch, 2 hidden)`."""
        ahead, _ = self.forwards(features)
        back, _ = self.backwards(reversed_steps(features, mask))
        last = torch.cat([last_real(ahead, mask), last_real(back, mask)], dim=-1)
        return torch.cat([ahead, reversed_steps(back, mask)], dim=-1), last


def reversed_steps(features: Tensor, mask: Tensor) -> Tensor:
    """Return the real steps in reverse order and padding in place: [a b c 0] -> [c b a 0]."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    back = mask.sum(dim=-1, keepdim=True) - 1 - positions
    order = torch.where(back >= 0, back, positions)
    return features.gather(1, order[:, :, None].expand_as(features))


def last_real(outputs: Tensor, mask: Tensor) -> Tensor:
    """Return the output at the last real step of each video, `(batch, dim)`.

    Zeros for a video without any.
    """
    lengths = mask.sum(dim=-1)
    last = (lengths - 1).clamp_min(0)[:, None, None].expand(-1, 1, outputs.shape[-1])
    return outputs.gather(1, last).squeeze(1) * (lengths > 0)[:, None]


class RecurrentRegressor(nn.Module):
    """Score one stream by a recurrent network and a linear layer on its last state.

    In the variant `paper` a sigmoid follows.
    """

    def __init__(
        self, dims: Mapping[str, int], *, recurrent: Callable[[int], nn.Module], variant: str = "paper"
    ) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.recurrent = recurrent(dim)
        self.regressor = nn.Sequential(
            nn.Linear(HIDDEN_DIM, 1), *([nn.Sigmoid()] if variant == "paper" else [])
        )

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)` and equal weights of the real steps."""
        mask = masks[self.stream]
        _, last = self.recurrent(features[self.stream], mask)
        weights = equal_weights(mask, last.dtype)  # a recurrent network has no attention to show
        return HeadOutput(self.regressor(last).squeeze(-1), {self.stream: weights})


def build_lstm(dims: Mapping[str, int], *, variant: str = "paper") -> RecurrentRegressor:
    """Return the LSTM baseline: hidden size 256."""
    return RecurrentRegressor(dims, recurrent=lambda dim: Lstm(dim, HIDDEN_DIM), variant=variant)


def build_bi_lstm(dims: Mapping[str, int], *, variant: str = "paper") -> RecurrentRegressor:
    """Return the Bi-LSTM baseline: hidden size 128 in each direction."""
    return RecurrentRegressor(dims, recurrent=lambda dim: BiLstm(dim, HIDDEN_DIM // 2), variant=variant)
