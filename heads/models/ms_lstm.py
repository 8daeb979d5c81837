"""Xu et al.: self-attentive LSTM beside multi-scale convolutional skip LSTMs, on C3D features.

Paper: Xu et al., "Learning to Score Figure Skating Sport Videos", IEEE TCSVT 2020 (arXiv 1802.02774).
Sizes as in the authors' code, github.com/chmxu/MS_LSTM (no licence; own text). The skip LSTM is that of
Campos et al., "Skip RNN", ICLR 2018.

What we do differently: padding takes no part in attention or batch normalisation; the score passes a sigmoid
because labels are normalised, so the attention's penalty is divided by the square of the raw scores' range
that the authors' loss was in; recurrent states begin at zero, not at draws that change with every call.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heads.models.lstm import Lstm
from heads.models.output import HeadOutput

CONV_DIM = 128
HIDDEN_DIM = 256
ATTENTION_DIM = 64
NUM_DESCRIPTIONS = 50
BRANCH_DIM = 64
SCALES = ((2, 1), (4, 2), (8, 4))  # kernel and stride of the temporal convolutions
MOMENTUM = 0.1  # of batch normalisation, torch's own
RAW_RANGE = 40.0  # of the TES and PCS of Fis-V that the authors' loss weighed the penalty against


class MultiScaleLstm(nn.Module):
    """One stream of clip features -> score in [0, 1]; attention is the mean over the 50 descriptions."""

    def __init__(self, dims: Mapping[str, int]) -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        self.conv = nn.Linear(dim, CONV_DIM)  # the authors' convolution of width 1
        self.norm = MaskedBatchNorm(CONV_DIM)
        self.attention = SelfAttention(CONV_DIM)
        self.attentive = Lstm(CONV_DIM, HIDDEN_DIM)
        self.scales = nn.ModuleList([ConvSkipLstm(CONV_DIM, kernel, stride) for kernel, stride in SCALES])
        self.branches = nn.ModuleList([nn.Linear(HIDDEN_DIM, BRANCH_DIM) for _ in range(len(SCALES) + 1)])
        self.regressor = nn.Sequential(
            nn.Linear(BRANCH_DIM * (len(SCALES) + 1), BRANCH_DIM),
            nn.ReLU(),
            nn.Linear(BRANCH_DIM, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        mask = masks[self.stream]
        steps = self.norm(torch.relu(self.conv(features[self.stream])), mask)
        descriptions, weights = self.attention(steps, mask)
        _, attended = self.attentive(descriptions, mask.new_ones(descriptions.shape[:2]))
        states = [*(scale(steps, mask) for scale in self.scales), attended]
        merged = [torch.relu(branch(state)) for branch, state in zip(self.branches, states, strict=True)]
        scores = self.regressor(torch.cat(merged, dim=-1)).squeeze(-1)
        return HeadOutput(scores, {self.stream: weights.mean(dim=1)}, redundancy(weights) / RAW_RANGE**2)


def redundancy(weights: Tensor) -> Tensor:
    """`||A A^T - I||^2` of each video's attention `batch description time`: how alike they are."""
    identity = torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
    return ((weights @ weights.mT - identity) ** 2).sum(dim=(1, 2))


class SelfAttention(nn.Module):
    """50 weighted sums of a video's steps: softmax(W2 tanh(W1 x)) over time, without biases."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(dim, ATTENTION_DIM, bias=False),
            nn.Tanh(),
            nn.Linear(ATTENTION_DIM, NUM_DESCRIPTIONS, bias=False),
        )
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, steps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Returns descriptions `batch 50 dim` and weights `batch 50 time`."""
        logits = self.score(steps).mT.masked_fill(~mask[:, None, :], torch.finfo(steps.dtype).min)
        weights = logits.softmax(dim=-1) * mask[:, None, :]
        return self.norm((weights @ steps).mT).mT, weights


class ConvSkipLstm(nn.Module):
    """A temporal convolution and a skip LSTM over its output; returns the state after the last real step."""

    def __init__(self, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, HIDDEN_DIM, kernel, stride)
        self.norm = MaskedBatchNorm(HIDDEN_DIM)
        self.cell = SkipLstmCell(HIDDEN_DIM, HIDDEN_DIM)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        missing = max(0, kernel - steps.shape[1])
        padded = F.pad(steps.mT, (0, missing))  # (B, T, D) -> (B, D, T)
        lengths = ((mask.sum(dim=-1) - kernel).clamp_min(0) // stride) + 1
        maps = torch.relu(self.conv(padded)).mT
        real = torch.arange(maps.shape[1], device=maps.device) < lengths[:, None]
        return self.cell(self.norm(maps, real), real)


class SkipLstmCell(nn.Module):
    """An LSTM that decides at every step whether to update its state (Campos et al., eq. 2-6).

    The gate is binary forwards and the identity backwards (straight-through).
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(dim, hidden)
        self.gate = nn.Linear(hidden, 1)
        nn.init.ones_(self.gate.bias)

    def forward(self, inputs: Tensor, real: Tensor) -> Tensor:
        """`batch time dim`, `batch time` -> the state after each video's last real step, `batch hidden`."""
        hidden = inputs.new_zeros(len(inputs), self.cell.hidden_size)
        memory, update = hidden, inputs.new_ones(len(inputs), 1)
        for step, is_real in zip(inputs.unbind(1), real.unbind(1), strict=True):
            new_hidden, new_memory = self.cell(step, (hidden, memory))
            decided = straight_through_round(update) * is_real[:, None]
            hidden = decided * new_hidden + (1 - decided) * hidden
            memory = decided * new_memory + (1 - decided) * memory
            increment = torch.sigmoid(self.gate(memory))
            waited = update + torch.minimum(increment, 1 - update)
            update = decided * increment + (1 - decided) * waited
        return hidden


def straight_through_round(value: Tensor) -> Tensor:
    """Rounded forwards, as it is backwards."""
    return value + (value.round() - value).detach()


class MaskedBatchNorm(nn.Module):
    """Batch normalisation of `batch time dim` over the real steps; padding becomes zero.

    By sums: to pick the real steps out, the CPU would have to wait until a GPU has told how many there are.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim, momentum=MOMENTUM)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        real, exact = mask[:, :, None], steps.float()
        mean, variance = self._learned(exact, real) if self.training else self._remembered()
        weight = self.norm.weight * (variance + self.norm.eps).rsqrt()
        return (((exact - mean) * weight + self.norm.bias) * real).to(steps.dtype)

    def _learned(self, steps: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance `dim` of the real steps, which are remembered as `BatchNorm1d` does."""
        number = real.sum().clamp_min(1)
        mean = (steps * real).sum(dim=(0, 1)) / number
        variance = ((steps - mean) ** 2 * real).sum(dim=(0, 1)) / number
        with torch.no_grad():
            unbiased = variance * number / (number - 1).clamp_min(1)
            for kept, seen in zip(self._remembered(), (mean, unbiased), strict=True):
                kept.lerp_(seen, MOMENTUM)
            self.norm.get_buffer("num_batches_tracked").add_(1)
        return mean, variance

    def _remembered(self) -> tuple[Tensor, Tensor]:
        return self.norm.get_buffer("running_mean"), self.norm.get_buffer("running_var")
