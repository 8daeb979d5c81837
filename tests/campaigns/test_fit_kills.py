"""A short form of the campaign on fit and report; half, missing and additional files are noticed."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from aqa_pipeline.disk.files import part_beside
from campaigns import fit_kills
from campaigns.inputs.fit_place import Place


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it forks, and reads /proc")
def test_disturbed_runs_end_as_undisturbed_ones(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.fit_kills", "--count", "3", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stdout + run.stderr
    details = json.loads((tmp_path / "fit_kills.json").read_text())["details"]
    assert details["problems"] == []
    assert details["  fine tuned fit killed"] == 1
    assert [details[f"  {what.__name__.replace('_', ' ')}"] for what in fit_kills.DISTURBANCES[:3]] == [1] * 3


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return the place of a whole, very small run."""
    files = {f"run/split-a/seed-0/{name}": name.encode() for name in ("cell.json", "epochs.csv")}
    files |= {"run/summary.json": b"{}", "page/run.html": b"<p>"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    place = Place(tmp_path, (), lambda _: contextlib.nullcontext(), whole=files)
    assert place.contents() == files
    assert place.unsound() == place.differences() == []
    return place


def test_an_unfinished_run_is_sound_and_another_in_the_end(place: Place) -> None:
    (place.folder / "run" / "summary.json").unlink()
    assert place.unsound() == []
    assert place.differences() == ["run/summary.json differs"]


def test_a_trained_cell_with_a_missing_file_is_noticed(place: Place) -> None:
    (place.folder / "run" / "split-a" / "seed-0" / "epochs.csv").unlink()
    assert place.unsound() == ["run/split-a/seed-0/epochs.csv is missing"]


def test_half_a_file_is_noticed(place: Place) -> None:
    (place.folder / "page" / "run.html").write_bytes(b"<")
    assert place.unsound() == ["page/run.html is half there, or another"]


def test_a_part_may_lie_there_until_the_next_command(place: Place) -> None:
    part = part_beside(place.folder / "run" / "summary.json")
    part.write_bytes(b"{")
    assert place.unsound() == []
    assert place.differences() == [f"run/{part.name} differs"]


def test_the_snapshot_of_an_epoch_may_lie_there_until_the_end_of_its_fit(place: Place) -> None:
    (place.folder / "run" / "split-a" / ".seed-1.snapshot").write_bytes(b"{")
    assert place.unsound() == []
    assert place.differences() == ["run/split-a/.seed-1.snapshot differs"]


@pytest.mark.parametrize(
    ("text", "clear"),
    [
        ("Training\nError: run: the disk is full.\n", True),
        ("Traceback (most recent call last):\nError: no\n", False),
        ("Error: run\nand more", False),
        ("", False),
    ],
)
def test_one_clear_line(text: str, clear: bool) -> None:
    assert fit_kills._is_one_line(text) == clear
