"""Which weights an extraction lacks on this machine: each once, for networks, detectors and nothing else."""

from pathlib import Path

import pytest

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.weights import get_weights_file, weights_folder
from extract.choices.absent_weights import absent_weights

RESNET, I3D, YOLO = "resnet50-imagenet-v1", "i3d-kinetics-piergiaj", "yolov3u"
SIAMMASK = "siammask-davis"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


NEEDS = {
    "nothing": ([], "yolo", []),
    "a network of frames": ([("frames", "resnet50")], "yolo", [RESNET]),
    "a network of crops and its detector": ([("crops", "resnet50")], "yolo", [RESNET, YOLO]),
    "boxes that come with the data": ([("crops", "resnet50")], "annotations", [RESNET]),
    "two streams of one network": ([("frames", "resnet50"), ("crops", "resnet50")], "annotations", [RESNET]),
    "one stream of two networks": (
        [("frames", "resnet50"), ("frames", "resnet18")],
        "yolo",
        [RESNET, "resnet18-imagenet-v1"],
    ),
    "pictures in which nobody is followed": ([("pixels", "")], "yolo", []),
    "pictures and their tracker": ([("pixels", "siammask")], "annotations", [SIAMMASK]),
    "a detector from a file": ([("crops", "resnet50")], "yolo:mine.pt", [RESNET]),
}


@pytest.mark.parametrize(("streams", "detector", "names"), NEEDS.values(), ids=NEEDS)
def test_what_an_empty_machine_lacks(streams, detector, names):
    assert absent_weights(streams, detector=detector) == names


def test_what_is_here_is_not_lacking():
    weights_folder().mkdir(parents=True)
    (weights_folder() / get_weights_file(RESNET).file_name).touch()
    streams = [("frames", "resnet50"), ("segments", "i3d")]
    (lacking,) = absent_weights(streams, detector="annotations")
    assert lacking.startswith("i3d-")


@pytest.mark.parametrize(
    ("streams", "error", "message"),
    [
        ([("frame", "resnet50")], UnknownName, "unknown stream 'frame'. Did you mean 'frames'"),
        ([("frames", "resnet5")], UnknownName, "unknown backbone 'resnet5'"),
        ([("frames", "i3d")], AqaError, "stream frames needs a backbone that takes an image; i3d does not"),
        (
            [("segments", "resnet50")],
            AqaError,
            "stream segments needs a backbone that takes a clip; resnet50",
        ),
    ],
)
def test_what_no_stream_can_be_made_of_is_told(streams, error, message):
    with pytest.raises(error, match=message):
        absent_weights(streams, detector="yolo")
