"""From the features of a video's clips to its score: clip average, then a small network.

Paper: Wang et al., "TSA-Net", ACM MM 2021, section 3.3. Sizes and the sigmoid are the released code's.
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
    judge_distributions,
    judged_execution,
    likeliest_score,
    score_distribution,
)

FEATURE_SIZE = 1024
HIDDEN = (256, 128)


@dataclass(frozen=True)
class Task:
    """What the outputs (batch, num_outputs), of judges (batch, judge, num_outputs), mean.

    `loss(outputs, targets)` is per video and `score(outputs)` in [0, 1]; targets are normalised scores, of
    judges their marks (batch, judge), or 1 for a clean performance and 0 for a fall, where a score from 1/2
    on says clean.
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
    return judged_execution(outputs) / HIGHEST_EXECUTION


TASKS: Mapping[str, Task] = {
    "regression": Task(1, _squared_error, _sigmoid),
    "classification": Task(1, _cross_entropy, _sigmoid),
    "distribution": Task(NUM_BINS, _divergence, likeliest_score),
    "judges": Task(JUDGE_BINS, _divergence_of_judges, _execution),
}


def find_task(name: str) -> Task:
    """The task of that name; raises `UnknownName`."""
    if name not in TASKS:
        raise UnknownName("task of a score", name, TASKS)
    return TASKS[name]


class ScoreMlp(nn.Module):
    """Clip features `batch clip dim` -> outputs (batch, num_outputs), before the task's sigmoid or softmax.

    `mask`, bool `batch clip`, tells clips from padding. `dropout` before each layer is .5 with the released
    code's option `--dp`, and none without it. Raises `UnknownName` for another task.
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
        outputs: Tensor = self.layers(clip_average(features, mask))
        return outputs


class JudgePanel(nn.Module):
    """Seven networks that share nothing but the clip features -> outputs (batch, judge, bin): MUSDL.

    Tang et al., CVPR 2020, section 3.3: one path per judge.
    """

    def __init__(self, *, dim: int = FEATURE_SIZE, dropout: float = 0.0) -> None:
        super().__init__()
        self.judges = nn.ModuleList(
            ScoreMlp(task="judges", dim=dim, dropout=dropout) for _ in range(NUM_JUDGES)
        )

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        return torch.stack([judge(features, mask) for judge in self.judges], dim=1)


def clip_average(features: Tensor, mask: Tensor | None = None) -> Tensor:
    """The mean over a video's clips, `batch clip dim` -> `batch dim`; zeros for a video without any."""
    if mask is None:
        return features.mean(dim=1)
    total = torch.where(mask[..., None], features, 0.0).sum(dim=1)
    return total / mask.sum(dim=1, keepdim=True).clamp_min(1)
