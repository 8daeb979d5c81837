"""The losses that recipes name: one value per video."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from heads.models.likert.coarse_to_fine import coarse_to_fine_loss
from heads.models.likert.units import in_unit_interval
from heads.models.mean_vector.leaves import leaf_losses
from heads.models.output import HeadOutput, Pairs
from heads.models.score_mlp import TASKS
from heads.recipes import Recipe

LEAST_LOG_VARIANCE = -14.0  # where errors vanish, the likelihood of a training set has no bound


def normal_likelihood(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return `(y - mean)^2 / (2 variance) + log(variance) / 2` of means and log variances `(batch, 2)`."""
    mean, log_variance = outputs.unbind(-1)
    log_variance = log_variance.clamp_min(LEAST_LOG_VARIANCE)
    return ((labels - mean) ** 2 / log_variance.exp() + log_variance) / 2


def released_likelihood(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return `0.6 / (variance * error) + 0.4 log(variance)`, `error` being the batch's sum of squared errors.

    This is the loss of DAE's released code, which falls as errors grow.
    """
    mean, log_variance = outputs.unbind(-1)
    error = ((labels - mean) ** 2).sum()
    return 0.6 / (log_variance.exp() * error) + 0.4 * log_variance


# One value per video; the caller reduces.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": lambda scores, labels: (scores - labels) ** 2,
    "l2+l1": lambda scores, labels: (scores - labels) ** 2 + (scores - labels).abs(),
}
# Of what comes before the sigmoid or softmax: near 0 and 1 the scores have lost what these losses need.
LOSSES_OF_LOGITS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": TASKS["classification"].loss,
    "distribution": TASKS["distribution"].loss,
    "judges": TASKS["judges"].loss,
    "likelihood": normal_likelihood,
    "released-likelihood": released_likelihood,
    "coarse-to-fine": coarse_to_fine_loss,
}
# Their targets are scores in [0, 1]; standard units are brought there.
LOSSES_OF_UNIT_INTERVAL = ("coarse-to-fine",)
# Of the comparisons of videos, for heads that predict differences.
LOSSES_OF_PAIRS: dict[str, Callable[[Pairs, Tensor], Tensor]] = {
    "leaves": leaf_losses,
    "released-leaves": partial(leaf_losses, released=True),
    "leaves-in-batch": partial(leaf_losses, in_batch=True),
}


def losses_of(output: HeadOutput, targets: Tensor, *, recipe: Recipe) -> Tensor:
    """Return the recipe's loss of each video, in float32 or more."""
    if recipe.loss in LOSSES:
        return LOSSES[recipe.loss](_in_full(output.scores), targets)
    if recipe.loss in LOSSES_OF_PAIRS:
        assert output.pairs is not None, f"a head whose recipe says {recipe.loss} compares videos in training"
        pairs = Pairs(*(_in_full(each) for each in output.pairs))
        return LOSSES_OF_PAIRS[recipe.loss](pairs, targets)
    assert output.logits is not None, f"a head whose recipe says {recipe.loss} gives logits"
    if recipe.loss in LOSSES_OF_UNIT_INTERVAL and recipe.unit == "standard":
        targets = in_unit_interval(targets)
    return LOSSES_OF_LOGITS[recipe.loss](_in_full(output.logits), targets)


def _in_full(outputs: Tensor) -> Tensor:
    """Return outputs of bf16 as float32, and others as they are."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))
