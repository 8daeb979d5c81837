"""A score as a distribution over bins: USDL, or MUSDL with one distribution per judge.

Paper: Tang et al., "Uncertainty-aware Score Distribution Learning for Action Quality Assessment", CVPR 2020;
TSA-Net (ACM MM 2021, eq. 9) uses it. Original code: github.com/nzl-thu/MUSDL; no code is copied.

USDL: 101 bins; the target is a normal distribution around the score on a scale of 0..100, with sigma 5.
MUSDL: seven judges, 21 bins of half a point from 0 to 10, sigma 5 bins. The predicted score is the likeliest
bin, not the mean. If a dataset has a degree of difficulty, the distribution is that of score / difficulty,
and the prediction is multiplied by the difficulty.
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
    normalized: Tensor, *, num_bins: int = NUM_BINS, sigma_bins: float = SIGMA_BINS
) -> Tensor:
    """Return target distributions `(..., bin)` of normalized scores `(...)`: normal densities that sum to 1.

    A score of 0 lies on the first bin and 1 on the last.
    """
    bins = torch.arange(num_bins, dtype=normalized.dtype, device=normalized.device)
    distance = (bins - normalized[..., None] * (num_bins - 1)) / sigma_bins
    return torch.softmax(-distance.square() / 2, dim=-1)  # the density divided by its sum


def distribution_loss(logits: Tensor, targets: Tensor, *, over_bins: OverBins = "mean") -> Tensor:
    """Return KL(target || softmax(logits)) per video, `(batch)`, for logits and targets `(batch, ..., bin)`.

    `mean` over the bins (and judges) is the `nn.KLDivLoss()` of the released MUSDL code. `sum` is the
    divergence itself (eq. 9), `num_bins` times as large.
    """
    terms = F.kl_div(F.log_softmax(logits, dim=-1), targets, reduction="none").flatten(1)
    return terms.mean(dim=1) if over_bins == "mean" else terms.sum(dim=1)


def likeliest_score(logits: Tensor) -> Tensor:
    """Return the normalized scores `(...)` of the likeliest bins of logits `(..., bin)`."""
    return logits.argmax(dim=-1) / (logits.shape[-1] - 1)


def expected_score(logits: Tensor) -> Tensor:
    """Return the normalized mean scores `(...)` of the distributions of logits `(..., bin)`."""
    bins = torch.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return (logits.softmax(dim=-1) * bins).sum(dim=-1) / (logits.shape[-1] - 1)


def judge_distributions(judge_scores: Tensor) -> Tensor:
    """Return the target distributions `(batch, judge, bin)` of judges' scores `(batch, judge)` in 0..10."""
    return score_distribution(judge_scores / HIGHEST_JUDGE_SCORE, num_bins=JUDGE_BINS)


def execution_score(logits: Tensor) -> Tensor:
    """Return the sum `(batch)`, 0 to 30, of the middle three of the judges' likeliest scores.

    `logits` are `(batch, judge, bin)`. Raises `ValueError` for fewer than three judges or an even number.
    """
    num_judges = logits.shape[1]
    spare, rest = divmod(num_judges - NUM_COUNTED_JUDGES, 2)
    if spare < 0 or rest:
        raise ValueError(f"{num_judges} judges have no middle three: expected an odd number of at least 3")
    ordered = (likeliest_score(logits) * HIGHEST_JUDGE_SCORE).sort(dim=1).values
    return ordered[:, spare : num_judges - spare].sum(dim=1)
