"""A track starts, is lost and restarts, with a tracker and a detector of scripted answers."""

import logging

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError
from extract.detectors.first_person import central_person
from extract.trackers import Follower, Rules
from extract.trackers.corners import box_quad

SMALL, LARGE = [10, 10, 20, 20, 0.9], [0, 0, 30, 30, 0.6]


def told(tube):
    return [(event.frame_index, event.kind) for event in tube.events]


def moving(first, number):
    """Return a scripted track's box in frame `number`, as a person."""
    return [*(np.array(first[:4]) + number), 0.8]


def test_the_largest_person_of_the_first_frame_that_has_one_is_followed(
    follow, scripted_tracker, persons, numbered_frames
):
    tracker, detect = scripted_tracker([[0.9] * 3]), persons({2: [SMALL, LARGE], 3: [SMALL]})
    tube = follow(numbered_frames(6), tracker, detect, fps=25)
    assert tracker.started == [LARGE[:4]]
    assert detect.asked == [0, 1, 2]
    assert tube.present.tolist() == [False, False, True, True, True, True]
    np.testing.assert_array_equal(tube.quads[2], box_quad(np.array(LARGE)))
    np.testing.assert_array_equal(tube.quads[5], box_quad(np.array(LARGE[:4]) + 5))
    np.testing.assert_allclose(tube.scores, [0, 0, 1, 0.9, 0.9, 0.9])
    assert told(tube) == [(2, "started")]
    assert tube.events[0].detail.endswith("confidence 0.60")
    assert tube.quads.dtype == tube.scores.dtype == np.float32


def test_the_central_person_is_followed_where_that_is_asked(
    follow, scripted_tracker, numbered_frames, persons
):
    left, middle = [0, 0, 30, 40, 0.9], [25, 10, 40, 30, 0.5]
    tracker = scripted_tracker([[0.9]])
    follow(numbered_frames(2), tracker, persons({0: [left, middle]}), fps=25, rules=Rules("central"))
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
def test_a_detector_that_sees_nobody_at_a_given_box_is_not_asked_again(
    follow, init_box, start, scripted_tracker, persons, numbered_frames
):
    tracker, detect = scripted_tracker([[0.9, 0.1]]), persons({0: [[40, 20, 59, 39, 0.9]]})
    tube = follow(numbered_frames(60), tracker, detect, fps=25, rules=Rules(init_box=init_box))
    np.testing.assert_allclose(tracker.started, [start])
    assert detect.asked == [0]
    assert told(tube) == [(0, "started")]
    assert "not asked again" in tube.events[0].detail
    assert tube.present.all()


def test_a_given_box_that_the_detector_sees_is_watched(follow, scripted_tracker, persons, numbered_frames):
    tracker, detect = scripted_tracker([[0.9]]), persons({0: [SMALL]})
    tube = follow(numbered_frames(12), tracker, detect, fps=5, rules=Rules(init_box=tuple(SMALL[:4])))
    assert told(tube) == [(0, "started"), (5, "lost")]


@pytest.mark.parametrize("box", [(0.1, 0.2, 0.5, 0.9), (90, 10, 130, 39)])
def test_a_given_box_of_another_picture_is_refused(follow, box, numbered_frames, scripted_tracker, persons):
    with pytest.raises(AqaError, match=r"the init box: (all corners lie|1 of 1 row reaches beyond)"):
        follow(numbered_frames(1), scripted_tracker([]), persons({}), fps=25, rules=Rules(init_box=box))


def test_the_detector_looks_once_a_second_while_it_agrees(follow, persons, numbered_frames, scripted_tracker):
    detect = persons({index: [moving(LARGE, index)] for index in range(100)})
    tube = follow(numbered_frames(100), scripted_tracker([[0.9]]), detect, fps=25)
    assert detect.asked == [0, 25, 50, 75]
    assert told(tube) == [(0, "started")]


def test_a_tracker_that_follows_the_grass_is_noticed_in_spite_of_its_score(
    follow, persons, numbered_frames, scripted_tracker
):
    """The athlete is gone from frame 30 on, and the scores rise."""
    detect = persons({index: [moving(LARGE, index)] for index in range(30)})
    tube = follow(numbered_frames(100), scripted_tracker([[0.9] * 29 + [0.99]]), detect, fps=25)
    assert told(tube) == [(0, "started"), (50, "lost")]
    assert "last seen in frame 25, noticed in frame 60" in tube.events[1].detail
    assert tube.present.tolist() == [index < 50 for index in range(100)]
    assert detect.asked == [0, 25, 50, 55, 60, *range(65, 100, 5)]


