"""A score as a distribution over bins: USDL, and MUSDL with one distribution per judge.

Paper: Tang et al., "Uncertainty-aware Score Distribution Learning for Action Quality Assessment", CVPR 2020;
TSA-Net, ACM MM 2021, eq. 9, builds on it. Original code: github.com/nzl-thu/MUSDL. Own text.

USDL: 101 bins, the score on a scale of 0..100 as the mean of a normal distribution with sigma 5. MUSDL: seven
judges, 21 bins of half a point from 0 to 10, sigma 5 bins. The predicted score is the likeliest bin, not the
mean. Where a dataset has a difficulty degree, the distribution is that of score / difficulty, and the
prediction is multiplied by it.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

NUM_BINS = 101
SIGMA_BINS = 5.0
JUDGE_BINS = 21
HIGHEST_JUDGE_SCORE = 10.0
NUM_COUNTED_JUDGES = 3  # the two highest and the two lowest do not count
HIGHEST_EXECUTION = NUM_COUNTED_JUDGES * HIGHEST_JUDGE_SCORE

OverBins = Literal["mean", "sum"]


def score_distribution(
    normalised: Tensor, *, num_bins: int = NUM_BINS, sigma_bins: float = SIGMA_BINS
) -> Tensor:
    """Target distributions (..., num_bins) of normalised scores (...): a normal density that sums to 1.

    0 lies on the first bin and 1 on the last: 0..104.5 of MTL-AQA becomes 0..1, then 0..100.
    """
    bins = torch.arange(num_bins, dtype=normalised.dtype, device=normalised.device)
    distance = (bins - normalised[..., None] * (num_bins - 1)) / sigma_bins
    return torch.softmax(-distance.square() / 2, dim=-1)  # the density, divided by its sum


def distribution_loss(logits: Tensor, targets: Tensor, *, over_bins: OverBins = "mean") -> Tensor:
    """KL(target || softmax(logits)) per video, (batch, ..., bin) -> (batch).

    `mean` over the bins (and judges) is what the released code of MUSDL minimises, `nn.KLDivLoss()`; `sum` is
    the divergence itself (eq. 9), `num_bins` times as much.
    """
    terms = F.kl_div(F.log_softmax(logits, dim=-1), targets, reduction="none").flatten(1)
    return terms.mean(dim=1) if over_bins == "mean" else terms.sum(dim=1)


def likeliest_score(logits: Tensor) -> Tensor:
    """The normalised score (...) of the likeliest bin of (..., bin)."""
    return logits.argmax(dim=-1) / (logits.shape[-1] - 1)


def judge_distributions(judge_scores: Tensor) -> Tensor:
    """MUSDL's targets (batch, judge, 21) of judges' scores (batch, judge), 0..10 each."""
    return score_distribution(judge_scores / HIGHEST_JUDGE_SCORE, num_bins=JUDGE_BINS)


def judged_score(logits: Tensor, difficulty: Tensor) -> Tensor:
    """MUSDL's raw score (batch): the execution times the difficulty."""
    return judged_execution(logits) * difficulty


def judged_execution(logits: Tensor) -> Tensor:
    """The sum (batch) of the middle three of the judges' likeliest scores, 0 to 30.

    `logits` are (batch, judge, bin). Raises ValueError for fewer than three judges, or an even number.
    """
    num_judges = logits.shape[1]
    spare, rest = divmod(num_judges - NUM_COUNTED_JUDGES, 2)
    if spare < 0 or rest:
        raise ValueError(f"{num_judges} judges have no middle three: expected an odd number from 3 on")
    ordered = (likeliest_score(logits) * HIGHEST_JUDGE_SCORE).sort(dim=1).values
    return ordered[:, spare : num_judges - spare].sum(dim=1)
