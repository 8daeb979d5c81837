"""The registry of all backbones by name. Importing this imports no torch."""

from aqa_pipeline.backbones.backbone import Backbone, by_name
from aqa_pipeline.backbones.entries.c3d import C3D
from aqa_pipeline.backbones.entries.i3d import I3D
from aqa_pipeline.backbones.entries.pytorchvideo import PYTORCHVIDEO
from aqa_pipeline.backbones.entries.torchvision_image import IMAGE
from aqa_pipeline.backbones.entries.torchvision_video import TORCHVISION_VIDEO
from aqa_pipeline.backbones.entries.video_resnet import VIDEO_RESNET
from aqa_pipeline.plugins import Registry

OURS = by_name((*I3D, *C3D, *VIDEO_RESNET, *TORCHVISION_VIDEO, *PYTORCHVIDEO, *IMAGE))
BACKBONES = Registry("backbone", OURS, of=Backbone, group="aqa.backbones")


def get_backbone(name: str) -> Backbone:
    """Return the backbone of that name. Raise `UnknownName`, or `PluginError` for a broken plug-in."""
    return BACKBONES.find(name)
