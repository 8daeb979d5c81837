"""The registry of pretrained files by name. No file is shipped with this package."""

from collections.abc import Iterable

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.weights.entries.detectors import TORCHVISION_DETECTORS, YOLO
from aqa_pipeline.weights.entries.encoders import DINOV3, SIGLIP2, VIDEO_SWIN, VIDEOMAE2, VIDEOPRISM, VJEPA2
from aqa_pipeline.weights.entries.image_networks import EFFICIENTNET_LITE, IMAGENET
from aqa_pipeline.weights.entries.poses import BLAZEPOSE, KEYPOINT_RCNN
from aqa_pipeline.weights.entries.trackers import TRACKERS
from aqa_pipeline.weights.entries.video_networks import C3D, HARA, I3D, IG65M, PYTORCHVIDEO, TORCHVISION_VIDEO
from aqa_pipeline.weights.weights_file import WeightsFile


def get_weights_file(name: str) -> WeightsFile:
    """Return the entry of that name; raise `UnknownName` for any other name."""
    if name not in WEIGHTS:
        raise UnknownName("weights", name, WEIGHTS)
    return WEIGHTS[name]


def by_name(entries: Iterable[WeightsFile]) -> dict[str, WeightsFile]:
    """Return `{name: entry}`; raise `ValueError` for two entries with the same name or file name."""
    named: dict[str, WeightsFile] = {}
    for entry in entries:
        if entry.name in named or any(other.file_name == entry.file_name for other in named.values()):
            raise ValueError(f"weights {entry.name!r} ({entry.file_name}) are registered twice")
        named[entry.name] = entry
    return named


WEIGHTS = by_name(
    (
        *I3D,
        *C3D,
        *IG65M,
        *HARA,
        *TORCHVISION_VIDEO,
        *PYTORCHVIDEO,
        *VIDEO_SWIN,
        *VIDEOMAE2,
        *VJEPA2,
        *VIDEOPRISM,
        *IMAGENET,
        *EFFICIENTNET_LITE,
        *SIGLIP2,
        *DINOV3,
        *TORCHVISION_DETECTORS,
        *YOLO,
        *TRACKERS,
        *BLAZEPOSE,
        *KEYPOINT_RCNN,
    )
)
