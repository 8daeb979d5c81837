"""What keeps a tracker from starting is told before any video is read: names, settings, files, libraries."""

from pathlib import Path

import cv2
import pytest

from aqa_pipeline.errors import UnknownName, WeightsError
from extract.trackers.choose import load_tracker, official_weights


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))


NAMES = {
    "an unknown tracker": (
        "nanno",
        "unknown tracker 'nanno'. Did you mean 'nano'.*Known: nano, siammask, vit",
    ),
    "an unknown setting": ("siammask:davids", "unknown setting of siammask 'davids'. Did you mean 'davis'"),
    "quads from disk": ("annotations", "unknown tracker 'annotations'"),
}


@pytest.mark.parametrize(("name", "message"), NAMES.values(), ids=NAMES)
def test_an_unknown_name_lists_the_known_ones(name, message):
    with pytest.raises(UnknownName, match=message):
        load_tracker(name, device="cpu")


@pytest.mark.parametrize(("name", "needed"), [("nano", "TrackerNano_create"), ("vit", "TrackerVit_create")])
def test_an_opencv_that_is_too_old_says_which_one_is_needed(monkeypatch, name, needed):
    monkeypatch.delattr(cv2, needed)
    with pytest.raises(WeightsError, match=rf"has no {needed}: install opencv-python 4\.\d+ or later"):
        load_tracker(name, device="cpu")


FILES = {
    "an absent folder of NanoTrack": (
        "nano",
        "absent",
        "no weights of the tracker nano at .*: give a folder with",
    ),
    "an empty folder of NanoTrack": (
        "nano",
        ".",
        "no weights of the tracker nano at .*it has no random weights",
    ),
    "an absent file of VitTrack": ("vit", "absent.onnx", "at .*absent.onnx: give the path of its ONNX file"),
    "a folder for VitTrack": ("vit", ".", "no weights of the tracker vit at "),
    "an absent file of SiamMask": ("siammask", "absent.pth", "absent.pth"),
    "a text file for SiamMask": ("siammask", "text.onnx", "text.onnx is damaged or not a checkpoint"),
}


@pytest.mark.parametrize(("name", "weights", "message"), FILES.values(), ids=FILES)
def test_files_that_are_no_weights_are_named(tmp_path, name, weights, message):
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(WeightsError, match=message):
        load_tracker(name, device="cpu", weights=str(tmp_path / weights))


@pytest.mark.parametrize("name", ["nano", "vit", "siammask", "siammask:vot"])
def test_absent_official_weights_name_the_command_and_are_those_that_are_asked_for(name):
    with pytest.raises(WeightsError, match="aqa weights fetch") as error:
        load_tracker(name, device="cpu")
    assert any(needed in str(error.value) for needed in official_weights(name))


def test_trackers_without_a_network_need_no_weights():
    assert official_weights("annotations:quads.json") == ()
