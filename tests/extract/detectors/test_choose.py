"""Detectors are found by name; unknown names and missing weights are named."""

import subprocess
import sys

import pytest

from aqa_pipeline.errors import UnknownName, WeightsError
from extract.detectors import load_detector


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("yolov3", "unknown detector 'yolov3'. .*Known: annotations, blazepose, torchvision, yolo"),
        ("yolo:yolov99", "unknown YOLO model .* 'yolov99'.*yolov3u"),
        ("torchvision:resnet50", "unknown torchvision detector 'resnet50'.*ssdlite320_mobilenet_v3_large"),
        ("annotations:mine", "unknown detector 'annotations:mine'"),
        ("blazepose:heavy", "unknown detector 'blazepose:heavy'"),
    ],
)
def test_unknown_names_list_the_known(spec, message):
    with pytest.raises(UnknownName, match=message):
        load_detector(spec, device="cpu")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("yolo", "weights 'yolov3u' are not on this machine.*`aqa weights fetch yolov3u`"),
        ("yolo:yolo11n", "`aqa weights fetch yolo11n`"),
        ("torchvision", "`aqa weights fetch fasterrcnn_mobilenet_v3_large_320_fpn`"),
        (
            "blazepose",
            "weights 'blazepose-detection' are not on this machine.*`aqa weights fetch blazepose-detection`",
        ),
        ("yolo:/no/such/model.pt", "no YOLO model at /no/such/model.pt"),
    ],
)
def test_missing_weights_are_named(spec, message):
    with pytest.raises(WeightsError, match=message):
        load_detector(spec, device="cpu")


def test_the_names_need_neither_torch_nor_ultralytics():
    code = "import extract.detectors, sys; sys.exit(bool({'torch', 'ultralytics'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
