"""The stream `poses`: features of joints that a stand-in network reads off the frames."""

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage
from aqa_pipeline.poses import COCO_17, pose_features
from aqa_pipeline.records import Video
from aqa_pipeline.spec_facts import typed_facts
from extract.choices.networks import network_name
from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams, official_weights
from extract.clock import Clock
from extract.detectors import AthleteRule
from extract.streams import get_stream_kind
from extract.streams.poses import Poses

FOOTAGE = Footage(60, 40, 100, 0, 100, 25.0)
REST = np.random.default_rng(0).normal(0, 5, (17, 2)) + np.array([30, 20])


class Detector:
    """Finds one person unless the frame is black."""

    name = identity = "stand-in"

    def for_video(self, video, footage):
        def detect(frames, frame_index):
            return [np.array([[10, 5, 50, 35, 0.9]] * bool(frame.any()), np.float32) for frame in frames]

        return detect


class Network:
    """Moves all joints by the frame's first pixel; sees no pose where that is 99."""

    joint_set, facts = COCO_17, {"backbone": "stand-in", "weights": "sha256:0"}

    def estimate(self, frame, box):
        shift = int(frame[0, 0, 0])
        assert box.tolist() == [10, 5, 50, 35]
        return None if shift == 99 else joints_at(shift)


def joints_at(shift):
    return np.column_stack([REST * (1 + shift / 10), np.zeros(17), np.full(17, 0.5)])


def encoded(values, frame_index, *, batch_size):
    """Return the encoded batches of frames with these values."""
    stream = Poses(5.0, Network(), Detector(), AthleteRule(), batch_size, "float32")
    encoder = stream.encoder(Video("a", "a.mp4"), FOOTAGE, Clock())
    frames = [np.full((40, 60, 3), value, np.uint8) for value in values]
    batches = [
        encoder(frames[at : at + batch_size], np.array(frame_index[at : at + batch_size])[:, None])
        for at in range(0, len(frames), batch_size)
    ]
    return stream, batches


@pytest.mark.parametrize("batch_size", [1, 2, 6])
def test_speeds_do_not_depend_on_the_batches(batch_size):
    index = [0, 5, 10, 15, 20, 25]
    _, batches = encoded([1, 2, 0, 4, 99, 3], index, batch_size=batch_size)
    features = np.concatenate([batch.features for batch in batches])
    kept = np.concatenate([batch.kept for batch in batches])
    assert kept.tolist() == [True, True, False, True, False, True]
    joints = np.stack([joints_at(shift) for shift in (1, 2, 4, 3)])
    expected = pose_features(joints, np.array([0, 5, 15, 25]) / 25, COCO_17)
    np.testing.assert_allclose(features, expected, rtol=1e-6)
    stored = np.concatenate([batch.extras["joints"] for batch in batches])
    np.testing.assert_allclose(stored, joints, rtol=1e-6)
    assert np.concatenate([batch.extras["frame_index"] for batch in batches]).ravel().tolist() == [
        0,
        5,
        15,
        25,
    ]
    assert np.concatenate([batch.extras["boxes"] for batch in batches]).shape == (4, 5)


def test_the_spec_says_what_the_coordinates_are():
    stream, _ = encoded([1], [0], batch_size=1)
    facts = typed_facts(stream.spec)
    assert (facts.rate_fps, facts.joints, facts.pose_features) == (5.0, "coco-17", 1)
    assert "pixels of the frame" in facts.coordinates
    assert stream.feature_size == 69


def test_the_usual_pose_network_is_blazepose_and_another_can_be_named():
    poses, crops = get_stream_kind("poses"), get_stream_kind("crops")
    named = StreamOptions(networks=NetworkOptions(backbones={"poses": "keypointrcnn_resnet50_fpn"}))
    common = StreamOptions(networks=NetworkOptions(backbones={"": "keypointrcnn_resnet50_fpn"}))
    resnet = StreamOptions(networks=NetworkOptions(backbones={"": "resnet18"}))
    assert network_name(poses, StreamOptions()) == network_name(poses, resnet) == "blazepose-full"
    assert network_name(poses, named) == network_name(poses, common) == "keypointrcnn_resnet50_fpn"
    assert network_name(crops, common) == "resnet50"


def test_all_weights_of_poses_are_named():
    options = StreamOptions(athlete=AthleteOptions(detector="blazepose"))
    assert set(official_weights(["poses"], options)) == {"blazepose-full", "blazepose-detection"}
    own = options.changed(networks=NetworkOptions(weights={"poses": "mine.tflite"}))
    assert set(official_weights(["poses"], own)) == {"blazepose-detection"}


def test_a_backbone_is_no_pose_network_and_poses_have_one_precision(own_weights):
    chosen = NetworkOptions(backbones={"poses": "resnet18"})
    with pytest.raises(AqaError, match="unknown pose network 'resnet18'"):
        build_streams(["poses"], StreamOptions(networks=chosen))
    own_weights("blazepose-full", "blazepose-detection")
    half = StreamOptions(
        networks=NetworkOptions(precision="bf16"), athlete=AthleteOptions(detector="blazepose")
    )
    with pytest.raises(AqaError, match="stream poses is computed in fp32, not bf16"):
        build_streams(["poses"], half)


def test_specs_rebuild_the_stream(own_weights):
    pytest.importorskip("openvino", reason="the extra [openvino] is not installed")
    own_weights("blazepose-full", "blazepose-detection")
    from extract.choices.from_run import rebuild_streams

    options = StreamOptions(
        inputs=InputOptions(pose_rate=8.0), athlete=AthleteOptions(detector="blazepose", person="followed")
    )
    (stream,) = build_streams(["poses"], options)
    (again,) = rebuild_streams([stream.spec], StreamOptions())
    assert again.spec == stream.spec
    assert again.spec.facts["rate_fps"] == 8.0
