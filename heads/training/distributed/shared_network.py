"""A network that several processes train together: their gradients are averaged, their statistics shared.

torch shares the statistics of BatchNorm on GPUs alone (SyncBatchNorm). On CPUs each process takes the
statistics of its part of the batch, and the running statistics of the first process are kept.
"""

import inspect
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from aqa_pipeline.errors import RunError
from heads.models.tube_attention import ReleasedTubeAttention
from heads.training.distributed.world import HOW_MANY, World
from heads.training.methods.training import Training

# Newer torch calls it `forward_sync_buffers`, and warns of the older name.
_NAMES = inspect.signature(DistributedDataParallel).parameters
_BUFFERS_EACH_STEP = "forward_sync_buffers" if "forward_sync_buffers" in _NAMES else "broadcast_buffers"


def check_shareable(training: Training) -> None:
    """Raise `RunError` for batches of fewer videos than processes, or statistics that they cannot share.

    Processes share statistics layer by layer, so all of them must call the backbone equally often. They do
    not where clips pass in turn and videos have unequal numbers of clips.
    """
    recipe, world = training.recipe, training.compute.world
    if recipe.batch_size < world.size:
        raise RunError(
            f"{world.size} processes cannot divide batches of {recipe.batch_size} videos: start at most "
            f"{recipe.batch_size} ({HOW_MANY})."
        )
    tuning = recipe.fine_tuning
    if world.is_alone or tuning is None or (tuning.batchnorm, tuning.clip_passing) != ("train", "in-turn"):
        return
    numbers = {int(each) for lengths in training.samples.lengths.values() for each in lengths}
    if len(numbers) > 1:
        raise RunError(
            f"videos have {min(numbers)} to {max(numbers)} clips, which pass the backbone in turn, and "
            "several processes cannot share BatchNorm's statistics of them: train with one process, or "
            "choose the variant adapted, which keeps the statistics."
        )


def with_shared_statistics(module: nn.Module) -> nn.Module:
    """Return the network with SyncBatchNorm wherever BatchNorm takes the statistics of its batch.

    The mode must be that of training. BatchNorm over one video at a time stays as it is.
    """
    if _takes_batch_statistics(module):
        return nn.SyncBatchNorm.convert_sync_batchnorm(module)
    if not isinstance(module, ReleasedTubeAttention):
        for name, child in module.named_children():
            setattr(module, name, with_shared_statistics(child))
    return module


def with_averaged_gradients(module: nn.Module, world: World) -> nn.Module:
    """Return what to call in training: the network itself, or one that averages gradients over processes.

    The mode must be that of training, with frozen weights marked. Weights that no output depends on get no
    gradient, as without other processes.
    """
    if world.is_alone:
        return module
    options: dict[str, Any] = {_BUFFERS_EACH_STEP: False}  # statistics are shared, or kept
    return DistributedDataParallel(module, static_graph=True, **options)


def unshared_statistics(module: nn.Module) -> Iterator[Tensor]:
    """Yield the running statistics that differ between processes after an epoch."""
    for each in module.modules():
        if _takes_batch_statistics(each) and not isinstance(each, nn.SyncBatchNorm):
            yield from each.buffers()


def _takes_batch_statistics(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.training
