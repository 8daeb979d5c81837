"""Who is cropped: the largest or the central person first, then who continues, and what cannot be asked."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import AqaError, DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.detectors.athlete import AthleteRule
from extract.detectors.continuity import GAP_SECONDS
from extract.detectors.first_person import central_person
from extract.detectors.person_boxes import crop_person, largest_person

VIDEO = Video("v", Path("v.mp4"))
FOOTAGE = Footage(640, 360, 100, 0, 100, 10.0)
FRAME = np.zeros((360, 640, 3), np.uint8)
CORNER = st.floats(-50, 700, width=32)
ROWS = st.lists(
    st.tuples(CORNER, CORNER, st.floats(1, 300, width=32), st.floats(1, 300, width=32)), max_size=5
)


def row(x: float, *, width: float = 40, height: float = 100) -> np.ndarray:
    return np.array([x - width / 2, 180 - height / 2, x + width / 2, 180 + height / 2, 0.9], np.float32)


def boxes(sizes: list[tuple[float, ...]]) -> np.ndarray:
    return np.array([[x, y, x + w, y + h, 0.5] for x, y, w, h in sizes], np.float32).reshape(-1, 5)


@given(ROWS)
def test_the_largest_and_the_central_person_are_those_of_the_plain_formulas(sizes):
    rows = boxes(sizes)
    if not len(rows):
        assert largest_person(rows) is None
        assert central_person(rows, width=640, height=360) is None
        return
    areas = [(r[2] - r[0]) * (r[3] - r[1]) for r in rows]
    np.testing.assert_array_equal(largest_person(rows), rows[areas.index(max(areas))])
    central = central_person(rows, width=640, height=360)

    def distance(r: np.ndarray) -> float:
        return float(np.hypot((r[0] + r[2]) / 2 - 320, (r[1] + r[3]) / 2 - 180))

    assert distance(central) <= min(map(distance, rows)) + 1e-3


@given(CORNER, CORNER, CORNER, CORNER)
def test_a_crop_is_never_empty_and_holds_all_of_the_box_that_the_frame_shows(x1, y1, x2, y2):
    frame = np.arange(12 * 16, dtype=np.uint8).reshape(12, 16, 1)
    crop = crop_person(frame, np.array([x1, y1, x2, y2]))
    assert crop.size > 0
    shown = {
        int(frame[y, x, 0])
        for y in range(12)
        for x in range(16)
        if x < x2 and x + 1 > x1 and y < y2 and y + 1 > y1
    }
    assert shown <= set(crop.ravel().tolist())


def picked(rule: AthleteRule, *frames: list[np.ndarray], step: int = 1) -> list[float | None]:
    """Return the center of who was picked in each frame, None for nobody."""
    picker = rule.picker(VIDEO, FOOTAGE)
    found = [
        picker.pick(number * step, FRAME, np.array(rows, np.float32).reshape(-1, 5))
        for number, rows in enumerate(frames)
    ]
    return [None if each is None else float(each[0] + each[2]) / 2 for each in found]


SMALL, LARGE = row(320), row(100, height=130)


def test_the_largest_person_of_every_frame_may_change():
    assert picked(AthleteRule(), [SMALL, LARGE], [SMALL], []) == [100, 320, None]


@pytest.mark.parametrize(("start", "first"), [("largest", 100), ("central", 320)])
def test_a_followed_athlete_stays_who_was_chosen_first(start, first):
    rule = AthleteRule("followed", start)
    assert picked(rule, [], [SMALL, LARGE], [LARGE, SMALL]) == [None, first, first]


@pytest.mark.parametrize(
    "box", [(300.0, 130, 340, 230), (300.0, 130, 340, 130, 340, 230, 300, 230)], ids=["box", "corners"]
)
def test_a_first_box_names_the_athlete_whoever_is_larger(box):
    rule = AthleteRule("followed", init_box=box)
    assert picked(rule, [LARGE, SMALL], [LARGE, row(330)]) == [320, 330]


def test_nobody_else_is_taken_until_the_gap_is_over_and_then_it_is_told():
    rule = AthleteRule("followed")
    picker = rule.picker(VIDEO, FOOTAGE)
    assert picker.pick(0, FRAME, np.array([row(100)])) is not None
    stranger = np.array([row(600)])
    last = int(GAP_SECONDS * FOOTAGE.fps)
    assert picker.pick(last, FRAME, stranger) is None
    assert picker.events == []
    assert picker.pick(last + 1, FRAME, stranger) is not None
    (event,) = picker.events
    assert (event.frame_index, event.kind) == (last + 1, "jumped")
    assert event.detail == "nobody continued the last box for 2.1 s; the largest person was taken"


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"athlete": "smallest"}, "athlete 'smallest', start 'largest': expected largest or followed"),
        ({"athlete": "followed", "start": "left"}, "athlete 'followed', start 'left': expected largest or"),
        (
            {"athlete": "followed", "init_box": (1.0, 2.0, 3.0)},
            r"an init box has 4 numbers x1,y1,x2,y2 or 8 of four corners, got \(1.0, 2.0, 3.0\)",
        ),
        ({"start": "central"}, "a start says who is followed, but .*: choose --athlete followed"),
        ({"init_box": (1.0, 2.0, 30.0, 40.0)}, "a start says who is followed"),
    ],
    ids=["athlete", "start", "three numbers", "start of the largest", "box of the largest"],
)
def test_rules_that_make_no_sense_are_refused(facts, message):
    with pytest.raises(AqaError, match=message):
        AthleteRule(**facts)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((700.0, 100, 760, 200), "the init box: 1 of 1 row reaches beyond the picture of 640x360 pixels"),
        ((0.1, 0.1, 0.5, 0.9), "the init box: all corners lie between 0.1 and 0.9, so they are shares"),
        ((100.0, 100, 102, 101), "the init box: 1 of 1 row is smaller than 4 pixels"),
    ],
    ids=["outside", "shares", "a dot"],
)
def test_a_first_box_that_is_not_of_the_picture_is_refused(box, message):
    with pytest.raises(DatasetError, match=message):
        AthleteRule("followed", init_box=box).picker(VIDEO, FOOTAGE)


def test_a_first_box_belongs_to_the_first_frame_of_a_performance_anywhere_in_a_file():
    late = Footage(640, 360, 1000, 500, 600, 10.0)
    picker = AthleteRule("followed", init_box=(300.0, 130.0, 340.0, 230.0)).picker(VIDEO, late)
    assert picker.first_box is not None
    assert picker.first_box.tolist() == [300, 130, 340, 230]


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (AthleteRule(), {"person": "largest"}),
        (AthleteRule("followed"), {"person": "followed", "start": "largest", "init_box": None}),
        (
            AthleteRule("followed", "central", (1.0, 2.5, 30.0, 40.0)),
            {"person": "followed", "start": "central", "init_box": "1,2.5,30,40"},
        ),
    ],
    ids=["largest", "followed", "pointed at"],
)
def test_a_rule_is_a_part_of_the_spec(rule, facts):
    assert rule.facts == facts
