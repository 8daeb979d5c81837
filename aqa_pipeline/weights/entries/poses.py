"""Pretrained files of pose networks: BlazePose and torchvision's Keypoint R-CNN."""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import Package, WeightsFile, torchvision_file

PACKAGE = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"


def _blazepose(name: str, member: str, note: str, sha256: str, size: int) -> WeightsFile:
    return WeightsFile(
        name=name,
        file_name=member.rpartition("/")[2],
        urls=(),
        identity=Identity("sha256", sha256),
        license="Apache-2.0",
        note=note,
        size=size,
        package=Package(PACKAGE, member, WHEEL_SHA256, tags=("3.11", "cp311", "manylinux_2_28_x86_64")),
    )


BLAZEPOSE = (
    _blazepose(
        "blazepose-detection",
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "BlazePose's person detector",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        2_959_046,
    ),
    _blazepose(
        "blazepose-full",
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "BlazePose full: 33 joints",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        6_440_512,
    ),
)

KEYPOINT_RCNN = (
    torchvision_file(
        "keypointrcnn_resnet50_fpn",
        "keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
        "torchvision pose network, 17 joints, COCO",
    ),
)
