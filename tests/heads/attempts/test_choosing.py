"""Which attempt another one is compared with, and what is said where the table does not tell."""

from datetime import date
from pathlib import Path

import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Video
from heads.attempts.attempt import Attempt, PredictedScore
from heads.attempts.choosing import choose, find_attempt


def attempt(name, day=None, *, label=None, predicted=None, athlete="Ann", element=None):
    when = None if day is None else date(2026, 5, day)
    video = Video(name, Path(f"{name}.mp4"), athlete=athlete, performed_on=when, element=element)
    return Attempt(
        video, label, None if predicted is None else PredictedScore(predicted, (0.0, 100.0), "test")
    )


def test_the_last_one_is_the_latest_before_it_of_the_same_athlete_and_element():
    new = attempt("new", 9, element="axel")
    others = [
        attempt("v1", 1, element="axel"),
        attempt("v2", 8, element="axel"),
        attempt("v3", 8, element="lutz"),
        attempt("v4", 9, element="axel", athlete="Bo"),
        attempt("v5", None, element="axel"),
    ]
    found = choose("last", [*others, new, attempt("later", 10, element="axel")], new, Path("new.mp4"))
    assert found.attempt is others[1]
    assert found.how == "v2 of 2026-05-08: the last of 2 earlier attempts of Ann (axel), by date."


def test_attempts_of_one_day_are_in_the_order_of_the_table():
    attempts = [attempt("first", 9), attempt("second", 9), attempt("third", 9)]
    assert choose("last", attempts, attempts[1], Path("second.mp4")).attempt is attempts[0]
    with pytest.raises(DatasetError, match="there is no attempt of Ann before 2026-05-09"):
        choose("last", attempts, attempts[0], Path("first.mp4"))


def test_the_best_one_is_the_highest_by_the_judges_or_predicted():
    new = attempt("new", 9)
    attempts = [attempt("v1", label=60.0, predicted=80.0), attempt("v2", predicted=61.0), attempt("v3"), new]
    found = choose("best", attempts, new, Path("new.mp4"))
    assert found.attempt is attempts[1], "the judges' 60 counts, not the predicted 80"
    assert found.how == "v2: the best of 2 scored attempts of Ann, 61.00 (a prediction)."


@pytest.mark.parametrize(
    ("which", "new", "others", "message"),
    [
        (
            "last",
            None,
            [],
            "does not say whose attempt new.mp4 is: give it a line with video, athlete and date",
        ),
        ("best", attempt("new", athlete=None), [], "name a video in place of `best`"),
        ("last", attempt("new"), [attempt("v1", 1)], "has no date of new: enter it in the column date"),
        ("last", attempt("new", 9), [attempt("v1")], "before 2026-05-09; 1 attempt without a date cannot be"),
        ("best", attempt("new", 9), [attempt("v1", 1, athlete="Bo")], "has no other attempt of Ann"),
        ("best", attempt("new", 9), [attempt("v1", 1)], "or score the video, as in `aqa score v1.mp4`"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(which, new, others, message):
    with pytest.raises(DatasetError, match=message):
        choose(which, [*others, *([new] if new else [])], new, Path("new.mp4"))


def test_a_file_of_several_performances_is_no_single_attempt(tmp_path: Path):
    video = tmp_path / "day.mp4"
    both = [Attempt(Video("a", video, stop_frame=9)), Attempt(Video("b", video, start_frame=9))]
    with pytest.raises(DatasetError, match=r"holds 2 performances \(a, b\)"):
        find_attempt(both, video)
    assert find_attempt(both[:1], tmp_path / "." / "day.mp4") is both[0]
    assert find_attempt(both, tmp_path / "other.mp4") is None
