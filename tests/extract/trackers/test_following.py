"""Start, loss and restart of a track, with a tracker and a detector of scripted answers."""

import logging
from dataclasses import dataclass, field

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors.first_person import central_person
from extract.trackers import FollowedPersons, Follower, Rules, load_tube_source, step_many
from extract.trackers.corners import box_quad
from extract.trackers.tracker import Tracked, check_start, update_each

FOOTAGE = Footage(60, 40, 9, 0, 9, 25.0)
NEAR = [8, 8, 28, 28, 0.7]
SMALL, LARGE = [10, 10, 20, 20, 0.9], [0, 0, 30, 30, 0.6]


@dataclass
class ScriptedTrack:
    box: np.ndarray
    scores: list[float]

    def update(self, frame):
        score = self.scores.pop(0) if len(self.scores) > 1 else self.scores[0]
        return Tracked(box_quad(self.box + frame[0, 0, 0]), score)


@dataclass
class ScriptedTracker:
    """A tracker whose n-th track has the n-th list of scores; its box moves by the frame's number."""

    scripts: list[list[float]]
    name: str = "scripted"
    identity: str = "scripted v1"
    doubt_below: float = 0.5
    started: list[list[float]] = field(default_factory=list)

    def start(self, frame, box):
        self.started.append(check_start(frame, box).tolist())
        return ScriptedTrack(np.asarray(box, np.float64), list(self.scripts.pop(0)))

    def update_many(self, tracks, frames):
        return update_each(tracks, frames)


def frames(count):
    return [(index, np.full((40, 60, 3), index, np.uint8)) for index in range(count)]


def persons(by_frame):
    """Return a detector that finds `by_frame[index]`, and lists the frames that it got in `asked`."""

    def detect(pictures, indices):
        detect.asked += list(indices)
        return [np.array(by_frame.get(index, []), np.float32).reshape(-1, 5) for index in indices]

    detect.asked = []
    return detect


def told(tube):
    return [(event.frame_index, event.kind) for event in tube.events]


def moving(first, number):
    """Return a scripted track's box in frame `number`, as a person."""
    return [*(np.array(first[:4]) + number), 0.8]


def test_the_largest_person_of_the_first_frame_that_has_one_is_followed(follow):
    tracker, detect = ScriptedTracker([[0.9] * 3]), persons({2: [SMALL, LARGE], 3: [SMALL]})
    tube = follow(frames(6), tracker, detect, fps=25)
    assert tracker.started == [LARGE[:4]]
    assert detect.asked == [0, 1, 2]
    assert tube.present.tolist() == [False, False, True, True, True, True]
    np.testing.assert_array_equal(tube.quads[2], box_quad(np.array(LARGE)))
    np.testing.assert_array_equal(tube.quads[5], box_quad(np.array(LARGE[:4]) + 5))
    np.testing.assert_allclose(tube.scores, [0, 0, 1, 0.9, 0.9, 0.9])
    assert told(tube) == [(2, "started")]
    assert tube.events[0].detail.endswith("confidence 0.60")
    assert tube.quads.dtype == tube.scores.dtype == np.float32


def test_the_central_person_is_followed_where_that_is_asked(follow):
    left, middle = [0, 0, 30, 40, 0.9], [25, 10, 40, 30, 0.5]
    tracker = ScriptedTracker([[0.9]])
    follow(frames(2), tracker, persons({0: [left, middle]}), fps=25, rules=Rules("central"))
    assert tracker.started == [middle[:4]]
    assert central_person(np.empty((0, 5)), width=60, height=40) is None


@pytest.mark.parametrize(
    ("init_box", "start"),
    [
        ((5, 6, 15, 26), [5, 6, 15, 26]),
        ((2, 1, 6, 1, 6, 4, 2, 4), [1.5, 0.5, 6.5, 4.5]),
    ],
    ids=["box", "quad"],
)
def test_a_detector_that_sees_nobody_at_a_given_box_is_not_asked_again(follow, init_box, start):
    tracker, detect = ScriptedTracker([[0.9, 0.1]]), persons({0: [[40, 20, 59, 39, 0.9]]})
    tube = follow(frames(60), tracker, detect, fps=25, rules=Rules(init_box=init_box))
    np.testing.assert_allclose(tracker.started, [start])
    assert detect.asked == [0]
    assert told(tube) == [(0, "started")]
    assert "not asked again" in tube.events[0].detail
    assert tube.present.all()


