"""SiamMask's backbone: the first three stages of a ResNet-50 with strides and paddings for tracking.

Differences from torchvision's ResNet-50: the stem and the first block of `layer2` do not pad, the
shortcuts of `layer2` and `layer3` are 3x3 convolutions, and `layer3` keeps the resolution with dilated
convolutions instead of striding. Original: foolwood/SiamMask (MIT), `experiments/siammask_sharp`.
"""

from torch import Tensor, nn
from torch.nn import functional as F

Maps = tuple[Tensor, Tensor, Tensor, Tensor]
EXPANSION = 4


class Bottleneck(nn.Module):
    """Convolutions 1x1, 3x3, 1x1 with a residual; gives 4 * `width` channels."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        shortcut: nn.Sequential | None = None,
    ) -> None:
        super().__init__()
        out_channels = width * EXPANSION
        padding = dilation if dilation > 1 else 2 - stride
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=padding, dilation=dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return maps (batch, 4 * width, height', width') of maps (batch, in_channels, height, width)."""
        residual = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        return F.relu(self.bn3(self.conv3(x)).add_(residual), inplace=True)


class TrackingResNet50(nn.Module):
    """The backbone. Its four maps have 64, 256, 512 and 1024 channels.

    A search picture of 255 pixels gives maps 125, 63, 31 and 31 pixels wide, a template of 127 pixels 61, 31,
    15 and 15.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(64, 64, 3, shortcut=_shortcut(64, 256, kernel=1))
        self.layer2 = _stage(256, 128, 4, stride=2, shortcut=_shortcut(256, 512, kernel=3, stride=2))
        self.layer3 = _stage(512, 256, 6, dilation=2, shortcut=_shortcut(512, 1024, kernel=3, padding=1))

    def forward(self, pictures: Tensor) -> Maps:
        """Return the four maps of BGR pictures (batch, 3, height, width) with values 0..255."""
        p0 = F.relu(self.bn1(self.conv1(pictures)), inplace=True)
        p1 = self.layer1(self.maxpool(p0))
        p2 = self.layer2(p1)
        return p0, p1, p2, self.layer3(p2)


def _stage(
    in_channels: int,
    width: int,
    num_blocks: int,
    *,
    shortcut: nn.Sequential,
    stride: int = 1,
    dilation: int = 1,
) -> nn.Sequential:
    """Return a stage: the first block changes the size and is never dilated, the others keep the size."""
    first = Bottleneck(in_channels, width, stride=stride, shortcut=shortcut)
    rest = [Bottleneck(width * EXPANSION, width, dilation=dilation) for _ in range(num_blocks - 1)]
    return nn.Sequential(first, *rest)


def _shortcut(
    in_channels: int, out_channels: int, *, kernel: int, stride: int = 1, padding: int = 0
) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))
