"""Starting, losing and finding again, with a tracker and a detector whose answers are written down."""

import logging
from dataclasses import dataclass, field

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.trackers import FollowedPersons, Follower, Rules, follow, load_tube_source, make_tube, step_many
from extract.trackers.following import Confidence, after_score, central_person
from extract.trackers.geometry import box_quad
from extract.trackers.tracker import Tracked, check_start, update_each

FOOTAGE = Footage(60, 40, 9, 0, 9, 25.0)
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
    """Every track takes the next list of scores, and keeps the last; its box moves by the frame's number."""

    scripts: list[list[float]]
    name: str = "scripted"
    identity: str = "scripted v1"
    lost_below: float = 0.5
    started: list[list[float]] = field(default_factory=list)

    def start(self, frame, box):
        self.started.append(check_start(frame, box).tolist())
        return ScriptedTrack(np.asarray(box, np.float64), list(self.scripts.pop(0)))

    def update_many(self, tracks, frames):
        return update_each(tracks, frames)


def frames(count):
    return [(index, np.full((40, 60, 3), index, np.uint8)) for index in range(count)]


def persons(by_frame):
    """A detector that finds `by_frame[index]`, and remembers which frames it was shown."""

    def detect(pictures, indices):
        detect.asked += list(indices)
        return [np.array(by_frame.get(index, []), np.float32).reshape(-1, 5) for index in indices]

    detect.asked = []
    return detect


def told(tube):
    return [(event.frame_index, event.kind, event.by) for event in tube.events]


def test_the_largest_person_of_the_first_frame_that_has_one_is_followed():
    tracker, detect = ScriptedTracker([[0.9] * 3]), persons({2: [SMALL, LARGE], 3: [SMALL]})
    tube = follow(frames(6), tracker, detect)
    assert tracker.started == [LARGE[:4]]
    assert detect.asked == [0, 1, 2]
    assert tube.present.tolist() == [False, False, True, True, True, True]
    np.testing.assert_array_equal(tube.quads[2], box_quad(np.array(LARGE)))
    np.testing.assert_array_equal(tube.quads[5], box_quad(np.array(LARGE[:4]) + 5))
    np.testing.assert_allclose(tube.scores, [0, 0, 1, 0.9, 0.9, 0.9])
    assert told(tube) == [(2, "started", "detector")]
    assert tube.events[0].score == pytest.approx(0.6)
    assert tube.quads.dtype == tube.scores.dtype == np.float32


def test_the_central_person_is_followed_where_that_is_asked():
    left, middle = [0, 0, 30, 40, 0.9], [25, 10, 40, 30, 0.5]
    tracker = ScriptedTracker([[0.9]])
    follow(frames(2), tracker, persons({0: [left, middle]}), start="central")
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
def test_a_given_box_takes_the_detectors_place_in_the_first_frame(init_box, start):
    tracker, detect = ScriptedTracker([[0.9]]), persons({0: [LARGE]})
    tube = follow(frames(2), tracker, detect, init_box=init_box)
    np.testing.assert_allclose(tracker.started, [start])
    assert detect.asked == []
    assert told(tube) == [(0, "started", "box")]


def test_a_low_score_counts_only_after_so_many_in_a_row_and_the_detector_finds_again():
    scores = [0.9, 0.4, 0.9, 0.4, 0.4, 0.4]
    tracker = ScriptedTracker([scores, [0.8]])
    tube = follow(frames(9), tracker, persons({0: [LARGE], 7: [SMALL]}), lost_after=3)
    assert told(tube) == [(0, "started", "detector"), (6, "lost", "tracker"), (7, "found again", "detector")]
    assert tube.present.tolist() == [True] * 6 + [False, True, True]
    assert tracker.started == [LARGE[:4], SMALL[:4]]


def test_loss_and_new_start_may_fall_into_one_frame():
    tracker = ScriptedTracker([[0.9, 0.1], [0.9]])
    tube = follow(frames(4), tracker, persons({0: [LARGE], 2: [SMALL]}), lost_after=1)
    assert told(tube)[1:] == [(2, "lost", "tracker"), (2, "found again", "detector")]
    assert tube.present.all()


def test_the_tracker_may_recover_by_itself_but_must_hold_on():
    tracker = ScriptedTracker([[0.9, 0.1, 0.1, 0.9, 0.1, 0.9, 0.9, 0.9]])
    tube = follow(frames(9), tracker, persons({0: [LARGE]}), lost_after=2)
    assert told(tube)[1:] == [(3, "lost", "tracker"), (7, "found again", "tracker")]
    assert tube.present.tolist() == [True, True, True, False, False, False, False, True, True]
    assert len(tracker.started) == 1


