"""The losses that recipes name: one value per video."""

from collections.abc import Callable

import torch
from torch import Tensor

from heads.models.output import HeadOutput
from heads.models.score_mlp import TASKS
from heads.recipes import Recipe

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
}


def losses_of(output: HeadOutput, targets: Tensor, *, recipe: Recipe) -> Tensor:
    """Return the recipe's loss of each video, in float32 or more."""
    if recipe.loss in LOSSES:
        return LOSSES[recipe.loss](_in_full(output.scores), targets)
    assert output.logits is not None, f"a head whose recipe says {recipe.loss} gives logits"
    return LOSSES_OF_LOGITS[recipe.loss](_in_full(output.logits), targets)


def _in_full(outputs: Tensor) -> Tensor:
    """Return outputs of bf16 as float32, and others as they are."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))
