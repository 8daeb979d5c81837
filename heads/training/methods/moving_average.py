"""The exponential moving average of a network's weights: smoother than the weights, and often better."""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from heads.recipes import Recipe


def average_of(module: nn.Module, recipe: Recipe) -> AveragedModel | None:
    """Return the average that starts with the weights after the first batch; None if the recipe has none.

    Buffers, such as the statistics of BatchNorm, are averaged like the weights that they belong to.
    """
    decay = recipe.fine_tuning.ema if recipe.fine_tuning is not None else 0.0
    if not decay:
        return None
    return AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