def test_a_given_box_that_the_detector_sees_is_watched(follow):
    tracker, detect = ScriptedTracker([[0.9]]), persons({0: [SMALL]})
    tube = follow(frames(12), tracker, detect, fps=5, rules=Rules(init_box=tuple(SMALL[:4])))
    assert told(tube) == [(0, "started"), (5, "lost")]


@pytest.mark.parametrize("box", [(0.1, 0.2, 0.5, 0.9), (90, 10, 130, 39)])
def test_a_given_box_of_another_picture_is_refused(follow, box):
    with pytest.raises(AqaError, match=r"the init box: (all corners lie|1 of 1 rows reach beyond)"):
        follow(frames(1), ScriptedTracker([]), persons({}), fps=25, rules=Rules(init_box=box))


def test_the_detector_looks_once_a_second_while_it_agrees(follow):
    detect = persons({index: [moving(LARGE, index)] for index in range(100)})
    tube = follow(frames(100), ScriptedTracker([[0.9]]), detect, fps=25)
    assert detect.asked == [0, 25, 50, 75]
    assert told(tube) == [(0, "started")]


def test_a_tracker_that_follows_the_grass_is_noticed_in_spite_of_its_score(follow):
    """The athlete is gone from frame 30 on, and the scores rise."""
    detect = persons({index: [moving(LARGE, index)] for index in range(30)})
    tube = follow(frames(100), ScriptedTracker([[0.9] * 29 + [0.99]]), detect, fps=25)
    assert told(tube) == [(0, "started"), (50, "lost")]
    assert "last seen in frame 25, noticed in frame 60" in tube.events[1].detail
    assert tube.present.tolist() == [index < 50 for index in range(100)]
    assert detect.asked == [0, 25, 50, 55, 60, *range(65, 100, 5)]


def test_a_falling_score_calls_the_detector_at_once(follow):
    detect = persons({index: [moving(LARGE, index)] for index in range(30)})
    tube = follow(frames(100), ScriptedTracker([[0.9] * 31 + [0.1, 0.9]]), detect, fps=25)
    assert told(tube) == [(0, "started"), (32, "lost")]
    assert not tube.present[32:].any()


def test_a_low_score_is_no_loss_where_the_detector_agrees_and_becomes_the_measure(follow):
    detect = persons({index: [moving(LARGE, index)] for index in range(100)})
    tube = follow(frames(50), ScriptedTracker([[0.9] * 9 + [0.3]]), detect, fps=25)
    assert told(tube) == [(0, "started")]
    assert detect.asked == [0, 10, 35]


def test_single_looks_may_miss(follow):
    detect = persons({index: [moving(LARGE, index)] for index in range(100) if index not in (25, 30)})
    tube = follow(frames(60), ScriptedTracker([[0.9]]), detect, fps=25)
    assert told(tube) == [(0, "started")]
    assert detect.asked == [0, 25, 30, 35]


def test_a_person_elsewhere_and_none_at_the_box_is_a_loss_and_a_new_start_there(follow):
    """The tracker stays behind: the person who continues the last box is taken, not the largest."""
    near, judge = [18, 4, 48, 34, 0.8], [0, 0, 60, 40, 0.9]

    @dataclass
    class Stuck(ScriptedTracker):
        def start(self, frame, box):
            self.started.append(list(box))
            return ScriptedTrack(np.array([50.0, 35, 55, 39]) if len(self.started) == 1 else box, [0.9])

    tracker = Stuck([])
    detect = persons({0: [LARGE], **{index: [near, judge] for index in range(1, 60)}})
    tube = follow(frames(6), tracker, detect, fps=2, rules=Rules(again_seconds=0.5))
    assert told(tube) == [(0, "started"), (2, "lost"), (4, "restarted")]
    np.testing.assert_allclose(tracker.started[1], near[:4])
    assert tube.present.tolist() == [True, True, False, False, True, True]
    assert "continues the last box" in tube.events[2].detail


def test_somebody_else_is_taken_only_after_a_gap(follow):
    far = [50, 30, 54, 38, 0.9]  # too small to be the same person
    tracker = ScriptedTracker([[0.9] for _ in range(9)])
    tube = follow(frames(60), tracker, persons({0: [LARGE], **{at: [far] for at in range(9, 60)}}), fps=5)
    assert told(tube)[:3] == [(0, "started"), (5, "lost"), (16, "restarted")]
    assert "is the largest person" in tube.events[2].detail


