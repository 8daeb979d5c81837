"""EfficientNet-Lite up to its pooled features.

Paper: Tan & Le, "EfficientNet", ICML 2019. The Lite networks of tensorflow/tpu (Apache-2.0) leave out
squeeze-and-excitation, have ReLU6 in place of swish, and keep the widths of stem and head. The names are
those of the PyTorch port efficientnet-lite-pytorch (Apache-2.0), without their leading underscores.
Checkpoints also hold `fc`, the classifier of ImageNet, which is not built.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from aqa_pipeline.backbones.networks.same_padding import same_padding, zero_padded

STEM_WIDTH, FEATURE_SIZE = 32, 1280
# (kernel, stride of the first block, expansion) of each stage
_STAGES = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite for RGB images (batch, 3, height, width) in [-1, 1].

    `widths` are the channels and `depths` the blocks of the seven stages.
    """

    def __init__(self, *, widths: Sequence[int], depths: Sequence[int]) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = (
            SameConv2d(3, STEM_WIDTH, 3, stride=2, bias=False),
            _normalization(STEM_WIDTH),
        )
        self.blocks, channels = nn.ModuleList(), STEM_WIDTH
        for width, depth, (kernel, stride, expansion) in zip(widths, depths, _STAGES, strict=True):
            for index in range(depth):
                self.blocks.append(Block(channels, width, kernel, stride if index == 0 else 1, expansion))
                channels = width
        self.conv_head, self.bn1 = (
            SameConv2d(channels, FEATURE_SIZE, 1, bias=False),
            _normalization(FEATURE_SIZE),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the mean over the last maps, (batch, 1280)."""
        return self.maps(images).mean(dim=(2, 3))

    def maps(self, images: Tensor) -> Tensor:
        """Return the last maps, (batch, 1280, height / 32, width / 32), rounded up."""
        x = F.relu6(self.bn0(self.conv_stem(images)))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.bn1(self.conv_head(x)))


class Block(nn.Module):
    """An inverted residual: expand the channels, convolve each one, project; add the input if it fits."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        self.expands, self.adds_input = expansion > 1, stride == 1 and channels == width
        if self.expands:
            self.expand_conv, self.bn0 = SameConv2d(channels, inner, 1, bias=False), _normalization(inner)
        self.depthwise_conv = SameConv2d(inner, inner, kernel, stride=stride, groups=inner, bias=False)
        self.bn1 = _normalization(inner)
        self.project_conv, self.bn2 = SameConv2d(inner, width, 1, bias=False), _normalization(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (batch, width, height / stride, width / stride)."""
        inner = F.relu6(self.bn0(self.expand_conv(x))) if self.expands else x
        inner = F.relu6(self.bn1(self.depthwise_conv(inner)))
        projected: Tensor = self.bn2(self.project_conv(inner))
        return projected + x if self.adds_input else projected


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: an odd zero goes to the right and the bottom."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of the padded maps."""
        sizes = zip(x.shape[2:], self.kernel_size, self.stride, strict=True)
        pads = [same_padding(size, kernel, stride, "dynamic") for size, kernel, stride in sizes]
        if all(front == back for front, back in pads):  # the convolution itself can pad, without a copy
            return self._convolved(x, tuple(front for front, _ in pads))
        return self._convolved(zero_padded(x, pads), (0, 0))

    def _convolved(self, x: Tensor, padding: tuple[int, ...]) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)


def _normalization(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)
