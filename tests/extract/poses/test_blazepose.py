"""BlazePose's landmarks: mapped back to the frame, refined by heat maps, and real ones on real frames."""

import math

import av
import numpy as np
import pytest

from aqa_pipeline.errors import UnknownName, WeightsError
from aqa_pipeline.poses import BLAZEPOSE_33
from extract.detectors.blazepose.detector import BlazePosePersons
from extract.detectors.blazepose.region import region_of_person
from extract.poses import load_pose_network
from extract.poses.blazepose import BlazePose, refine, sigmoid

FRAME = np.zeros((200, 300, 3), np.uint8)
BOX = np.array([100.0, 40.0, 160.0, 180.0])


class Landmarks:
    """A network whose point i is at (10 + 5 i, 20 + 2 i, i) of 256, with the visibility's logit i - 16."""

    def __init__(self, presence=0.9):
        place = np.arange(39)
        values = np.stack([10 + 5 * place, 20 + 2 * place, place, place - 16, 0 * place], axis=1)
        self.outputs = [
            values.reshape(1, 195).astype(np.float32),
            np.array([[presence]], np.float32),
            np.zeros((1, 256, 256, 1), np.float32),
            np.full((1, 64, 64, 39), -9, np.float32),
            np.zeros((1, 117), np.float32),
        ]
        self.pictures = []

    def __call__(self, pictures):
        self.pictures.append(pictures)
        return self.outputs


class Detector(BlazePosePersons):
    """A detector that finds one body, wherever it looks."""

    def __init__(self, *bodies):
        super().__init__("d" * 64, 0.5, lambda pictures: [])
        object.__setattr__(self, "bodies", np.reshape(bodies, (-1, 4, 2)))

    def find(self, frame, region):
        return self.bodies, np.ones(len(self.bodies))


def a_body(hips=(130.0, 110.0), scale_point=(130.0, 40.0), shoulders=(130.0, 80.0)):
    return np.array([hips, scale_point, shoulders, scale_point])


def test_joints_return_from_the_region_to_the_frame():
    network = BlazePose("f" * 64, Landmarks(), Detector(a_body(scale_point=(200.0, 110.0))))
    joints = network.estimate(FRAME, BOX)
    region = region_of_person(np.array([130.0, 110.0]), np.array([200.0, 110.0]), scale=1.25)
    place = np.arange(33)
    expected = region.to_frame(np.stack([10 + 5 * place, 20 + 2 * place], axis=1) / 256)
    np.testing.assert_allclose(joints[:, :2], expected, rtol=1e-6)
    np.testing.assert_allclose(joints[:, 2], place / 256 * 2 * 1.25 * 70, rtol=1e-6)  # pixels, as x and y
    np.testing.assert_allclose(joints[:, 3], [1 / (1 + math.exp(16 - i)) for i in range(33)], rtol=1e-6)


def test_pictures_are_from_zero_to_one():
    landmarks = Landmarks()
    BlazePose("f" * 64, landmarks, Detector(a_body())).estimate(np.full_like(FRAME, 255), BOX)
    (picture,) = landmarks.pictures
    assert (picture.shape, picture.dtype, picture.max()) == ((1, 256, 256, 3), np.float32, 1.0)


@pytest.mark.parametrize(
    ("bodies", "sides"),
    [
        ([a_body()], [175.0, 175.0]),  # 2 * 1.25 * 70 around the body, 1.25 * 140 around the box
        ([a_body(shoulders=(20.0, 80.0))], [175.0]),
        ([], [175.0]),
        ([a_body(scale_point=(130.0, 90.0))], [50.0, 175.0]),
    ],
    ids=["body in the box", "somebody else", "nobody", "small body"],
)
def test_without_a_body_in_the_box_the_box_is_looked_at(bodies, sides):
    regions = list(BlazePose("f" * 64, Landmarks(), Detector(*bodies)).regions(FRAME, BOX))
    assert [region.side for region in regions] == pytest.approx(sides)
    np.testing.assert_array_equal(regions[-1].center, [130, 110])


def test_without_a_pose_there_are_no_joints():
    landmarks = Landmarks(presence=0.4)
    assert BlazePose("f" * 64, landmarks, Detector(a_body())).estimate(FRAME, BOX) is None
    assert len(landmarks.pictures) == 2  # around the body, then around the box


