"""Which videos have an earlier attempt of the athlete."""

from datetime import date
from pathlib import Path

from aqa.serve.library.earlier import with_earlier_attempt
from aqa_pipeline.records import Video


def video(name: str, day: int | None, athlete: str | None = "Ann", element: str | None = None) -> Video:
    performed_on = None if day is None else date(2026, 5, day)
    return Video(name, Path(name), athlete=athlete, performed_on=performed_on, element=element)


def test_the_first_attempt_of_each_athlete_has_none_before_it() -> None:
    videos = [
        video("b", 9),
        video("a", 4),
        video("c", 9, athlete="Bea"),
        video("d", None),
        video("e", 2, None),
    ]
    assert with_earlier_attempt(videos) == {"b"}


def test_on_one_day_the_order_of_the_table_counts() -> None:
    assert with_earlier_attempt([video("a", 4), video("b", 4)]) == {"b"}


def test_attempts_of_an_element_are_compared_with_each_other() -> None:
    videos = [video("axel", 1, element="axel"), video("lutz", 2, element="lutz"), video("any", 3)]
    assert with_earlier_attempt(videos) == {"any"}
    assert with_earlier_attempt([*videos, video("lutz-2", 4, element="lutz")]) == {"any", "lutz-2"}