def test_a_video_without_a_person_or_without_frames_is_an_empty_tube(follow):
    tube = follow(frames(3), ScriptedTracker([]), persons({}), fps=25)
    assert not tube.present.any()
    assert tube.scores.tolist() == [0, 0, 0]
    nothing = follow([], ScriptedTracker([]), persons({}), fps=25)
    assert nothing.quads.shape == (0, 4, 2)


def test_events_are_logged_with_the_video(make_tube, caplog):
    caplog.set_level(logging.INFO, logger="extract.trackers.following")
    follower = Follower(
        ScriptedTracker([[0.9]]), persons({0: [LARGE]}), Rules(missed_looks=1), fps=2, video_id="jump-7"
    )
    make_tube(frames(3), follower)
    assert [line.partition(" (")[0] for line in caplog.messages] == [
        "jump-7: frame 0: started",
        "jump-7: frame 2: lost",
    ]


@dataclass
class FrameTracker:
    """A tracker whose tracks of the large box have a low score in frame 3; `batches` lists batch sizes."""

    name: str = "frame"
    identity: str = "frame"
    doubt_below: float = 0.5
    batches: list[int] = field(default_factory=list)

    def start(self, frame, box):
        return FrameTrack(np.asarray(box, np.float64))

    def update_many(self, tracks, frames):
        self.batches.append(len(tracks))
        return update_each(tracks, frames)


@dataclass
class FrameTrack:
    box: np.ndarray

    def update(self, frame):
        number = int(frame[0, 0, 0])
        return Tracked(box_quad(self.box + number), 0.1 if number == 3 and self.box[2] == 30 else 0.9)


def test_videos_step_together_as_they_do_alone(make_tube, as_tube):
    def follower(tracker, first):
        detect = persons({first: [LARGE], 3: [NEAR] if first else []})
        return Follower(tracker, detect, Rules(missed_looks=1), fps=1)

    firsts = (0, 1, 2)
    alone = [make_tube(frames(6), follower(FrameTracker(), first)) for first in firsts]
    shared = FrameTracker()
    together = [follower(shared, first) for first in firsts]
    steps = [step_many(together, [index] * 3, [frame] * 3) for index, frame in frames(6)]
    for at, tube in enumerate(alone):
        joined = as_tube(list(range(6)), [row[at] for row in steps], together[at].events)
        np.testing.assert_array_equal(tube.quads, joined.quads)
        np.testing.assert_array_equal(tube.scores, joined.scores)
        assert tube.events == joined.events
    assert [event.kind for event in alone[0].events] == ["started", "lost"]
    assert "restarted" in [event.kind for event in alone[1].events]
    assert shared.batches[:3] == [1, 1, 1]
    with pytest.raises(ValueError, match="must share one tracker"):
        step_many([follower(FrameTracker(), 0), together[0]], [0, 0], [frames(1)[0][1]] * 2)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"start": "tallest"}, "start 'tallest': expected one of largest, central"),
        ({"init_box": (1, 2, 3)}, "4 numbers x1,y1,x2,y2 or 8"),
        ({"missed_looks": 0}, "missed_looks 0: expected 1 or more"),
        ({"doubt_below": 1.5}, "doubt_below 1.5: expected a share"),
        ({"look_seconds": 0.1}, r"look_seconds 0\.1, again_seconds 0\.2: expected 0 < again_seconds"),
    ],
)
def test_impossible_rules_are_refused(choices, message):
    with pytest.raises(AqaError, match=message):
        Rules(**choices)


@dataclass(frozen=True)
class Detector:
    name: str = "d"
    identity: str = "d confidence>=0.5"

    def for_video(self, video, footage):
        return persons({0: [LARGE]})


def test_the_facts_of_a_source_say_how_its_tubes_are_made():
    source = FollowedPersons(ScriptedTracker([[0.9]]), Detector(), Rules(init_box=(1, 2, 30, 30.5)))
    assert source.facts == {
        "tracker": "scripted v1",
        "detector": "d confidence>=0.5",
        "start": "largest",
        "init_box": "1,2,30,30.5",
        "doubt_below": 0.5,
        "look_seconds": 1.0,
        "again_seconds": 0.2,
        "missed_looks": 3,
    }
    follower = source.for_video(Video("v", "x.mp4"), FOOTAGE)
    assert follower.step(0, np.zeros((40, 60, 3), np.uint8)).present
    assert follower.video_id == "v"


def test_unknown_sources_are_refused():
    with pytest.raises(UnknownName, match="Known: annotations, nano, siammask, vit"):
        load_tube_source("nanno", detector=Detector, device="cpu")
