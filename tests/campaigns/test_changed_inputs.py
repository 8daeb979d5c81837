"""A short form of the campaign on changed inputs. Each change does what it says; a miss is counted."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Source
from aqa_pipeline.sources.compare import boxes_digest, compare
from aqa_pipeline.video import Disk, source_of
from campaigns import changed_inputs
from campaigns.changed_inputs import Tally
from campaigns.inputs import changes
from campaigns.inputs.changes import CHANGES, Inputs


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """Return inputs with one video of each kind."""
    monkeypatch.setattr(changes, "NUM_OF_EACH", 1)
    return Inputs.made(tmp_path / "jumps", random.Random(0))


@pytest.mark.slow
def test_changed_inputs_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "NUM_OF_EACH", 1)
    monkeypatch.setattr(changed_inputs, "CHANGES_OF_A_ROUND", 3)
    result = changed_inputs.measure(3, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert (result.counts["changes"], result.counts["stores compared"]) == (3, 1)


def sources_of(inputs: Inputs) -> dict[str, Source]:
    """Return the source that a record of crops would have, by video."""
    videos = load_dataset("folder", inputs.root).videos
    return {v.video_id: replace(source_of(v), boxes_digest=boxes_digest(v.boxes)) for v in videos}


@pytest.mark.parametrize(
    ("what", "name"),
    [
        (what, name)
        for what, change in CHANGES.items()
        for name in ("h264-0", "raw-0", "pictures-0")
        if change.suits(name)
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changes_are_what_they_say(inputs: Inputs, what: str, name: str, seed: int) -> None:
    before, quads = sources_of(inputs), (inputs.root / "quads" / "raw-0.csv").read_bytes()
    CHANGES[what].apply(inputs, name, random.Random(seed))
    inputs.write_table()
    for video in load_dataset("folder", inputs.root).videos:
        quick, thorough = (
            compare(
                before[video.video_id], video, disk=Disk(), boxes=boxes_digest(video.boxes), thorough=thorough
            ).reasons
            for thorough in (False, True)
        )
        reported = CHANGES[what].reason is not None and "crops" in CHANGES[what].streams
        assert bool(thorough) == (reported and video.video_id == name)
        assert quick == (() if CHANGES[what].quietly else thorough)
    same_quads = (inputs.root / "quads" / "raw-0.csv").read_bytes() == quads
    assert same_quads == ((what, name) != ("quads", "raw-0"))


def test_every_change_is_drawn_and_no_video_twice() -> None:
    names = [f"{kind}-{number}" for kind in ("h264", "raw", "pictures") for number in range(4)]
    rng = random.Random(0)
    drawn = [changed_inputs._draw(rng, names, 10, CHANGES) for _ in range(50)]
    assert {len(each) for each in drawn} == {10}
    assert {what for each in drawn for what in each.values()} == set(CHANGES)
    assert all(CHANGES[what].suits(name) for each in drawn for name, what in each.items())


def test_missed_changes_and_reports_in_vain_are_counted() -> None:
    tally, expected = Tally(), {"a": CHANGES["fps"], "b": CHANGES["boxes"], "c": CHANGES["window"]}
    drawn = {"a": "fps", "b": "boxes", "c": "window", "d": "only touched"}
    reported = {"a": "5 fps instead of 10", "b": "another file", "d": "another file", "e": "other boxes"}
    changed_inputs._add_to_tally(tally, "extract", drawn, reported, expected)
    assert tally.missed == {
        "round 0, b": "boxes, but extract reports another file",
        "round 0, c": "window, but extract reports nothing",
    }
    assert sorted(tally.in_vain) == [
        "round 0, d: only touched, but extract reports another file",
        "round 0, e: unchanged, but extract reports other boxes",
    ]


def test_the_report_of_extract_is_read() -> None:
    text = "2 videos changed since they were extracted: a (another file, other boxes), b-0 (5 fps).\ndone"
    assert changed_inputs._reported_by_extract(text) == {"a": "another file, other boxes", "b-0": "5 fps"}
    assert changed_inputs._reported_by_extract("nothing changed") == {}
