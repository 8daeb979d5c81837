"""Networks of pytorchvideo's model zoo without their classifiers, built by its public builders.

Source: facebookresearch/pytorchvideo (Apache-2.0), docs/source/model_zoo.md. The arguments are those of its
hub functions. The hub functions themselves are not used: they load checkpoints that could run code.

The zoo's networks pool with a fixed window. On test crops, which are larger than training crops, the window
slides. The feature is the mean over the window's positions of the classifier's input.
"""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    # pytorchvideo 0.1.5 calls the deprecated `torch.jit.script` on a function that is not used here.
    warnings.filterwarnings("ignore", message="`torch.jit.script", category=Warning)
    from pytorchvideo.models.csn import create_csn
    from pytorchvideo.models.resnet import create_resnet
    from pytorchvideo.models.slowfast import create_slowfast
    from pytorchvideo.models.vision_transformers import create_multiscale_vision_transformers
    from pytorchvideo.models.x3d import create_x3d

SLOW_FRACTION = 4  # frames of the fast pathway per frame of the slow one


def build_zoo_net(model: str) -> nn.Module:
    """Return the zoo's `model` without its classifier.

    It turns RGB clips (batch, 3, frame, height, width) into features (batch, dim).
    """
    network: Any = _BUILDERS[model]()
    head = network.head if model.startswith("mvit") else network.blocks[-1]
    head.proj, head.activation = nn.Identity(), None
    return TwoPathways(network.blocks) if model.startswith("slowfast") else network


class TwoPathways(nn.Module):
    """SlowFast for one clip: the fast pathway gets all frames, the slow one a quarter of them.

    The slow frames are spread evenly from first to last, as in the zoo: 32 -> [0, 4, 8, 13, 17, 22, 26, 31].
    """

    def __init__(self, blocks: nn.ModuleList) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(self, clips: Tensor) -> Tensor:
        """Return features (batch, dim) of clips (batch, 3, frame, height, width)."""
        num_frames = clips.shape[2]
        slow = torch.linspace(0, num_frames - 1, num_frames // SLOW_FRACTION, device=clips.device).long()
        x: Any = [clips.index_select(2, slow), clips]
        for block in self.blocks:
            x = block(x)
        return x


def _i3d_r50() -> nn.Module:
    return create_resnet(
        stem_conv_kernel_size=(5, 7, 7),
        stage1_pool=nn.MaxPool3d,
        stage_conv_a_kernel_size=(
            (3, 1, 1),
            [(3, 1, 1), (1, 1, 1)],
            [(3, 1, 1), (1, 1, 1)],
            [(1, 1, 1), (3, 1, 1)],
        ),
    )


def _slow_r50() -> nn.Module:
    return create_resnet(model_depth=50, stem_conv_kernel_size=(1, 7, 7), head_pool_kernel_size=(8, 7, 7))


def _slowfast_r50() -> nn.Module:
    return create_slowfast(model_depth=50, slowfast_fusion_conv_kernel_size=(7, 1, 1))


def _csn_r101() -> nn.Module:
    return create_csn(model_depth=101, stem_pool=nn.MaxPool3d, head_pool_kernel_size=(4, 7, 7))


def _mvit_base_16x4() -> nn.Module:
    return create_multiscale_vision_transformers(
        spatial_size=224,
        temporal_size=16,
        embed_dim_mul=[[1, 2.0], [3, 2.0], [14, 2.0]],
        atten_head_mul=[[1, 2.0], [3, 2.0], [14, 2.0]],
        pool_q_stride_size=[[1, 1, 2, 2], [3, 1, 2, 2], [14, 1, 2, 2]],
        pool_kv_stride_adaptive=[1, 8, 8],
        pool_kvq_kernel=[3, 3, 3],
    )


_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "i3d_r50": _i3d_r50,
    "slow_r50": _slow_r50,
    "slowfast_r50": _slowfast_r50,
    "x3d_s": lambda: create_x3d(input_clip_length=13, input_crop_size=160),
    "x3d_m": lambda: create_x3d(input_clip_length=16, input_crop_size=224),
    "csn_r101": _csn_r101,
    "mvit_base_16x4": _mvit_base_16x4,
}
