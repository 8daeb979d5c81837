"""Each text field of a page, filled by a stranger, comes out as text: no tag, no script, no other address."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from heads.pages.index_page import IndexPage, IndexRow, write_index_page
from heads.pages.media import Media
from heads.pages.run_page import (
    Comparing,
    Picture,
    RunPage,
    RunSection,
    RunTables,
    TableOf,
    WorstVideo,
    write_run_page,
)
from heads.pages.score_page import (
    Link,
    Mark,
    Moment,
    Outline,
    Place,
    Player,
    Scale,
    ScorePage,
    ShownScore,
    TubeStrip,
    write_score_page,
)
from heads.pages.track import Track

HOSTILE = "</script><script>x()</script><b onclick=x()>\"'`{{7*7}}&lt;\u2028"
PICTURE = "data:image/png;base64,AA=="
MARKS = (Mark(0.0, "0"), Mark(1.0, "100"))


class Parsed(HTMLParser):
    """What a browser sees: tags with their attributes, and text outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._in: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in = None

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts[-1] += data
        elif self._in != "style":
            self.text += data


def track(name: str = "Crops", unit: str = "effect") -> Track:
    times = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    return Track(name, unit, "effect", times, np.array([-2.0, 5.0, 0.3]), 0.0, 40.0)


