"""Persons from frame to frame: how far and how much a body may change, and who is who."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extract.detectors.continuity import (
    GAP_SECONDS,
    IMPOSSIBLE,
    REMEMBERED_SECONDS,
    People,
    Seen,
    area,
    continuation_cost,
    most_overlapping,
    overlap,
)

FPS = 10.0


def person(x: float, y: float = 100.0, *, width: float = 40.0, height: float = 100.0) -> np.ndarray:
    """Return the row (5,) of a person around that center."""
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2, 0.9)
    return np.array(box, np.float32)


def persons(*rows: np.ndarray) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def people(*others: float, athlete: float = 100.0) -> People:
    """Return an athlete and other persons, all seen in frame 0."""
    return People(FPS, Seen(person(athlete), 0), [Seen(person(x), 0) for x in others])


SIDES = st.integers(0, 12)
BOXES = st.tuples(SIDES, SIDES, st.integers(1, 12), st.integers(1, 12)).map(
    lambda box: np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]], np.float64)
)


@given(BOXES, BOXES)
def test_the_overlap_is_that_of_counted_pixels(box, other):
    def pixels(each: np.ndarray) -> set[tuple[int, int]]:
        x1, y1, x2, y2 = each.astype(int)
        return set(itertools.product(range(x1, x2), range(y1, y2)))

    shared = len(pixels(box) & pixels(other)) / len(pixels(box) | pixels(other))
    assert overlap(box, other) == pytest.approx(shared, abs=1e-12) == overlap(other, box)
    assert area(box) == len(pixels(box))


def test_boxes_without_area_overlap_nothing():
    point = np.array([5.0, 5.0, 5.0, 5.0])
    assert overlap(point, point) == 0
    assert overlap(point, np.array([0.0, 0.0, 10.0, 10.0])) == 0


def test_the_person_that_overlaps_most_is_found_and_none_of_nobody():
    rows = persons(person(500), person(120), person(150))
    np.testing.assert_array_equal(most_overlapping(person(125), rows), rows[1])
    assert most_overlapping(person(125), persons()) is None


@given(BOXES, BOXES, st.floats(0, 10))
def test_the_cost_is_the_formula(last, box, seconds):
    centers = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (last, box)]
    moved = math.dist(*centers) / max(last[2] - last[0], last[3] - last[1])
    change = abs(math.log(area(box) / area(last)))
    cost = continuation_cost(last, box, seconds=seconds)
    if moved > 0.5 + seconds + 1e-9 or change > math.log(6) + 1e-9:
        assert cost == IMPOSSIBLE
    elif moved < 0.5 + seconds - 1e-9 and change < math.log(6) - 1e-9:
        assert cost == pytest.approx(moved + change / 2)


@given(BOXES, BOXES, st.floats(0, 5), st.sampled_from([0.25, 3.0, 16.0]))
def test_the_cost_does_not_depend_on_the_resolution(last, box, seconds, scale):
    assert continuation_cost(last, box, seconds=seconds) == pytest.approx(
        continuation_cost(last * scale, box * scale, seconds=seconds)
    )


@pytest.mark.parametrize(
    ("moved", "seconds", "possible"),
    [(49, 0.0, True), (51, 0.0, False), (149, 1.0, True), (151, 1.0, False)],
    ids=["within half a body", "beyond it", "a body more in a second", "beyond that"],
)
def test_a_body_may_move_half_its_length_and_one_more_each_second(moved, seconds, possible):
    cost = continuation_cost(person(0), person(moved), seconds=seconds)
    assert (cost < IMPOSSIBLE) is possible


@pytest.mark.parametrize(
    ("factor", "possible"), [(5.9, True), (6.1, False), (1 / 5.9, True), (1 / 6.1, False)]
)
def test_a_body_may_curl_up_to_a_sixth_of_its_area(factor, possible):
    side = math.sqrt(factor)
    box = person(0, width=40 * side, height=100 * side)
    assert (continuation_cost(person(0), box, seconds=0) < IMPOSSIBLE) is possible


def test_the_nearest_continuation_is_the_athlete():
    near, far = person(110), person(140)
    np.testing.assert_array_equal(people().match(1, persons(far, near)), near)


def test_nobody_within_reach_is_nobody():
    assert people().match(1, persons(person(300))) is None
    assert people().match(1, persons()) is None


def test_a_known_person_is_not_taken_for_a_hidden_athlete():
    """The judge beside the athlete is nearest to the athlete's last box, but nearer to their own."""
    judge = person(132)
    assert people(130).match(1, persons(judge)) is None
    np.testing.assert_array_equal(people().match(1, persons(judge)), judge)


def test_two_who_come_near_each_other_keep_their_names():
    both = people(150)
    for frame in range(1, 4):
        athlete = person(100 + 5 * frame)
        other = person(150 - 5 * frame)
        found = both.match(frame, persons(other, athlete))
        np.testing.assert_array_equal(found, athlete)
        both.confirm(frame, found)


def test_others_are_remembered_for_a_while_and_then_forgotten():
    beside = people(130)
    last = int(REMEMBERED_SECONDS * FPS)
    assert beside.match(last, persons()) is None
    assert len(beside.others) == 1
    assert beside.match(last + 1, persons()) is None
    assert beside.others == []


def test_who_is_confirmed_is_no_longer_another():
    crowd = people()
    stranger = person(400)
    assert crowd.match(5, persons(stranger)) is None
    assert len(crowd.others) == 1
    crowd.confirm(5, stranger)
    assert crowd.others == []
    np.testing.assert_array_equal(crowd.athlete.box, stranger)
    np.testing.assert_array_equal(crowd.match(6, persons(person(410))), person(410))


def test_a_box_may_stand_for_the_person_that_was_confirmed():
    crowd = people()
    tracked = person(105, width=44)
    crowd.confirm(3, person(104), box=tracked)
    np.testing.assert_array_equal(crowd.athlete.box, tracked)
    assert crowd.unseen_seconds(3) == 0
    assert crowd.unseen_seconds(3 + int(GAP_SECONDS * FPS)) == GAP_SECONDS


@given(st.permutations(range(4)))
def test_the_order_in_which_a_detector_names_persons_does_not_matter(order):
    rows = [person(105), person(160), person(230), person(400)]
    found = people(155, 235).match(1, persons(*(rows[at] for at in order)))
    np.testing.assert_array_equal(found, rows[0])
