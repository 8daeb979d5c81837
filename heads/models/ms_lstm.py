"""MS-LSTM: a self-attentive LSTM beside multi-scale convolutional skip LSTMs, on C3D features.

Paper: Xu et al., "Learning to Score Figure Skating Sport Videos", IEEE TCSVT 2020 (arXiv 1802.02774).
The sizes are those of the authors' code, github.com/chmxu/MS_LSTM (no license; no code is copied). The skip
LSTM is that of Campos et al., "Skip RNN", ICLR 2018.

Differences from the authors' code:
* Padding takes no part in attention or batch normalization.
* Labels are normalized, so the score passes a sigmoid, and the attention penalty is divided by the square of
  the raw scores' range, in which the authors' loss is.
* Recurrent states begin at zero, not at random values that change with every call.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heads.models.feature_scaling.masked_batch_norm import MaskedBatchNorm
from heads.models.lstm import Lstm
from heads.models.output import HeadOutput

CONV_DIM = 128
HIDDEN_DIM = 256
ATTENTION_DIM = 64
NUM_DESCRIPTIONS = 50
BRANCH_DIM = 64
SCALES = ((2, 1), (4, 2), (8, 4))  # kernels and strides of the temporal convolutions
RAW_RANGE = 40.0  # of TES and PCS of Fis-V, the unit of the authors' loss


class MultiScaleLstm(nn.Module):
    """Score one stream of clip features; the attention is the mean over the 50 descriptions."""

    def __init__(self, dims: Mapping[str, int], *, variant: str = "paper") -> None:
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
            *([nn.Sigmoid()] if variant == "paper" else []),
        )

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)`, attention `(batch, time)` and its penalty `(batch)`.

        Scores are in [0, 1] in the variant `paper`.
        """
        mask = masks[self.stream]
        steps = self.norm(torch.relu(self.conv(features[self.stream])), mask)
        descriptions, weights = self.attention(steps, mask)
        _, attended = self.attentive(descriptions, mask.new_ones(descriptions.shape[:2]))
        states = [*(scale(steps, mask) for scale in self.scales), attended]
        merged = [torch.relu(branch(state)) for branch, state in zip(self.branches, states, strict=True)]
        scores = self.regressor(torch.cat(merged, dim=-1)).squeeze(-1)
        return HeadOutput(scores, {self.stream: weights.mean(dim=1)}, redundancy(weights) / RAW_RANGE**2)


def redundancy(weights: Tensor) -> Tensor:
    """Return `||A A^T - I||^2` `(batch)` of the attention A `(batch, description, time)` of each video.

    The penalty is large where several descriptions attend to the same steps.
    """
    identity = torch.eye(weights.shape[1], dtype=weights.dtype, device=weights.device)
    return ((weights @ weights.mT - identity) ** 2).sum(dim=(1, 2))


class SelfAttention(nn.Module):
    """Make 50 weighted sums of a video's steps: softmax(W2 tanh(W1 x)) over time, without biases."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(dim, ATTENTION_DIM, bias=False),
            nn.Tanh(),
            nn.Linear(ATTENTION_DIM, NUM_DESCRIPTIONS, bias=False),
        )
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, steps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return descriptions `(batch, 50, dim)` and weights `(batch, 50, time)`."""
        logits = self.score(steps).mT.masked_fill(~mask[:, None, :], torch.finfo(steps.dtype).min)
        weights = logits.softmax(dim=-1) * mask[:, None, :]
        return self.norm((weights @ steps).mT).mT, weights


class ConvSkipLstm(nn.Module):
    """A temporal convolution and a skip LSTM over its output."""

    def __init__(self, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(dim, HIDDEN_DIM, kernel, stride)
        self.norm = MaskedBatchNorm(HIDDEN_DIM)
        self.cell = SkipLstmCell(HIDDEN_DIM, HIDDEN_DIM)

    def forward(self, steps: Tensor, mask: Tensor) -> Tensor:
        """Return the state after the last real step, `(batch, hidden)`, of steps `(batch, time, dim)`."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        missing = max(0, kernel - steps.shape[1])
        padded = F.pad(steps.mT, (0, missing))  # (batch, time, dim) -> (batch, dim, time)
        lengths = ((mask.sum(dim=-1) - kernel).clamp_min(0) // stride) + 1
        maps = torch.relu(self.conv(padded)).mT
        real = torch.arange(maps.shape[1], device=maps.device) < lengths[:, None]
        return self.cell(self.norm(maps, real), real)


class SkipLstmCell(nn.Module):
    """Decide at every step whether to update the state of an LSTM (Campos et al., eq. 2-6).

    The gate is binary in the forward pass and the identity in the backward pass (straight-through).
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(dim, hidden)
        self.gate = nn.Linear(hidden, 1)
        nn.init.ones_(self.gate.bias)

    def forward(self, inputs: Tensor, real: Tensor) -> Tensor:
        """Return the state `(batch, hidden)` after the last real step of inputs `(batch, time, dim)`."""
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
    """Round the value in the forward pass; pass the gradient through unchanged."""
    return value + (value.round() - value).detach()
