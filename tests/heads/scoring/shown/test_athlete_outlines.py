"""Where the athlete was, from boxes and from tubes."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from aqa_pipeline.poses import COCO_17
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.video import Timeline
from heads.scoring.shown.athlete_outlines import athlete_outlines

OPENED = SimpleNamespace(
    width=200, height=100, timeline=Timeline(pts=np.arange(30), time_base=Fraction(1, 10), end=30)
)
SQUARE = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.6), (0.1, 0.6))


def record(steps: int, seconds: float, **extras: np.ndarray) -> Record:
    starts = seconds * np.arange(steps)
    spec = StreamSpec("any", {"backbone": "toy"})
    pts_seconds = np.stack([starts, starts + seconds], axis=1)
    return Record(
        "d", "v", spec, np.zeros((steps, 3), np.float32), pts_seconds, Source("digest"), extras=extras
    )


def test_a_box_holds_as_long_as_its_crop() -> None:
    boxes = np.array([[20, 20, 60, 60, 0.9], [40, 20, 80, 60, 0.8]], np.float32)
    first, second = athlete_outlines({"crops": record(2, 1.0, boxes=boxes)}, OPENED)
    assert (first.start, first.stop, second.start) == (0, 1, 1)
    assert np.allclose(first.corners, SQUARE)


def test_a_box_holds_for_the_frame_that_it_was_found_in() -> None:
    """Three crops in a second of four slow frames: the third crop's middle, 0.83 s, shows frame 3."""
    slow = SimpleNamespace(
        width=200, height=100, timeline=Timeline(pts=np.arange(4), time_base=Fraction(1, 4), end=4)
    )
    boxes = np.array([[10 * step, 0, 10 * step + 10, 10, 0.9] for step in range(3)], np.float32)
    crops = record(3, 1 / 3, boxes=boxes, frame_index=np.array([[0], [2], [3]]))
    outlines = athlete_outlines({"crops": crops}, slow)
    assert [each.at for each in outlines] == [0, 0.5, 0.75], "when the frame begins in which it was found"
    found = [(each.start, each.stop, each.corners[0][0]) for each in outlines]
    # Frame 1 begins at 0.25 s, within the first crop's third of a second.
    assert np.allclose(found, [(0, 0.5, 0), (0.5, 0.75, 0.05), (0.75, 1, 0.1)])


def test_a_box_of_a_frame_that_begins_before_its_crop() -> None:
    """Frame 1 is on from 0.6 s to 1.2 s and is seen in the middle of the second crop, at 1.0 s."""
    slow = SimpleNamespace(
        width=200, height=100, timeline=Timeline(pts=np.arange(3) * 6, time_base=Fraction(1, 10), end=20)
    )
    boxes = np.array([[0, 0, 10, 10, 0.9], [20, 0, 30, 10, 0.9]], np.float32)
    first, second = athlete_outlines({"crops": record(2, 2 / 3, boxes=boxes)}, slow)
    assert (first.start, first.stop, second.start, second.stop) == pytest.approx((0, 0.6, 0.6, 2.0))


def test_a_quad_holds_until_the_next_frame_and_the_lost_athlete_has_none() -> None:
    quad = np.array(SQUARE, np.float32) * [200, 100]
    quads = np.stack([quad, np.full((4, 2), np.nan), quad, quad]).reshape(2, 1, 2, 4, 2).astype(np.float32)
    tube = record(2, 1.0, frame_quads=quads, frame_index=np.array([[0, 2], [4, 20]]))
    first, second, third = athlete_outlines({"crops": record(0, 1.0), "tubes": tube}, OPENED)
    assert (first.start, first.stop) == pytest.approx((0.0, 0.2))
    assert (second.start, second.stop) == pytest.approx((0.4, 0.9))  # half a second, not until frame 20
    assert (third.start, third.stop) == pytest.approx((2.0, 2.5))
    assert np.allclose(first.corners, SQUARE)


def test_streams_of_whole_frames_have_no_outline() -> None:
    assert athlete_outlines({"frames": record(2, 1.0)}, OPENED) == []


def test_poses_bring_their_bones_and_go_before_crops() -> None:
    boxes = np.array([[20, 20, 60, 60, 0.9]], np.float32)
    joints = np.zeros((1, 17, 4), np.float32)
    for joint, place in {"left_hip": (20, 50), "left_knee": (30, 60), "left_ankle": (40, 100)}.items():
        joints[0, COCO_17.joints.index(joint)] = (*place, 0, 0.9)
    joints[0, COCO_17.joints.index("left_ankle"), 3] = 0.4  # hidden
    poses = record(1, 1.0, boxes=boxes, joints=joints)
    poses = replace(poses, spec=StreamSpec("poses", {"joints": "coco-17"}))
    (found,) = athlete_outlines({"crops": record(1, 1.0, boxes=boxes + 1), "poses": poses}, OPENED)
    assert np.allclose(found.corners, SQUARE)
    assert np.allclose(found.bones, [(0.1, 0.5, 0.15, 0.6)])
    assert found.angles == (), "the ankle is hidden"
    joints[0, COCO_17.joints.index("left_ankle"), 3] = 0.9
    (whole,) = athlete_outlines({"poses": replace(poses, extras={"boxes": boxes, "joints": joints})}, OPENED)
    assert whole.angles == (("left knee", 149),)
    (of_crops,) = athlete_outlines({"crops": record(1, 1.0, boxes=boxes)}, OPENED)
    assert of_crops.bones == ()
