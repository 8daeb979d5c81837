"""Score a video from the features of its clips: the mean over the clips, then a small network.

Paper: Wang et al., "TSA-Net", ACM MM 2021, section 3.3. The sizes and the sigmoid are those of the released
code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aqa_pipeline.errors import UnknownName
from heads.data.judges import NUM_JUDGES
from heads.models.score_distribution import (
    HIGHEST_EXECUTION,
    HIGHEST_JUDGE_SCORE,
    JUDGE_BINS,
    NUM_BINS,
    distribution_loss,
    execution_score,
    judge_distributions,
    likeliest_score,
    score_distribution,
)

FEATURE_SIZE = 1024
HIDDEN = (256, 128)


@dataclass(frozen=True)
class Task:
    """The meaning of the outputs `(batch, num_outputs)`, or `(batch, judge, num_outputs)` for judges.

    `loss(outputs, targets)` returns one loss per video `(batch)`; `score(outputs)` returns scores in [0, 1]
    `(batch)`. Targets are normalized scores `(batch)`, judges' scores `(batch, judge)`, or the labels 0 and 1
    of a two-class target, where a score of at least 1/2 means class 1.
    """

    num_outputs: int
    loss: Callable[[Tensor, Tensor], Tensor]
    score: Callable[[Tensor], Tensor]


def _sigmoid(outputs: Tensor) -> Tensor:
    return outputs.squeeze(-1).sigmoid()


def _squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.mse_loss(_sigmoid(outputs), targets, reduction="none")


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(outputs.squeeze(-1), targets, reduction="none")


def _divergence(outputs: Tensor, targets: Tensor) -> Tensor:
    return distribution_loss(outputs, score_distribution(targets))


def _divergence_of_judges(outputs: Tensor, targets: Tensor) -> Tensor:
    return distribution_loss(outputs, judge_distributions(targets * HIGHEST_JUDGE_SCORE))


def _execution(outputs: Tensor) -> Tensor:
    return execution_score(outputs) / HIGHEST_EXECUTION


TASKS: Mapping[str, Task] = {
    "regression": Task(1, _squared_error, _sigmoid),
    "classification": Task(1, _cross_entropy, _sigmoid),
    "distribution": Task(NUM_BINS, _divergence, likeliest_score),
    "judges": Task(JUDGE_BINS, _divergence_of_judges, _execution),
}


def find_task(name: str) -> Task:
    """Return the task of that name; raise `UnknownName` if there is none."""
    if name not in TASKS:
        raise UnknownName("task of a score", name, TASKS)
    return TASKS[name]


class ScoreMlp(nn.Module):
    """Two hidden layers over the mean clip feature.

    `dropout` comes before each layer: 0.5 with the option `--dp` of the released code, none without it.
    Raises `UnknownName` for an unknown task.
    """

    def __init__(self, *, task: str = "regression", dim: int = FEATURE_SIZE, dropout: float = 0.0) -> None:
        super().__init__()
        first, second = HIDDEN
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(dim, first),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(second, find_task(task).num_outputs),
        )

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return outputs `(batch, num_outputs)`, before sigmoid or softmax, of features `(batch, clip, dim)`.

        `mask`, bool `(batch, clip)`, is false for padding.
        """
        outputs: Tensor = self.layers(clip_average(features, mask))
        return outputs


class JudgePanel(nn.Module):
    """MUSDL: seven networks, one per judge, that share only the clip features.

    Tang et al., CVPR 2020, section 3.3.
    """

    def __init__(self, *, dim: int = FEATURE_SIZE, dropout: float = 0.0) -> None:
        super().__init__()
        self.judges = nn.ModuleList(
            ScoreMlp(task="judges", dim=dim, dropout=dropout) for _ in range(NUM_JUDGES)
        )

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return outputs `(batch, judge, bin)`, before the softmax, of features `(batch, clip, dim)`."""
        return torch.stack([judge(features, mask) for judge in self.judges], dim=1)


def clip_average(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the mean `(batch, dim)` over the real clips of `(batch, clip, dim)`.

    Zeros for a video without any.
    """
    if mask is None:
        return features.mean(dim=1)
    total = torch.where(mask[..., None], features, 0.0).sum(dim=1)
    return total / mask.sum(dim=1, keepdim=True).clamp_min(1)
