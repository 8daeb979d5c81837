"""The detector places persons in the frame, and the real network finds the athlete of real clips."""

import sys

import av
import numpy as np
import pytest

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors import largest_person, load_detector
from extract.detectors.blazepose.anchors import anchor_centers
from extract.detectors.blazepose.detector import BlazePosePersons
from extract.detectors.continuity import overlap

FOOTAGE = Footage(200, 100, 30, 10, 13, 25.0)


class Network:
    """A network that sees one person: hips at the anchor, the scale point `above` pixels of 224 over them."""

    def __init__(self, anchor=800, *, above=56.0, logit=2.0):
        self.values, self.logits = np.zeros((1, 2254, 12), np.float32), np.full((1, 2254, 1), -9, np.float32)
        self.logits[0, anchor], self.values[0, anchor, 7] = logit, -above
        self.values[0, :, 2:4] = 10
        self.pictures = []

    def __call__(self, pictures):
        self.pictures.append(pictures)
        return [self.values, self.logits]


def detected(network, frame, *, confidence=0.5):
    detector = BlazePosePersons("f" * 64, confidence, network)
    (persons,) = detector.for_video(Video("a", "a.mp4"), FOOTAGE)([frame], [0])
    return persons


def test_the_box_is_in_pixels_of_the_frame_and_inside_it():
    frame = np.zeros((100, 200, 3), np.uint8)
    (person,) = detected(Network(), frame)
    x, y = anchor_centers()[800] * 200 - [0, 50]  # the square of side 200 begins 50 above the frame
    expected = np.clip([x - 0.41 * 50, y - 50, x + 0.41 * 50, y + 50], 0, [200, 100, 200, 100])
    np.testing.assert_allclose(person[:4], expected, rtol=1e-5)
    assert person[4] == pytest.approx(1 / (1 + np.exp(-2)))
    assert person.dtype == np.float32


def test_the_network_gets_the_padded_frame_from_minus_one_to_one():
    network = Network()
    detected(network, np.full((100, 200, 3), 255, np.uint8))
    (picture,) = network.pictures
    assert (picture.shape, picture.dtype) == ((1, 224, 224, 3), np.float32)
    assert (picture[0, 60:164, 1:-1] == 1).all()
    assert (picture[0, :54] == -1).all()
    assert (picture[0, 170:] == -1).all()


def test_persons_below_the_confidence_or_beside_the_frame_are_left_out():
    frame = np.zeros((100, 200, 3), np.uint8)
    assert detected(Network(logit=0.0), frame, confidence=0.6).shape == (0, 5)
    # Anchor 0 lies in the padding above the frame; a small person there has no pixel.
    assert detected(Network(0, above=8.0), frame).shape == (0, 5)


def test_the_identity_names_the_weights_and_the_threshold():
    detector = BlazePosePersons("f" * 64, 0.5, Network())
    assert detector.identity == f"blazepose sha256:{'f' * 64} confidence>=0.5"


def test_without_openvino_the_error_names_the_extra(monkeypatch, tmp_path):
    from extract.runtimes.openvino.tflite import load_tflite

    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        WeightsError, match=r"the detector blazepose runs in OpenVINO: OpenVINO is not inst.*pip"
    ):
        load_tflite(tmp_path / "a.tflite", needed_by="the detector blazepose")


def test_a_file_that_is_no_network_is_refused(tmp_path):
    pytest.importorskip("openvino", reason="the extra [openvino] is not installed")
    from extract.runtimes.openvino.tflite import load_tflite

    (tmp_path / "a.tflite").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"OpenVINO cannot read .*a\.tflite"):
        load_tflite(tmp_path / "a.tflite", needed_by="the detector blazepose")


@pytest.mark.parametrize(("clip", "at_least"), [("weightlifting", 1.0), ("football_juggling", 1.0)])
def test_the_real_network_finds_the_athlete(own_weights, shared, clip, at_least):
    pytest.importorskip("openvino", reason="the extra [openvino] is not installed")
    own_weights("blazepose-detection")
    with av.open(shared / "clips" / f"{clip}.mp4") as container:
        frames = [each.to_ndarray(format="rgb24") for each in container.decode(video=0)][::40]
    detect = load_detector("blazepose", device="cpu").for_video(Video("a", "a.mp4"), FOOTAGE)
    found = detect(frames, range(len(frames)))
    assert np.mean([len(persons) > 0 for persons in found]) >= at_least
    height, width = frames[0].shape[:2]
    middle = np.array([width * 0.2, height * 0.05, width * 0.8, height])
    assert all(overlap(largest_person(persons), middle) > 0.05 for persons in found)
