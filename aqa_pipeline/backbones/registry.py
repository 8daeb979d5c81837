"""The registry of all backbones by name. Importing this imports no torch."""

from aqa_pipeline.backbones.backbone import Backbone, by_name
from aqa_pipeline.backbones.entries.c3d import C3D
from aqa_pipeline.backbones.entries.efficientnet_lite import EFFICIENTNET_LITE
from aqa_pipeline.backbones.entries.i3d import I3D
from aqa_pipeline.backbones.entries.pytorchvideo import PYTORCHVIDEO
from aqa_pipeline.backbones.entries.torchvision_image import IMAGE
from aqa_pipeline.backbones.entries.torchvision_video import TORCHVISION_VIDEO
from aqa_pipeline.backbones.entries.transformers_image import TRANSFORMERS_IMAGE
from aqa_pipeline.backbones.entries.transformers_video import TRANSFORMERS_VIDEO
from aqa_pipeline.backbones.entries.video_resnet import VIDEO_RESNET
from aqa_pipeline.backbones.entries.video_swin import VIDEO_SWIN
from aqa_pipeline.backbones.entries.videomae2 import VIDEOMAE2
from aqa_pipeline.backbones.motion import MOTION, motion_of
from aqa_pipeline.plugins import Registry
from aqa_pipeline.plugins.files import Origin

OURS = by_name(
    (
        *I3D,
        *C3D,
        *VIDEO_RESNET,
        *TORCHVISION_VIDEO,
        *PYTORCHVIDEO,
        *VIDEO_SWIN,
        *VIDEOMAE2,
        *TRANSFORMERS_VIDEO,
        *IMAGE,
        *EFFICIENTNET_LITE,
        *TRANSFORMERS_IMAGE,
    )
)
BACKBONES = Registry("backbone", OURS, of=Backbone, group="aqa.backbones")


def get_backbone(name: str) -> Backbone:
    """Return the backbone of that name; for `NAME-motion`, the `motion_of` the image backbone `NAME`.

    Raise `UnknownName`, `PluginError` for a broken plug-in, or `AqaError` for the motion of a clip backbone.
    """
    of_image = _of_image(name)
    return BACKBONES.find(name) if of_image is None else motion_of(BACKBONES.find(of_image))


def backbone_origin(name: str) -> Origin | None:
    """Return the plug-in that defines the backbone, or the one of `NAME-motion`; None for built-in ones."""
    return BACKBONES.origin(_of_image(name) or name)


def _of_image(name: str) -> str | None:
    """Return `NAME` for `NAME-motion`; None for another name, and for one that a plug-in defines itself."""
    return name.removesuffix(MOTION) if name.endswith(MOTION) and name not in BACKBONES else None