def test_the_threshold_is_a_share_of_the_tracks_best_score():
    confidence = Confidence()
    for score in (0.2, 0.8, 0.5, 0.39, 0.3):
        confidence = after_score(confidence, score, lost_below=0.5)
    assert confidence == Confidence(best=0.8, num_low=2, num_high=0)
    assert after_score(confidence, 0.4, lost_below=0.5).num_low == 0
    tube = follow(frames(4), ScriptedTracker([[0.2, 0.2, 0.2]]), persons({0: [LARGE]}), lost_after=1)
    assert len(tube.events) == 1
    strict = ScriptedTracker([[0.9, 0.85, 0.9]])
    assert len(follow(frames(3), strict, persons({0: [LARGE]}), lost_below=0.95, lost_after=1).events) == 2


def test_a_video_without_a_person_or_without_frames_is_an_empty_tube():
    tube = follow(frames(3), ScriptedTracker([]), persons({}))
    assert not tube.present.any()
    assert tube.scores.tolist() == [0, 0, 0]
    nothing = follow([], ScriptedTracker([]), persons({}))
    assert nothing.quads.shape == (0, 4, 2)


def test_events_are_logged_with_the_video(caplog):
    caplog.set_level(logging.INFO, logger="extract.trackers.following")
    detect = persons({0: [LARGE]})
    follower = Follower(ScriptedTracker([[0.9, 0.1]]), detect, Rules(lost_after=1), video_id="jump-7")
    make_tube(frames(3), follower)
    assert caplog.messages == [
        "jump-7: frame 0: started by the detector, score 0.60",
        "jump-7: frame 2: lost by the tracker, score 0.10",
    ]


@dataclass
class FrameTracker:
    """Scores are low in frame 3 for what started from the large box; `batches` are sizes of updates."""

    name: str = "frame"
    identity: str = "frame"
    lost_below: float = 0.5
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


def test_videos_step_together_as_they_do_alone():
    def follower(tracker, first):
        detect = persons({first: [LARGE], 3: [SMALL] if first else []})
        return Follower(tracker, detect, Rules(lost_after=1))

    firsts = (0, 1, 2)
    alone = [make_tube(frames(6), follower(FrameTracker(), first)) for first in firsts]
    shared = FrameTracker()
    together = [follower(shared, first) for first in firsts]
    steps = [step_many(together, [index] * 3, [frame] * 3) for index, frame in frames(6)]
    for at, tube in enumerate(alone):
        np.testing.assert_array_equal(tube.quads, np.stack([row[at].quad for row in steps]))
        np.testing.assert_array_equal(tube.scores, np.float32([row[at].score for row in steps]))
        assert tube.events == tuple(together[at].events)
    assert [len(tube.events) for tube in alone] == [
        3,
        3,
        1,
    ]  # the last one's low score is its first, so its best
    assert alone[0].events[2].by == "tracker"
    assert alone[1].events[2].by == "detector"
    assert shared.batches == [1, 2, 3, 3, 3]
    with pytest.raises(ValueError, match="must share one tracker"):
        step_many([follower(FrameTracker(), 0), together[0]], [0, 0], [frames(1)[0][1]] * 2)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"start": "tallest"}, "start 'tallest': expected one of largest, central"),
        ({"init_box": (1, 2, 3)}, "4 numbers x1,y1,x2,y2 or 8"),
        ({"lost_after": 0}, "lost after 0 frames: expected 1 or more"),
        ({"lost_below": 1.5}, "lost below 1.5: expected a share"),
    ],
)
def test_choices_that_make_no_sense_are_told(choices, message):
    with pytest.raises(AqaError, match=message):
        follow(frames(1), ScriptedTracker([]), persons({}), **choices)


@dataclass(frozen=True)
class Detector:
    name: str = "d"
    identity: str = "d confidence>=0.5"

    def for_video(self, video, footage):
        return persons({0: [LARGE]})


def test_a_source_says_how_its_tubes_are_made():
    source = FollowedPersons(ScriptedTracker([[0.9]]), Detector(), Rules(init_box=(1, 2, 30, 30.5)))
    assert source.facts == {
        "tracker": "scripted v1",
        "detector": "d confidence>=0.5",
        "start": "largest",
        "init_box": "1,2,30,30.5",
        "lost_below": 0.5,
        "lost_after": 3,
    }
    follower = source.for_video(Video("v", "x.mp4"), FOOTAGE)
    assert follower.step(0, np.zeros((40, 60, 3), np.uint8)).present
    assert follower.video_id == "v"


def test_unknown_sources_are_told():
    with pytest.raises(UnknownName, match="Known: annotations, nano, siammask, vit"):
        load_tube_source("nanno", detector=Detector, device="cpu")
