"""Somebody pointed at the athlete in one frame: that person is followed, by crops and by trackers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.athlete.boxes import write_boxes
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors.athlete import AthleteRule
from extract.detectors.pointed import pointed_at
from extract.trackers import Follower, Rules

FOOTAGE = Footage(640, 360, num_frames=200, start_frame=100, stop_frame=150, fps=10.0)
FRAME = np.zeros((360, 640, 3), np.uint8)
POINTED = AthleteRule("followed", "pointed")
SMALL, LARGE = (100.0, 100.0, 140.0, 200.0), (300.0, 50.0, 450.0, 330.0)


def seen(*boxes: tuple[float, ...]) -> np.ndarray:
    return np.array([(*box, 0.9) for box in boxes], np.float32).reshape(-1, 5)


@pytest.fixture
def point(tmp_path: Path) -> Callable[..., Video]:
    """Return a function that makes a video with these boxes, by frame of the file."""

    def make(**boxes: list[tuple[float, ...]]) -> Video:
        write_boxes(tmp_path / "v.csv", {int(frame[1:]): rows for frame, rows in boxes.items()})
        return Video("v", tmp_path / "v.mp4", start_frame=100, stop_frame=150, boxes=tmp_path / "v.csv")

    return make


def test_the_small_person_is_followed_if_somebody_pointed_at_them(point: Callable[..., Video]) -> None:
    for video, first in ((point(f100=[SMALL]), SMALL), (Video("v", Path("v.mp4")), LARGE)):
        picker = POINTED.picker(video, FOOTAGE)
        for frame in (0, 2, 4):
            person = picker.pick(frame, FRAME, seen(LARGE, SMALL))
            assert person is not None
            assert tuple(person[:4]) == first


def test_nobody_is_the_athlete_before_the_frame_in_which_somebody_pointed(
    point: Callable[..., Video],
) -> None:
    picker = POINTED.picker(point(f110=[SMALL]), FOOTAGE)
    picked = [picker.pick(frame, FRAME, seen(LARGE, SMALL)) for frame in (0, 5, 9, 10, 12)]
    assert [None if each is None else tuple(each[:4]) for each in picked] == [None, None, None, SMALL, SMALL]


def test_after_a_gap_the_largest_person_is_taken_and_that_is_told(point: Callable[..., Video]) -> None:
    picker = POINTED.picker(point(f100=[SMALL]), FOOTAGE)
    assert picker.pick(0, FRAME, seen(LARGE)) is None
    person = picker.pick(30, FRAME, seen(LARGE))
    assert person is not None
    assert tuple(person[:4]) == LARGE
    assert "the largest person was taken" in picker.events[0].detail


def test_boxes_of_several_frames_or_persons_point_at_nobody(point: Callable[..., Video]) -> None:
    assert pointed_at(point(f100=[SMALL, LARGE]), FOOTAGE) is None
    assert pointed_at(point(f100=[SMALL], f101=[SMALL]), FOOTAGE) is None
    assert pointed_at(Video("v", Path("v.mp4"), boxes=Path("none.csv")), FOOTAGE) is None


def test_a_box_of_another_video_is_refused(point: Callable[..., Video]) -> None:
    with pytest.raises(DatasetError, match="no row is in the performance"):
        POINTED.picker(point(f20=[SMALL]), FOOTAGE)
    with pytest.raises(DatasetError, match="beyond the picture"):
        POINTED.picker(point(f100=[(700.0, 1.0, 800.0, 90.0)]), FOOTAGE)


def test_a_named_box_comes_before_the_one_in_the_file(point: Callable[..., Video]) -> None:
    picker = AthleteRule("followed", "pointed", LARGE).picker(point(f100=[SMALL]), FOOTAGE)
    person = picker.pick(0, FRAME, seen(SMALL, LARGE))
    assert person is not None
    assert tuple(person[:4]) == LARGE


class Still:
    """A tracker, and its track, that stays where it starts."""

    name, identity, doubt_below = "still", "still", 0.5

    def __init__(self) -> None:
        self.started: list[list[float]] = []

    def start(self, frame, box):
        from extract.trackers.corners import box_quad
        from extract.trackers.tracker import Tracked

        self.started.append(np.asarray(box).tolist())
        track = type("Track", (), {"update": lambda self, frame: Tracked(box_quad(np.asarray(box)), 0.9)})
        return track()


@pytest.mark.parametrize(("pointed", "first_frame", "began"), [(100, 0, 0), (110, 0, 10), (110, 12, 12)])
def test_a_track_begins_in_the_frame_of_the_box(
    point: Callable[..., Video], pointed: int, first_frame: int, began: int
) -> None:
    tracker, at = Still(), pointed_at(point(**{f"f{pointed}": [SMALL]}), FOOTAGE)
    detect = lambda frames, index: [seen(LARGE, SMALL) for _ in frames]  # noqa: E731
    follower = Follower(tracker, detect, Rules(start="pointed"), fps=10.0, pointed=at)  # type: ignore[arg-type]
    for frame in range(first_frame, 20):
        follower.step(frame, FRAME)
    assert follower.events[0].frame_index == began
    assert tracker.started[0][:4] == list(SMALL)
