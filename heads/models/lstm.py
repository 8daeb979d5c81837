"""Recurrent networks over padded sequences, and the two baselines made of them: LSTM and Bi-LSTM.

Zeng et al. (ACTION-NET), ACM MM 2020, section 5.2: hidden size 256, or 128 in each direction, "and to avoid
over-fitting, we used one fully connected layer for regression". The text gives no more: what is regressed
from is the state after the last real step (for the backward direction: after the first).
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from heads.models.output import HeadOutput

HIDDEN_DIM = 256


class Lstm(nn.Module):
    """`batch time dim`, `batch time` -> outputs `batch time hidden` and the last real one `batch hidden`."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.out_dim = hidden
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        outputs, _ = self.lstm(features)  # padding comes after the real steps and changes none of them
        return outputs, last_real(outputs, mask)


class BiLstm(nn.Module):
    """As `Lstm`, a second network reading each video's real steps from its end; outputs are side by side."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.out_dim = 2 * hidden
        self.forwards = nn.LSTM(dim, hidden, batch_first=True)
        self.backwards = nn.LSTM(dim, hidden, batch_first=True)

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        ahead, _ = self.forwards(features)
        back, _ = self.backwards(reversed_steps(features, mask))
        last = torch.cat([last_real(ahead, mask), last_real(back, mask)], dim=-1)
        return torch.cat([ahead, reversed_steps(back, mask)], dim=-1), last


def reversed_steps(features: Tensor, mask: Tensor) -> Tensor:
    """Real steps in reverse order, padding where it was: [a b c 0] -> [c b a 0]."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    back = mask.sum(dim=-1, keepdim=True) - 1 - positions
    order = torch.where(back >= 0, back, positions)
    return features.gather(1, order[:, :, None].expand_as(features))


def last_real(outputs: Tensor, mask: Tensor) -> Tensor:
    """The output at each video's last real step, `batch dim`; zeros for a video without any."""
    lengths = mask.sum(dim=-1)
    last = (lengths - 1).clamp_min(0)[:, None, None].expand(-1, 1, outputs.shape[-1])
    return outputs.gather(1, last).squeeze(1) * (lengths > 0)[:, None]


class RecurrentRegressor(nn.Module):
    """One stream through a recurrent network, and one linear layer with a sigmoid on its last state."""

    def __init__(self, dims: Mapping[str, int], *, recurrent: Callable[[int], nn.Module]) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.recurrent = recurrent(dim)
        self.regressor = nn.Sequential(nn.Linear(HIDDEN_DIM, 1), nn.Sigmoid())

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        mask = masks[self.stream]
        _, last = self.recurrent(features[self.stream], mask)
        # The last state has no weights to show: every real step took part.
        equal = mask.to(last.dtype) / mask.sum(dim=-1, keepdim=True).clamp_min(1)
        return HeadOutput(self.regressor(last).squeeze(-1), {self.stream: equal})


def build_lstm(dims: Mapping[str, int]) -> RecurrentRegressor:
    """The LSTM baseline: hidden size 256."""
    return RecurrentRegressor(dims, recurrent=lambda dim: Lstm(dim, HIDDEN_DIM))


def build_bi_lstm(dims: Mapping[str, int]) -> RecurrentRegressor:
    """The Bi-LSTM baseline: hidden size 128 in each direction."""
    return RecurrentRegressor(dims, recurrent=lambda dim: BiLstm(dim, HIDDEN_DIM // 2))