def refined_by_loops(points, heat_maps):
    """Return RefineLandmarksFromHeatmapCalculator's points, number by number."""
    rows, columns, _ = heat_maps.shape
    out = []
    for joint, (x, y) in enumerate(points):
        column, row, total, best, sum_x, sum_y = int(x * columns), int(y * rows), 0.0, 0.0, 0.0, 0.0
        if not (0 <= column < columns and 0 <= row < rows):
            out.append((x, y))
            continue
        for r in range(max(0, row - 3), min(rows, row + 4)):
            for c in range(max(0, column - 3), min(columns, column + 4)):
                confidence = 1 / (1 + math.exp(-heat_maps[r, c, joint]))
                total, best = total + confidence, max(best, confidence)
                sum_x, sum_y = sum_x + c * confidence, sum_y + r * confidence
        out.append((sum_x / columns / total, sum_y / rows / total) if best >= 0.5 else (x, y))
    return np.array(out)


def test_heat_maps_move_joints_as_in_mediapipe():
    rng = np.random.default_rng(0)
    points, heat_maps = rng.uniform(-0.1, 1.1, (33, 2)), rng.normal(-3, 2, (64, 64, 33)).astype(np.float32)
    heat_maps[:, :, 5] = -9  # sure of nothing
    found = refine(points, heat_maps)
    np.testing.assert_allclose(found, refined_by_loops(points, heat_maps), rtol=1e-9)
    np.testing.assert_array_equal(found[5], points[5])
    assert np.abs(found - points).max() > 0.01


@pytest.mark.filterwarnings("error")
def test_extreme_logits_have_probabilities():
    np.testing.assert_allclose(sigmoid(np.array([-1e9, 0, 1e9])), [0, 0.5, 1], atol=1e-12)


def test_the_facts_name_both_networks():
    facts = BlazePose("f" * 64, Landmarks(), Detector()).facts
    assert (facts["backbone"], facts["weights"]) == ("blazepose-full", f"sha256:{'f' * 64}")
    assert facts["region"] == f"blazepose sha256:{'d' * 64} confidence>=0.5"


def test_names_and_weights_are_checked(tmp_path):
    with pytest.raises(UnknownName, match=r"unknown pose network 'openpose'.*keypointrcnn_resnet50_fpn"):
        load_pose_network("openpose", weights="official", device="cpu")
    with pytest.raises(WeightsError, match="random weights finds no joints: leave out --weights random:0"):
        load_pose_network("blazepose-full", weights="random:0", device="cpu")
    with pytest.raises(WeightsError, match="no checkpoint at"):
        load_pose_network("blazepose-full", weights=str(tmp_path / "a.tflite"), device="cpu")


def test_real_joints_lie_on_the_athlete_of_a_real_clip(own_weights, shared):
    pytest.importorskip("openvino", reason="the extra [openvino] is not installed")
    own_weights("blazepose-full", "blazepose-detection")
    with av.open(shared / "clips" / "football_juggling.mp4") as container:
        frame = next(container.decode(video=0)).to_ndarray(format="rgb24")
    box = np.array([590.0, 70.0, 860.0, 700.0])
    network = load_pose_network("blazepose-full", weights="official", device="cpu")
    joints = network.estimate(frame, box)
    assert ((joints[:, :2] > box[:2]) & (joints[:, :2] < box[2:])).all()
    by_name = dict(zip(BLAZEPOSE_33.joints, joints, strict=True))
    heights = [by_name[f"left_{part}"][1] for part in ("eye", "shoulder", "hip", "knee", "ankle")]
    assert heights == sorted(heights)
    assert by_name["left_shoulder"][0] > by_name["right_shoulder"][0]  # he faces the camera
    assert joints[:, 3].mean() > 0.8


def test_another_network_is_refused(own_weights):
    pytest.importorskip("openvino", reason="the extra [openvino] is not installed")
    own_weights("blazepose-full", "blazepose-detection")
    from aqa_pipeline.weights import find_weights

    with pytest.raises(
        WeightsError, match="is no landmark network of BlazePose: expected a picture of 256x256"
    ):
        load_pose_network("blazepose-full", weights=str(find_weights("blazepose-detection")), device="cpu")
