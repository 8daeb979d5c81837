"""The network SiamMask (`siammask_sharp`): find the template in the search picture, and its mask there.

Paper: Wang et al., "Fast Online Object Tracking and Segmentation: A Unifying Approach", CVPR 2019.
Original: foolwood/SiamMask (MIT), whose parameter names are kept, so that its checkpoints load strictly.

Two differences from the original: the template's side of the three correlations is computed once per track.
The 63x63 head of the mask branch, which the refinement replaces, is loaded but not run.
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
    """The kernels of a template, one per branch: (batch, 256, 5, 5)."""

    cls: Tensor
    loc: Tensor
    mask: Tensor


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The network's outputs for a search picture, on a grid of 25x25 positions.

    `cls` (batch, 10, 25, 25) are logits: background of 5 anchors, then foreground. `loc` (batch, 20, 25, 25)
    are the boxes: dx, dy, dw, dh, of 5 anchors each. `correlation` (batch, 256, 25, 25) and `maps` are inputs
    of `masks`.
    """

    cls: Tensor
    loc: Tensor
    correlation: Tensor
    maps: Maps


class SiamMask(nn.Module):
    """SiamMask. Its pictures are BGR, float, 0..255.

    Templates are (batch, 3, 127, 127), search pictures (batch, 3, 255, 255).
    """

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
        """Return the kernels of templates (batch, 3, 127, 127)."""
        features, _ = self.features(pictures)
        return TemplateKernels(*(branch.conv_kernel(features) for branch in self._branches()))

    def search(self, kernels: TemplateKernels, pictures: Tensor) -> SearchResult:
        """Compare search pictures (batch, 3, 255, 255) with the kernels of as many templates."""
        features, maps = self.features(pictures)
        cls, loc, mask = self._branches()
        return SearchResult(
            cls=cls.head(cls.correlate(kernels.cls, features)),
            loc=loc.head(loc.correlate(kernels.loc, features)),
            correlation=mask.correlate(kernels.mask, features),
            maps=maps,
        )

    def masks(self, result: SearchResult, grid_positions: list[tuple[int, int]]) -> Tensor:
        """Return mask logits (batch, 127, 127), each at one grid position (row, column)."""
        return self.refine_model(result.maps, result.correlation, grid_positions)

    def forward(self, templates: Tensor, searches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return `cls`, `loc` and the masks at the grid's middle; the input runs through every layer."""
        result = self.search(self.template(templates), searches)
        middle = result.cls.shape[-1] // 2
        return result.cls, result.loc, self.masks(result, [(middle, middle)] * len(searches))

    def _branches(self) -> tuple["DepthwiseCorrelation", "DepthwiseCorrelation", "DepthwiseCorrelation"]:
        return self.rpn_model["cls"], self.rpn_model["loc"], self.mask_model["mask"]  # type: ignore[return-value]


class Features(nn.Module):
    """The backbone, and the reduction of its last map to 256 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = TrackingResNet50()
        self.downsample = Reduction()

    def forward(self, pictures: Tensor) -> tuple[Tensor, Maps]:
        """Return features (batch, 256, height', width') and the backbone's maps."""
        maps = self.features(pictures)
        return self.downsample(maps[3]), maps


class Reduction(nn.Module):
    """A 1x1 convolution to 256 channels. Of a template's 15x15 map, it keeps the inner 7x7."""

    def __init__(self) -> None:
        super().__init__()
        self.downsample = nn.Sequential(nn.Conv2d(1024, CHANNELS, 1, bias=False), nn.BatchNorm2d(CHANNELS))

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, 256, height', width') of maps (batch, 1024, height, width)."""
        x = self.downsample(x)
        return x[:, :, 4:-4, 4:-4] if x.shape[3] < 20 else x


class DepthwiseCorrelation(nn.Module):
    """One branch: it correlates 7x7 and 31x31 features channel by channel to 25x25, for its `head`."""

    def __init__(self, out_channels: int) -> None:
        super().__init__()
        self.conv_kernel = _conv_unit(3)
        self.conv_search = _conv_unit(3)
        self.head = nn.Sequential(*_conv_unit(1), nn.Conv2d(CHANNELS, out_channels, 1))

    def correlate(self, kernels: Tensor, features: Tensor) -> Tensor:
        """Correlate kernels (batch, 256, 5, 5) with search features (batch, 256, 31, 31).

        Return (batch, 256, 25, 25).
        """
        search = self.conv_search(features)
        batch, channels = search.shape[:2]
        # One grouped convolution for the whole batch: each channel of each picture is a group.
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
    """Stack the kernels of several tracks to one batch."""
    return TemplateKernels(
        cls=torch.cat([each.cls for each in kernels]),
        loc=torch.cat([each.loc for each in kernels]),
        mask=torch.cat([each.mask for each in kernels]),
    )
