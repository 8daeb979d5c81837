"""Index pages and CSV of scored features with names from outside: escaped, linked, numbered, in order."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from heads.scoring.ensemble import load_ensemble
from heads.scoring.external_features import StepSeconds
from heads.scoring.inputs import array_input
from heads.scoring.result import ScoringResult
from heads.scoring.run import Run
from heads.scoring.scorer import Scorer, make_scorer
from heads.scoring.shown.index_page_content import write_index
from heads.scoring.shown.page_paths import number_name, page_paths
from heads.scoring.shown.score_files import write_csv, write_json

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "=HYPERLINK(A1)",
    "羽生\u202e結弦",
    "a&amp;b & c",
]


@pytest.fixture(scope="module")
def scorer(club) -> Scorer:
    return make_scorer(load_ensemble(club.run("wd")))


@pytest.fixture(scope="module")
def results(club, scorer: Scorer) -> list[ScoringResult]:
    """Return a scored video for each hostile name."""
    run, made = Run(scorer), []
    for number, name in enumerate(HOSTILE):
        features = club.store.read("club", f"v{2 * number + 1:02d}", club.spec("clips")).features
        item = array_input(features + np.float32(0.01), scorer.ensemble, StepSeconds({}))
        made.append(run.result(replace(item, name=name)))
    return made


class Cells(HTMLParser):
    """The text of each field of the first table, the tags and the links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: list[list[str]] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name == "href" and tag == "a"]
        if tag == "tr":
            self.fields.append([])
        if tag == "td":
            self.fields[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.fields and self.fields[-1]:
            self.fields[-1][-1] += data


def rows_of(text: str) -> list[list[str]]:
    return [[" ".join(field.split()) for field in row] for row in Cells(text).fields if len(row) > 1]


def test_hostile_names_are_text_and_scores_are_in_order(results, scorer: Scorer, tmp_path: Path) -> None:
    pages = {number: tmp_path / "pages" / f"{number}.html" for number in range(len(results))}
    failures = {name: name for name in HOSTILE[:2]}
    path = write_index(tmp_path / "index.html", results, scorer, pages=pages, failures=failures)
    text = path.read_text()
    parsed = Cells(text)
    assert {"script", "img"} & parsed.tags == set()
    assert [row[0] for row in rows_of(text)] == [
        " ".join(one.scored_video.name.split())
        for one in sorted(results, key=lambda one: -one.scored_video.prediction.score)
        if one.scored_video.not_scored is None
    ]
    assert all(link.startswith("./pages/") for link in parsed.links)
    assert "49" not in re.findall(r"\{\{.*?\}\}|49\b", text), "a template in a name is not run"


def test_numbers_of_the_index_are_those_of_the_json(results, scorer: Scorer, tmp_path: Path) -> None:
    write_json(tmp_path / "s.json", results, {}, scorer=scorer)
    index = write_index(tmp_path / "i.html", results, scorer, pages={}, failures={}).read_text()
    content = {video["video"]: video for video in json.loads((tmp_path / "s.json").read_text())["videos"]}
    rows = {row[0]: row for row in rows_of(index)}
    assert len(rows) == sum(video["score"] is not None for video in content.values()) > 3
    for name, video in content.items():
        if video["score"] is None:
            continue
        row = rows[" ".join(name.split())]
        score, spread = row[1].split(" ± ")
        digits = len(score.partition(".")[2])
        assert score == f"{video['score']:.{digits}f}"
        assert spread == f"{video['interval']['half_width']:.{digits}f}"
        assert row[-1] == f"{video['percentile']:.0f} %"


def test_a_spreadsheet_runs_no_name(results, scorer: Scorer, tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", results, {"=cmd|x": "+error"}, scorer=scorer)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text())))
    assert [row["video"] for row in rows] == [
        f"'{name}" if name.startswith("=") else name for name in [*HOSTILE, "=cmd|x"]
    ]
    assert rows[-1]["error"] == "'+error"
    assert all(row["error"] == "" for row in rows[:-1])


def test_undefined_numbers_are_null_and_empty(club, tmp_path: Path) -> None:
    scorer = make_scorer(load_ensemble(club.run("svr")))
    features = club.store.read("club", "v01", club.spec("clips")).features + np.float32(0.01)
    one = Run(scorer).result(array_input(features, scorer.ensemble, StepSeconds({})))
    write_json(tmp_path / "s.json", [one], {}, scorer=scorer)
    write_csv(tmp_path / "s.csv", [one], {}, scorer=scorer)
    (video,) = json.loads((tmp_path / "s.json").read_text())["videos"]
    (row,) = csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text()))
    assert video["seed_std"] is None
    assert row["seed_std"] == row["class"] == row["not_scored"] == ""


def test_pages_of_equal_names_are_numbered_and_stay_in_the_folder(results, tmp_path: Path) -> None:
    paths = page_paths(tmp_path, results, single=False)
    assert len(set(paths)) == len(results)
    assert {path.parent for path in paths} == {tmp_path}
    twice = page_paths(tmp_path, [results[0], results[0], results[0]], single=False)
    stem = twice[0].stem
    assert [path.name for path in twice] == [f"{stem}.html", f"{stem}-2.html", f"{stem}-3.html"]


def test_a_single_video_has_the_named_file_or_its_name_in_a_folder(results, tmp_path: Path) -> None:
    assert page_paths(tmp_path / "a.html", results[:1], single=True) == [tmp_path / "a.html"]
    (inside,) = page_paths(tmp_path, results[:1], single=True)
    assert inside.parent == tmp_path


@pytest.mark.parametrize(
    ("taken", "expected"),
    [([], "a"), (["a"], "a-2"), (["a", "a-2"], "a-3"), (["a-2"], "a"), (["a", "a-3"], "a-2")],
)
def test_the_first_free_number_is_taken(taken: list[str], expected: str) -> None:
    assert number_name("a", taken) == expected
