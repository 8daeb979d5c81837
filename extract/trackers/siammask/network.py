"""SiamMask (`siammask_sharp`): where the template is in the search picture, and its mask there.

Paper: Wang et al., "Fast Online Object Tracking and Segmentation: A Unifying Approach", CVPR 2019.
Original: foolwood/SiamMask (MIT), whose parameter names are ours, so that its checkpoints load strictly.

What we do differently: the template's side of the three correlations is computed once per track, and the
63x63 head of the mask branch, which the refinement replaces, is loaded but not run.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from extract.trackers.siammask.backbone import Maps, TrackingResNet50
from extract.trackers.siammask.refinement import MaskRefinement

CHANNELS = 256
NUM_ANCHORS = 5
COARSE_MASK_SIZE = 63


@dataclass(frozen=True, eq=False)
class TemplateKernels:
    """What a template leaves to search for, one per branch: (B, 256, 5, 5)."""

    cls: Tensor
    loc: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What the network says of a search picture, on a grid of 25x25 places.

    `cls` (B, 10, 25, 25) are logits (background of 5 anchors, then foreground), `loc` (B, 20, 25, 25) the
    boxes as dx, dy, dw, dh of 5 anchors each. `correlation` (B, 256, 25, 25) and `maps` serve the masks.
    """

    cls: Tensor
    loc: Tensor
    correlation: Tensor
    maps: Maps


class SiamMask(nn.Module):
    """Pictures are BGR, 0..255, float: templates (B, 3, 127, 127), searches (B, 3, 255, 255)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = Features()
        self.rpn_model = nn.ModuleDict(
            {
                "cls": DepthwiseCorrelation(2 * NUM_ANCHORS),
                "loc": DepthwiseCorrelation(4 * NUM_ANCHORS),
            }
        )
        self.mask_model = nn.ModuleDict({"mask": DepthwiseCorrelation(COARSE_MASK_SIZE**2)})
        self.refine_model = MaskRefinement()

    def template(self, pictures: Tensor) -> TemplateKernels:
        """The kernels of templates (B, 3, 127, 127)."""
        features, _ = self.features(pictures)
        return TemplateKernels(*(branch.conv_kernel(features) for branch in self._branches()))

    def search(self, kernels: TemplateKernels, pictures: Tensor) -> SearchResult:
        """Compares search pictures (B, 3, 255, 255) with the kernels of as many templates."""
        features, maps = self.features(pictures)
        cls, loc, mask = self._branches()
        return SearchResult(
            cls=cls.head(cls.correlate(kernels.cls, features)),
            loc=loc.head(loc.correlate(kernels.loc, features)),
            correlation=mask.correlate(kernels.mask, features),
            maps=maps,
        )

    def masks(self, result: SearchResult, places: list[tuple[int, int]]) -> Tensor:
        """Mask logits (B, 127, 127) at one place (row, column) of the grid per search picture."""
        return self.refine_model(result.maps, result.correlation, places)

    def forward(self, templates: Tensor, searches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`cls`, `loc` and the masks in the middle of the grid: one pass through every layer."""
        result = self.search(self.template(templates), searches)
        middle = result.cls.shape[-1] // 2
        return result.cls, result.loc, self.masks(result, [(middle, middle)] * len(searches))

    def _branches(self) -> tuple["DepthwiseCorrelation", "DepthwiseCorrelation", "DepthwiseCorrelation"]:
        return self.rpn_model["cls"], self.rpn_model["loc"], self.mask_model["mask"]  # type: ignore[return-value]


class Features(nn.Module):
    """The backbone and its reduction to 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = TrackingResNet50()
        self.downsample = Reduction()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Maps]:
        maps = self.features(pictures)
        return self.downsample(maps[3]), maps


class Reduction(nn.Module):
    """1x1 to 256 channels; of a template's 15x15 map the inner 7x7, free of the picture's border."""

    def __init__(self) -> None:
        super().__init__()
        self.downsample = nn.Sequential(nn.Conv2d(1024, CHANNELS, 1, bias=False), nn.BatchNorm2d(CHANNELS))

    def forward(self, x: Tensor) -> Tensor:
        x = self.downsample(x)
        return x[:, :, 4:-4, 4:-4] if x.shape[3] < 20 else x


class DepthwiseCorrelation(nn.Module):
    """One branch: 7x7 and 31x31 features -> 25x25 correlations (channel by channel) -> `out_channels`."""

    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.conv_kernel = _conv_unit(3)
        self.conv_search = _conv_unit(3)
        self.head = nn.Sequential(*_conv_unit(1), nn.Conv2d(CHANNELS, out_channels, 1))

    def correlate(self, kernels: Tensor, features: Tensor) -> Tensor:
        """(B, 256, 5, 5) over the search features (B, 256, 31, 31) -> (B, 256, 25, 25)."""
        search = self.conv_search(features)
        batch, channels = search.shape[:2]
        # One grouped convolution for the whole batch: every channel of every picture is a group.
        flat = search.reshape(1, batch * channels, *search.shape[2:])
        weight = kernels.reshape(batch * channels, 1, *kernels.shape[2:])
        correlation = F.conv2d(flat, weight, groups=batch * channels)
        return correlation.reshape(batch, channels, *correlation.shape[2:])


def _conv_unit(kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(CHANNELS, CHANNELS, kernel, bias=False),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(inplace=True),
    )


def stack_kernels(kernels: list[TemplateKernels]) -> TemplateKernels:
    """The kernels of several tracks as one batch."""
    return TemplateKernels(
        cls=torch.cat([each.cls for each in kernels]),
        loc=torch.cat([each.loc for each in kernels]),
        mask=torch.cat([each.mask for each in kernels]),
    )
