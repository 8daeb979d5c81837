"""Losses that compare the order of a batch's scores with the order of its labels.

Both are common terms beside a regression loss. They see one batch, or of several processes each its own part.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from heads.models.output import HeadOutput
from heads.models.score_distribution import expected_score
from heads.recipes import RankLossKind, Recipe

TEMPERATURE = 0.2  # of soft ranks, in deviations of the batch's labels
DISTRIBUTIONS = ("distribution", "judges")
EQUAL = 1e-4  # of the variance of ranks: keeps the gradient finite where all scores are equal


def rank_loss_of(output: HeadOutput, targets: Tensor, *, recipe: Recipe) -> Tensor:
    """Return the weighted rank loss of a batch, 0 if the recipe has none.

    Several marks of a video count by their mean. A predicted distribution counts by its mean, because its
    likeliest score has no gradient.
    """
    if recipe.rank_loss is None:
        return targets.new_zeros(())
    scores = output.scores
    if recipe.loss in DISTRIBUTIONS:
        assert output.logits is not None, f"a head whose recipe says {recipe.loss} gives logits"
        scores = expected_score(output.logits).flatten(1).mean(dim=1)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    labels = targets.flatten(1).mean(dim=1) if targets.ndim > 1 else targets
    return recipe.rank_loss.weight * RANK_LOSSES[recipe.rank_loss.kind](scores, labels)


def pairwise_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean of max(0, (y_i - y_j) - (s_i - s_j)) over the pairs with y_i > y_j; 0 without any.

    This is torch's `MarginRankingLoss` with the difference of the labels as the margin of each pair.
    """
    margins = labels[:, None] - labels
    higher = margins > 0
    losses = (margins - (scores[:, None] - scores)).clamp_min(0) * higher
    return losses.sum() / higher.sum().clamp_min(1)


def soft_spearman(scores: Tensor, labels: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """Return 1 minus the correlation of soft ranks of the scores with the ranks of the labels.

    The soft rank of a score is the sum over all scores of sigmoid((s_i - s_j) / t), where t is the
    temperature times the deviation of the labels. With t near 0 the result is 1 minus Spearman's correlation.
    """
    unit = temperature * labels.std(correction=0).clamp_min(torch.finfo(labels.dtype).eps)
    soft = torch.sigmoid((scores[:, None] - scores) / unit).sum(dim=1)
    ranks = ((labels[:, None] > labels).to(soft.dtype) + (labels[:, None] == labels) / 2).sum(dim=1)
    soft, ranks = soft - soft.mean(), ranks - ranks.mean()
    spread = ranks.square().sum()
    product = (soft.square().sum() + EQUAL * spread) * spread
    return 1 - (soft * ranks).sum() / product.clamp_min(torch.finfo(soft.dtype).tiny).sqrt()


RANK_LOSSES: dict[RankLossKind, Callable[[Tensor, Tensor], Tensor]] = {
    "hinge": pairwise_hinge,
    "spearman": soft_spearman,
}
