"""Pretrained files of person detectors: torchvision and ultralytics, COCO."""

from aqa_pipeline.weights.identity import Identity
from aqa_pipeline.weights.weights_file import WeightsFile, torchvision_file

TORCHVISION_DETECTORS = tuple(
    torchvision_file(name, file_name, "torchvision person detector, COCO")
    for name, file_name in {
        "fasterrcnn_mobilenet_v3_large_320_fpn": "fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth",
        "fasterrcnn_resnet50_fpn_v2": "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
        "retinanet_resnet50_fpn_v2": "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth",
        "fcos_resnet50_fpn": "fcos_resnet50_fpn_coco-99b0c9b7.pth",
        "ssdlite320_mobilenet_v3_large": "ssdlite320_mobilenet_v3_large_coco-a79551df.pth",
    }.items()
)


def _ultralytics(name: str, sha256: str | None, size: int | None, *mirrors: str) -> WeightsFile:
    # A file of the same name in another release of ultralytics may hold other bytes: only the file with the
    # published digest is accepted.
    release = f"https://github.com/ultralytics/assets/releases/download/v8.4.0/{name}.pt"
    return WeightsFile(
        name=name,
        file_name=f"{name}.pt",
        urls=(*mirrors, release),
        identity=Identity("sha256", sha256) if sha256 else None,
        license="AGPL-3.0 (code and weights)",
        note="ultralytics person detector, COCO",
        size=size,
    )


def _yolo11(name: str, sha256: str, size: int | None) -> WeightsFile:
    return _ultralytics(
        name, sha256, size, f"https://huggingface.co/Ultralytics/YOLO11/resolve/main/{name}.pt"
    )


YOLO = (
    _ultralytics("yolov3u", None, None),
    _ultralytics(
        "yolov8n",
        "31e20dde3def09e2cf938c7be6fe23d9150bbbe503982af13345706515f2ef95",
        6_534_387,
        "https://huggingface.co/Ultralytics/YOLOv8/resolve/main/yolov8n.pt",
    ),
    _yolo11("yolo11n", "0ebbc80d4a7680d14987a577cd21342b65ecfd94632bd9a8da63ae6417644ee1", None),
    _yolo11("yolo11s", "85a76fe86dd8afe384648546b56a7a78580c7cb7b404fc595f97969322d502d5", 19_313_732),
    _yolo11("yolo11m", "d5ffc1a674953a08e11a8d21e022781b1b23a19b730afc309290bd9fb5305b95", 40_684_120),
    _yolo11("yolo11l", "9ebd0e09d59811db4b1d61e2bc6730649608b1ac47f8dd01e2da6bca7c20023f", 51_387_343),
)
