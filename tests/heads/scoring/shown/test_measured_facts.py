"""A score page of a run on poses compares left and right; others measure nothing."""

from fractions import Fraction

import numpy as np

from aqa_pipeline.poses import COCO_17
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.video import Timeline
from heads.scoring.shown.measured_facts import measured_rows
from walkers import RATE, walking_joints

STEPS = 20
TIMELINE = Timeline(pts=np.arange(STEPS), time_base=Fraction(1, 10), end=STEPS)


def record(**extras: np.ndarray) -> Record:
    starts = np.arange(STEPS) / RATE
    facts = {"backbone": "toy", "rate_fps": RATE, "joints": COCO_17.name}
    return Record(
        dataset="d",
        video_id="v",
        spec=StreamSpec("poses", facts),
        features=np.zeros((STEPS, 2), np.float32),
        pts_seconds=np.stack([starts, starts + 1 / RATE], axis=1),
        source=Source("digest"),
        extras=extras,
    )


def test_sides_are_compared_over_the_whole_performance() -> None:
    poses = record(
        joints=walking_joints(STEPS, left_knee=np.full(STEPS, 90.0)), frame_index=np.arange(STEPS)[:, None]
    )
    rows = measured_rows({"crops": record(), "poses": poses}, TIMELINE)
    assert len(rows) == 4
    assert ("knee, left minus right", "-30.0") in [row[:2] for row in rows]
    assert {row[-1] for row in rows} == {"20 poses of 20 show both sides"}


def test_without_poses_nothing_is_measured() -> None:
    assert measured_rows({"crops": record()}, TIMELINE) == []
