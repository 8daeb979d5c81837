"""Diaries of made-up attempts: their order, the best and the latest, tables, charts, and hostile names."""

import csv
from datetime import date
from pathlib import Path

import pytest

from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Video
from heads.attempts.attempt import Attempt, Attempts, PredictedScore
from heads.attempts.diary import diaries_of
from heads.attempts.diary_page_content import write_diary
from heads.attempts.diary_text import format_diaries, write_diary_csv

HOSTILE = "=cmd<script>window.hacked=1</script>"


def attempt(name, day=None, *, label=None, predicted=None, athlete="Ann", element="axel"):
    when = None if day is None else date(2026, 5, day)
    video = Video(name, Path(f"{name}.mp4"), athlete=athlete, performed_on=when, element=element)
    score = None if predicted is None else PredictedScore(predicted, (predicted - 5, predicted + 5), "test")
    return Attempt(video, label, score)


@pytest.fixture
def attempts() -> Attempts:
    rows = (
        attempt("c", 20, predicted=61.0),
        attempt("a", 1, label=60.0, predicted=58.0),
        attempt("b", 10, label=64.0, predicted=70.0),
        attempt("later", None, label=99.0),
        attempt("other", 3, label=50.0, element="lutz"),
        attempt("d", 5, label=40.0, athlete="Bo", element=None),
        attempt("nobody", 6, label=41.0, athlete=None),
    )
    residuals = {str(number): (-1.0) ** number * 4 for number in range(20)}
    return Attempts(rows, residuals, "score")


def test_attempts_are_in_order_with_the_best_and_the_latest_of_each_element(attempts: Attempts) -> None:
    ann, bo = diaries_of(attempts)
    assert [part.element for part in ann.elements] == ["axel", "lutz"]
    axel = ann.elements[0]
    assert [each.video.video_id for each in axel.attempts] == ["a", "b", "c", "later"]
    assert [axel.mark(each) for each in axel.attempts] == ["", "", "latest", "best"]
    assert (
        axel.difference.headline
        == "-9.00, larger than the typical error of 5.80, but errors alone make "
        + ("such a difference in 14 of 100 cases: weak evidence of decline.")
    )
    assert bo.elements[0].mark(bo.elements[0].attempts[0]) == "best, latest"
    assert bo.elements[0].difference is None


def test_one_athlete_may_be_asked_for(attempts: Attempts) -> None:
    assert [diary.athlete for diary in diaries_of(attempts, "Bo")] == ["Bo"]
    with pytest.raises(UnknownName, match="unknown athlete 'Anna'"):
        diaries_of(attempts, "Anna")
    with pytest.raises(DatasetError, match="names no athlete: add the columns athlete and date"):
        diaries_of(Attempts((attempt("a", athlete=None),), {}, "score"))


def test_the_text_and_the_csv_tell_labels_from_predictions(attempts: Attempts, tmp_path: Path) -> None:
    text = format_diaries(diaries_of(attempts, "Ann"))
    assert "2026-05-01  a.mp4      60.00   58.00 (53.00 to 63.00)" in text
    assert "Not scored yet" not in text
    write_diary_csv(tmp_path / "diary.csv", diaries_of(attempts))
    rows = list(csv.DictReader((tmp_path / "diary.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert (rows[2]["judges"], rows[2]["predicted"], rows[2]["interval_low"]) == ("", "61.0", "56.0")
    assert [row["video"] for row in rows if row["best"]] == ["later.mp4", "other.mp4", "d.mp4"]


def test_what_has_no_score_is_named() -> None:
    text = format_diaries(diaries_of(Attempts((attempt("a", 1),), {}, "score")))
    assert "Not scored yet: a.mp4." in text
    assert text.endswith("`aqa score VIDEO` predicts the score of a video and keeps it for the diary.")


def test_the_page_is_in_sight_without_scripts_on_a_phone(attempts: Attempts, tmp_path: Path, browser) -> None:
    page = write_diary(tmp_path / "diary.html", diaries_of(attempts), attempts, dataset="club")
    browser.open(page, width=390)
    assert browser.complaints == []
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.js("document.documentElement.scrollWidth") <= 390
    ends = browser.js(
        "[...document.querySelectorAll('.plane')].map((plane) => [...plane.querySelectorAll('.dot')]"
        ".map((dot) => (dot.offsetTop + dot.offsetHeight / 2) / plane.clientHeight))"
    )
    # One axis for both elements of an athlete; predicted and judges, by date; no dot without a date.
    assert ends[0] == pytest.approx([0.7, 2 / 3, 0.5, 0.6, 0.65], abs=0.02)
    assert ends[1] == pytest.approx([50 / 60], abs=0.02)


def test_the_page_says_how_many_videos_the_interval_covers(attempts: Attempts, tmp_path: Path) -> None:
    few = Attempts(attempts.all, attempts.residuals, attempts.target, coverage=2 / 3)
    page = write_diary(tmp_path / "diary.html", diaries_of(few), few, dataset="club")
    assert "67 of 100 videos" in page.read_text()


def test_hostile_names_do_nothing(tmp_path: Path, browser) -> None:
    hostile = Attempts((attempt(HOSTILE, 1, label=1.0, athlete=HOSTILE, element=HOSTILE),), {}, HOSTILE)
    page = write_diary(tmp_path / "diary.html", diaries_of(hostile), hostile, dataset=HOSTILE)
    browser.open(page)
    assert browser.js("window.hacked") is None
    assert browser.js("document.querySelector('h3').textContent") == HOSTILE
    write_diary_csv(tmp_path / "diary.csv", diaries_of(hostile))
    assert f"'{HOSTILE}," in (tmp_path / "diary.csv").read_text()
