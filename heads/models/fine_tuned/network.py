"""A video backbone and a head as one network, from pictures to scores, to be trained together.

WD (Farabi et al., IbPRIA 2022), USDL (Tang et al., CVPR 2020) and TSA-Net (Wang et al., ACM MM 2021) train
their backbones so. Their training steps are reproduced: see the tests.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.normalization import Normalization
from heads.models.clip_passing import PACKED, ClipPassing
from heads.models.fine_tuned.batchnorm import set_batchnorm
from heads.models.fine_tuned.layers import Layer, modules_until, top_layers
from heads.models.output import HeadOutput
from heads.models.tsa_net import TsaNet
from heads.recipes.fine_tuning import PIXELS, BatchNormMode


class FineTuned(nn.Module):
    """Score pictures: normalize them, encode each clip by the backbone, and give the result to the head.

    `backbone` turns clips `(n, 3, frame, height, width)` into features `(n, dim)`, or into maps `(n, channel,
    step, height, width)` for a head with a second stage, which is pretrained like the backbone. `head` reads
    the stream "pixels". `train()` sets the modes of `batchnorm` (see `set_batchnorm`). Layers up to
    `freeze_until` neither learn nor change their statistics. Raises `UnknownName` for a layer that is absent.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        head: nn.Module,
        *,
        normalization: Normalization,
        passing: ClipPassing = PACKED,
        batchnorm: BatchNormMode = "train",
        freeze_until: str = "",
    ) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head
        self.passing, self.batchnorm = passing, batchnorm
        self.register_buffer("mean", torch.tensor(normalization.mean))
        self.register_buffer("std", torch.tensor(normalization.std))
        if isinstance(head, TsaNet):
            head.passing = passing
        self.freeze_until = freeze_until
        for module in self._frozen_modules():
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)

    @property
    def pretrained(self) -> list[nn.Module]:
        """The pretrained networks in the order in which clips pass them."""
        return [self.backbone, self.head.second_stage] if isinstance(self.head, TsaNet) else [self.backbone]

    @property
    def pretrained_layers(self) -> list[Layer]:
        """The layers of the pretrained networks in order of depth."""
        return top_layers(self.pretrained)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return the head's output for pictures; see `encode` for what goes in."""
        output: HeadOutput = self.head(self.encode(features, masks), masks)
        return output

    def encode(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the head reads: `features` with the encoded clips in place of the pictures.

        `features["pixels"]` is `(batch, clip, 3, frame, height, width)` with values of 0..255 in any dtype,
        `masks["pixels"]` bool `(batch, clip)`, false for padding. For heads with tubes,
        `features["pixels.tube"]` is bool `(batch, clip, step, row, column)`. Masks and tubes are on the CPU,
        so that nothing waits for the GPU.
        """
        encoded = self.passing(self.backbone, features[PIXELS], masks[PIXELS], prepare=self.normalized)
        return {**features, PIXELS: encoded}

    def normalized(self, clips: Tensor) -> Tensor:
        """Return clips `(n, 3, frame, height, width)` normalized, in the dtype of `mean`."""
        per_channel = (3, 1, 1, 1)
        in_range = clips.to(self.mean.dtype, copy=True).div_(255)  # in place: pictures are large
        return in_range.sub_(self.mean.view(per_channel)).div_(self.std.view(per_channel))

    def train(self, mode: bool = True) -> "FineTuned":
        """Set training mode, with BatchNorm as chosen and frozen layers as in evaluation."""
        super().train(mode)
        if mode:
            for part in self.pretrained:
                set_batchnorm(part, self.batchnorm)
            for module in self._frozen_modules():
                module.training = False
        return self

    def _frozen_modules(self) -> list[nn.Module]:
        """Return the modules that do not learn; looked up anew, since several GPUs replace BatchNorm."""
        return modules_until(self.pretrained, self.freeze_until) if self.freeze_until else []
