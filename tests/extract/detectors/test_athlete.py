"""The rules choose the athlete among several persons: two side by side, one hidden, one who leaves."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors import AthleteRule, largest_person
from extract.detectors.continuity import People, Seen, overlap

FPS = 25.0
VIDEO = Video("v", Path("v.mp4"))
FOOTAGE = Footage(640, 360, 500, 0, 500, FPS)
FRAME = np.zeros((360, 640, 3), np.uint8)
FOLLOWED = AthleteRule("followed")


def person(x, y=180, *, width=60, height=160):
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2, 0.9], np.float32)


def athlete(second):
    """Return a box that moves from left to right, and is small in every third second."""
    return person(60 + 40 * second, height=160 - 70 * (second % 3 == 1))


def other(second):
    """Return a box that moves along; it is the larger one of the two whenever the athlete's is small."""
    return person(180 + 38 * second, 190, width=62, height=150)


def picked(rule, by_second):
    picker = rule.picker(VIDEO, FOOTAGE)
    boxes = [picker.pick(int(25 * at), FRAME, np.array(found).reshape(-1, 5)) for at, found in by_second]
    return boxes, picker.events


def test_followed_stays_on_one_of_two_where_the_largest_jumps():
    frames = [(at, [other(at), athlete(at)]) for at in range(13)]
    boxes, events = picked(FOLLOWED, frames)
    for at, box in enumerate(boxes):
        np.testing.assert_array_equal(box, athlete(at))
    assert events == []
    largest, _ = picked(AthleteRule(), frames)
    jumps = [at for at, box in enumerate(largest) if not np.array_equal(box, athlete(at))]
    assert jumps == [at for at in range(13) if at % 3 == 1]


def test_the_largest_of_every_frame_is_what_it_was():
    rng = np.random.default_rng(0)
    frames = [
        (at, [person(*rng.uniform(80, 280, 2), width=rng.uniform(20, 90)) for _ in range(3)])
        for at in range(9)
    ]
    boxes, events = picked(AthleteRule(), frames)
    for box, (_, found) in zip(boxes, frames, strict=True):
        np.testing.assert_array_equal(box, largest_person(np.array(found)))
    assert (events, AthleteRule().facts) == ([], {"person": "largest"})


def test_a_hidden_athlete_is_waited_for_and_not_replaced():
    judge = person(600, 200, width=50, height=100)
    frames = [(at, [judge] if at in (3, 4) else [judge, athlete(at)]) for at in range(8)]
    boxes, events = picked(FOLLOWED, frames)
    assert [box is None for box in boxes] == [at in (3, 4) for at in range(8)]
    assert events == []


def test_an_event_names_who_is_taken_after_a_gap():
    judge = person(600, 200, width=40, height=30)
    frames = [(at, [athlete(at)] if at < 2 else [judge]) for at in range(8)]
    boxes, events = picked(FOLLOWED, frames)
    assert [box is None for box in boxes] == [False, False, True, True, False, False, False, False]
    assert [(event.frame_index, event.kind) for event in events] == [(100, "jumped")]
    assert "for 3.0 s; the largest person was taken" in events[0].detail


@pytest.mark.parametrize(
    "rule", [AthleteRule("followed", "central"), AthleteRule("followed", init_box=(270, 110, 340, 260))]
)
def test_a_start_says_who(rule):
    frames = [(at, [person(100 + 9 * at, height=200), person(310 + 9 * at)]) for at in range(5)]
    boxes, events = picked(rule, frames)
    for at, box in enumerate(boxes):
        np.testing.assert_array_equal(box, person(310 + 9 * at))
    assert events == []


def test_starts_that_contradict_the_rule_are_refused():
    with pytest.raises(AqaError, match="choose --athlete followed"):
        AthleteRule("largest", "central")
    with pytest.raises(AqaError, match="4 numbers x1,y1,x2,y2 or 8"):
        AthleteRule("followed", init_box=(1, 2, 3))
    with pytest.raises(AqaError, match="the init box: all corners lie between"):
        AthleteRule("followed", init_box=(0.1, 0.2, 0.3, 0.4)).picker(VIDEO, FOOTAGE)


def test_overlap_is_intersection_over_union():
    assert overlap(np.array([0, 0, 10, 10]), np.array([5, 0, 15, 10])) == pytest.approx(50 / 150)
    assert overlap(np.array([0, 0, 10, 10]), np.array([20, 20, 30, 30])) == 0


def test_nobody_continues_what_is_too_far_or_too_small():
    last = person(100)

    def again(*persons, seconds=1.0):
        return People(FPS, Seen(last, 0)).match(int(seconds * FPS), np.array(persons).reshape(-1, 5))

    assert again(person(500)) is None
    assert again(person(110, width=10, height=20)) is None
    assert again(seconds=9) is None
    near, nearer = person(150), person(120)
    np.testing.assert_array_equal(again(near, nearer, seconds=0.2), nearer)


def test_a_known_neighbor_is_not_taken_for_a_hidden_athlete():
    """The neighbor is near enough to continue the athlete's box, but has a last box of their own."""
    beside = person(190, height=150)
    frames = [(at, [beside] if at in (1, 2) else [beside, person(110)]) for at in range(5)]
    boxes, events = picked(AthleteRule("followed", init_box=(80, 100, 140, 260)), frames)
    assert [box is None for box in boxes] == [False, True, True, False, False]
    assert events == []
    alone = People(FPS, Seen(person(110), 0)).match(25, np.array([beside]))
    np.testing.assert_array_equal(alone, beside)  # an unknown person at that place is taken


def test_two_who_move_together_are_not_confused():
    """The other person moves to where the athlete was: matching all at once tells them apart."""
    people = People(FPS, Seen(person(100), 0))
    first, second = np.array([person(100), person(160)]), np.array([person(155), person(215)])
    np.testing.assert_array_equal(people.match(0, first), first[0])
    people.confirm(0, first[0])
    np.testing.assert_array_equal(people.match(25, second), second[0])