SCORE = ScorePage(
    title="routine.mp4",
    score=ShownScore("score", "50.4", ("90 % interval.",), Scale(MARKS, (0.0, 1.0), Place(0.5, (0.2, 0.7)))),
    warnings=("It is long.",),
    flags=("RANDOM WEIGHTS",),
    player=Player(
        media=Media("./routine.mp4", 0.0, "", 160, 90),
        duration_seconds=3.0,
        outlines=[Outline(0.0, 1.0, ((0.0, 0.0), (1.0, 1.0)))],
        filmstrip=(PICTURE,),
        tube=TubeStrip((0.0, 3.0), ((1.0, 2.0),), (2.0,), "The tracker followed."),
    ),
    tracks=[track()],
    moments=[Moment("Crops", "highest", 1.0, 2.0, "0.5", (PICTURE,))],
    facts=[("Video", "routine.mp4")],
    back=Link("./index.html", "all scored videos"),
)
PART_OF = {"target": "score", "summary": "score", "scale": "score", "media": "player", "tube": "player"}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": HOSTILE},
        {"target": replace(SCORE.score, target=HOSTILE)},
        {"score": replace(SCORE.score, text=HOSTILE)},
        {"summary": replace(SCORE.score, summary=(HOSTILE,))},
        {"warnings": (HOSTILE,)},
        {"flags": (HOSTILE,)},
        {
            "scale": replace(
                SCORE.score, scale=Scale((Mark(0.0, HOSTILE),), (), Place(0.5, None), note=HOSTILE)
            )
        },
        {"media": replace(SCORE.player, media=Media("./a.mp4", 0.0, HOSTILE, 160, 90))},
        {"tracks": [track(HOSTILE, HOSTILE)]},
        {"moments": [Moment("Crops", "highest", 1.0, 2.0, HOSTILE, (PICTURE,))]},
        {"facts": [(HOSTILE, HOSTILE)]},
        {"tube": replace(SCORE.player, tube=TubeStrip((0.0, 3.0), (), (), HOSTILE))},
        {"back": Link("./index.html", HOSTILE)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_field_of_a_score_page_becomes_a_tag(tmp_path: Path, changes: dict) -> None:
    plain = Parsed(write_score_page(tmp_path / "plain.html", SCORE).read_text())
    parts = {PART_OF.get(name, name): value for name, value in changes.items()}
    page = Parsed(write_score_page(tmp_path / "page.html", replace(SCORE, **parts)).read_text())
    assert len(page.scripts) == len(plain.scripts)
    assert "b" not in {tag for tag, attributes in page.tags if "onclick" in attributes}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert not re.search(r"\b49\b", page.text), "a template in a name is not run"
    name = next(iter(changes))
    if name not in ("media", "scale"):  # a note may be an attribute, a mark may be shortened
        everywhere = page.text + "".join(
            str(value) for _, attributes in page.tags for value in attributes.values()
        )
        everywhere += "".join(page.scripts)
        assert "x()" in everywhere, "the name is shown, not swallowed"


def test_the_data_for_the_script_is_what_the_page_shows(tmp_path: Path) -> None:
    page = Parsed(
        write_score_page(tmp_path / "page.html", replace(SCORE, tracks=[track(HOSTILE)])).read_text()
    )
    (data,) = (json.loads(text) for text in page.scripts if '"tracks"' in text and text.startswith("{"))
    assert data["duration"] == 3.0
    assert data["tracks"][0]["name"] == HOSTILE
    assert data["tracks"][0]["values"] == [-2.0, 5.0, 0.3]
    assert data["tracks"][0]["levels"] == ["lowest", "highest", "other"]
    assert data["outlines"] == [{"start": 0.0, "stop": 1.0, "corners": [[0.0, 0.0], [1.0, 1.0]]}]


ROW = IndexRow("a.mp4", "./a.html", "50", "± 2", Place(0.5, (0.4, 0.6)), "42 %", ("long",))
INDEX = IndexPage("1 video scored", "wd", "score", ("SIMULATED",), ("note",), MARKS, [ROW], [("b", "broken")])


@pytest.mark.parametrize(
    "changes",
    [
        {"title": HOSTILE},
        {"run": HOSTILE},
        {"target": HOSTILE},
        {"flags": (HOSTILE,)},
        {"notes": (HOSTILE,)},
        {"rows": [replace(ROW, video=HOSTILE)]},
        {"rows": [replace(ROW, score=HOSTILE, spread=HOSTILE, percentile=HOSTILE, warnings=(HOSTILE,))]},
        {"failures": [(HOSTILE, HOSTILE)]},
        {"not_scored": [(HOSTILE, HOSTILE, "")]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_field_of_an_index_becomes_a_tag(tmp_path: Path, changes: dict) -> None:
    page = Parsed(write_index_page(tmp_path / "i.html", replace(INDEX, **changes)).read_text())
    assert page.scripts == []
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "{{7*7}}" in page.text, "text stays text, to the last sign"


TABLE = TableOf(("split", "value"), [("given", "0.5")], "note")
PICTURE_OF_RUN = Picture(
    "Predictions", "what it shows", "<svg xmlns='http://www.w3.org/2000/svg'></svg>", "note"
)
SECTION = RunSection(
    title="wd on clips",
    place="runs/wd",
    flags=("SIMULATED",),
    headline=(("Spearman", "0.5", "95 %"),),
    notes=("note",),
    tables=RunTables(TABLE, TABLE),
    pictures=[PICTURE_OF_RUN],
    learning_curves=[],
    worst=[WorstVideo("a.mp4", "given", "1", "2", "+1", "", "gone")],
    facts=[("Dataset", "club")],
)


@pytest.mark.parametrize(
    "changes",
    [
        {"title": HOSTILE},
        {"place": HOSTILE},
        {"flags": (HOSTILE,)},
        {"headline": ((HOSTILE, HOSTILE, HOSTILE),)},
        {"notes": (HOSTILE,)},
        {"tables": RunTables(TableOf((HOSTILE, "value"), [(HOSTILE, "0.5")], HOSTILE), TABLE)},
        {"tables": RunTables(TABLE, TableOf(("split",), [(HOSTILE,)]), TABLE)},
        {"tables": RunTables(TABLE, TABLE, TableOf((HOSTILE,), [(HOSTILE,)], HOSTILE))},
        {"pictures": [replace(PICTURE_OF_RUN, title=HOSTILE, alt=HOSTILE, note=HOSTILE)]},
        {"worst": [WorstVideo(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, "", HOSTILE)]},
        {"facts": [(HOSTILE, HOSTILE)]},
    ],
    ids=lambda changes: next(iter(changes)),
)
@pytest.mark.parametrize("number", [1, 2])
def test_no_field_of_a_report_becomes_a_tag(tmp_path: Path, changes: dict, number: int) -> None:
    sections = [replace(SECTION, **changes)] * number
    several = Comparing(PICTURE_OF_RUN, [("All runs", TABLE)], []) if number > 1 else None
    page = RunPage(title="report", runs=sections, comparison=several)
    parsed = Parsed(write_run_page(tmp_path / "r.html", page).read_text())
    assert parsed.scripts == []
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)
    assert not re.search(r"\b49\b", parsed.text)
