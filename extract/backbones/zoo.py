"""The backbones by name: what each takes and gives, its weights and its preprocessing. Imports no torch."""

from aqa_pipeline.plugins import Registry
from extract.backbones.backbone import Backbone, by_name
from extract.backbones.families.c3d import C3D
from extract.backbones.families.i3d import I3D
from extract.backbones.families.image import IMAGE
from extract.backbones.families.pytorchvideo_zoo import PYTORCHVIDEO
from extract.backbones.families.torchvision_video import TORCHVISION_VIDEO
from extract.backbones.families.video_resnet import VIDEO_RESNET

OURS = by_name((*I3D, *C3D, *VIDEO_RESNET, *TORCHVISION_VIDEO, *PYTORCHVIDEO, *IMAGE))
BACKBONES = Registry("backbone", OURS, of=Backbone, group="aqa.backbones")


def get_backbone(name: str) -> Backbone:
    """The backbone of that name; raises `UnknownName`, `PluginError` for a broken plug-in."""
    return BACKBONES.find(name)