def test_a_falling_score_calls_the_detector_at_once(follow, persons, numbered_frames, scripted_tracker):
    detect = persons({index: [moving(LARGE, index)] for index in range(30)})
    tube = follow(numbered_frames(100), scripted_tracker([[0.9] * 31 + [0.1, 0.9]]), detect, fps=25)
    assert told(tube) == [(0, "started"), (32, "lost")]
    assert not tube.present[32:].any()


def test_a_low_score_is_no_loss_where_the_detector_agrees_and_becomes_the_measure(
    follow, persons, numbered_frames, scripted_tracker
):
    detect = persons({index: [moving(LARGE, index)] for index in range(100)})
    tube = follow(numbered_frames(50), scripted_tracker([[0.9] * 9 + [0.3]]), detect, fps=25)
    assert told(tube) == [(0, "started")]
    assert detect.asked == [0, 10, 35]


def test_single_looks_may_miss(follow, persons, numbered_frames, scripted_tracker):
    detect = persons({index: [moving(LARGE, index)] for index in range(100) if index not in (25, 30)})
    tube = follow(numbered_frames(60), scripted_tracker([[0.9]]), detect, fps=25)
    assert told(tube) == [(0, "started")]
    assert detect.asked == [0, 25, 30, 35]


def test_a_person_elsewhere_and_none_at_the_box_is_a_loss_and_a_new_start_there(
    follow, scripted_tracker, persons, numbered_frames
):
    """The tracker stays behind: the person who continues the last box is taken, not the largest."""
    near, judge = [18, 4, 48, 34, 0.8], [0, 0, 60, 40, 0.9]

    class Stuck(scripted_tracker):
        def start(self, frame, box):
            track = super().start(frame, box)
            if len(self.started) == 1:
                track.box = np.array([50.0, 35, 55, 39])
            return track

    tracker = Stuck([[0.9], [0.9]])
    detect = persons({0: [LARGE], **{index: [near, judge] for index in range(1, 60)}})
    tube = follow(numbered_frames(6), tracker, detect, fps=2, rules=Rules(again_seconds=0.5))
    assert told(tube) == [(0, "started"), (2, "lost"), (4, "restarted")]
    np.testing.assert_allclose(tracker.started[1], near[:4])
    assert tube.present.tolist() == [True, True, False, False, True, True]
    assert "continues the last box" in tube.events[2].detail


def test_somebody_else_is_taken_only_after_a_gap(follow, scripted_tracker, numbered_frames, persons):
    far = [50, 30, 54, 38, 0.9]  # too small to be the same person
    tracker = scripted_tracker([[0.9] for _ in range(9)])
    tube = follow(
        numbered_frames(60), tracker, persons({0: [LARGE], **{at: [far] for at in range(9, 60)}}), fps=5
    )
    assert told(tube)[:3] == [(0, "started"), (5, "lost"), (16, "restarted")]
    assert "is the largest person" in tube.events[2].detail


def test_a_video_without_a_person_or_without_frames_is_an_empty_tube(
    follow, numbered_frames, scripted_tracker, persons
):
    tube = follow(numbered_frames(3), scripted_tracker([]), persons({}), fps=25)
    assert not tube.present.any()
    assert tube.scores.tolist() == [0, 0, 0]
    nothing = follow([], scripted_tracker([]), persons({}), fps=25)
    assert nothing.quads.shape == (0, 4, 2)


def test_events_are_logged_with_the_video(make_tube, caplog, scripted_tracker, persons, numbered_frames):
    caplog.set_level(logging.INFO, logger="extract.trackers.following")
    follower = Follower(
        scripted_tracker([[0.9]]), persons({0: [LARGE]}), Rules(missed_looks=1), fps=2, video_id="jump-7"
    )
    make_tube(numbered_frames(3), follower)
    assert [line.partition(" (")[0] for line in caplog.messages] == [
        "jump-7: frame 0: started",
        "jump-7: frame 2: lost",
    ]
