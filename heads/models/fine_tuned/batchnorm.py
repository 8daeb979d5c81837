"""Three ways to train a pretrained network with BatchNorm."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from aqa_pipeline.errors import UnknownName
from heads.recipes.fine_tuning import BatchNormMode

MODES: tuple[BatchNormMode, ...] = ("train", "frozen-statistics", "eval")


def set_batchnorm(module: nn.Module, mode: BatchNormMode) -> None:
    """Set a network's mode for training; all of its weights learn in each of the modes.

    * `train`: BatchNorm takes the statistics of each batch (WD, USDL, TSA-Net).
    * `frozen-statistics`: BatchNorm keeps its running statistics; scale and shift learn (CoRe). It is for
      batches of few clips.
    * `eval`: the whole network is as in evaluation, without dropout and stochastic depth (DAE).

    Raises `UnknownName` for another mode.
    """
    if mode not in MODES:
        raise UnknownName("mode of BatchNorm", mode, MODES)
    module.train(mode != "eval")
    if mode == "frozen-statistics":
        for each in module.modules():
            if isinstance(each, _BatchNorm):
                each.eval()
