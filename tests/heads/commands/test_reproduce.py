"""`aqa reproduce` and `aqa compare` as a person types them, on a few simulated videos."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli

FILES = ("SIMULATED-table.md", "SIMULATED-table.csv", "SIMULATED-table.json")


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Twelve routines with the ball, eight to learn from: label files as the authors have them."""
    root = tmp_path / "gymnastics"
    root.mkdir()
    scores = np.random.default_rng(0).uniform(5, 20, size=12).round(2)
    for side, numbers in (("train", range(8)), ("test", range(8, 12))):
        lines = [f"Ball_{n:03d}\t5.0 {scores[n] - 5:.2f}\t{scores[n]:.2f} 0.0\t20.0" for n in numbers]
        (root / f"{side}.txt").write_text("\n".join(["a header line", *lines]) + "\n")
    return root


@pytest.fixture
def simulated(labels: Path, tmp_path: Path) -> Path:
    store = tmp_path / "simulated"
    options = ("--like", "rhythmic-gymnastics", "--root", labels, "--store", store)
    assert aqa("simulate", *options, "--streams", "segments,frames").exit_code == 0
    return store


def reproduce(labels: Path, store: Path, out: Path, *more: object) -> Result:
    return aqa(
        *("reproduce", "action-net-table1", "--root", f"rhythmic-gymnastics={labels}", "--store", store),
        *("--out", out, "--columns", "mit-skating,ball", "--seeds", "0,1", "--epochs", 1, "--jobs", 1),
        *("--device", "cpu", *more),
    )


ROWS = ("--rows", "li,i3d-svr-average,resnet-svr-average,i3d-lstm,action-net-paper")


def test_a_table_runs_what_it_can_and_says_what_it_cannot(labels, simulated, tmp_path) -> None:
    result = reproduce(labels, simulated, tmp_path / "out", *ROWS, "--simulated")
    assert result.exit_code == 3, result.output
    assert "*** SIMULATED ***" in result.output
    assert "NOT THE PAPER'S TRAINING: 1 epoch instead of 400" in result.output
    assert "mit-skating: every row" in result.output
    assert "data/mit-skating is not a folder" in result.output
    assert "12 of 12 videos lack crops (resnet50)" in result.output
    assert "Li et al." in result.output
    document = json.loads((tmp_path / "out" / FILES[2]).read_text())
    statuses = {(cell["row"], cell["column"]): cell["status"] for cell in document["cells"]}
    assert statuses["i3d-lstm", "ball"] == statuses["resnet-svr-average", "ball"] == "run"
    assert statuses["action-net-paper", "ball"] == "not run"
    assert statuses["li", "mit-skating"] == "cited"

    before = [(tmp_path / "out" / name).read_bytes() for name in FILES]
    assert reproduce(labels, simulated, tmp_path / "out", *ROWS, "--simulated").stdout == result.stdout
    assert [(tmp_path / "out" / name).read_bytes() for name in FILES] == before

    runs = tmp_path / "out" / "runs"
    compared = aqa(
        *("compare", runs / "i3d-lstm" / "ball", runs / "i3d-svr-average" / "ball"),
        *("--json", tmp_path / "new" / "comparison.json"),
    )
    assert compared.exit_code == 0, compared.output
    assert "SIMULATED" in compared.output
    assert "A - B" in compared.output
    written = json.loads((tmp_path / "new" / "comparison.json").read_text())
    assert written["splits"][0]["num_videos"] == 4
    assert written["first"]["flags"] == ["SIMULATED"]


def test_simulated_features_are_refused_without_the_word(labels, simulated, tmp_path) -> None:
    result = reproduce(labels, simulated, tmp_path / "out", *ROWS)
    assert result.exit_code == 1
    assert "holds SIMULATED features" in result.output
    assert not (tmp_path / "out").exists()


def test_features_are_extracted_first_where_videos_are_there(labels, tmp_path, monkeypatch) -> None:
    """Without weights it gets as far as asking for them: every stream is tried, the table is printed."""
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    (labels / "videos").mkdir()
    for number in range(12):
        (labels / "videos" / f"Ball_{number:03d}.mp4").touch()
    rows = ("--rows", "resnet-lstm,i3d-lstm")
    result = reproduce(labels, tmp_path / "store", tmp_path / "out", *rows)
    assert result.exit_code == 3
    assert "--streams frames,segments --backbone frames=resnet50 --backbone segments=i3d" in result.output
    assert "aqa weights fetch resnet50-imagenet-v1" in result.output
    assert "aqa weights fetch i3d-kinetics-hassony2" in result.output
    assert "12 of 12 videos lack segments (i3d)" in result.output
    quiet = reproduce(labels, tmp_path / "store", tmp_path / "out", *rows, "--no-extract")
    assert quiet.exit_code == 3
    assert "$ aqa extract" not in quiet.output


def test_a_quick_look_is_told_apart_from_the_table(labels, simulated, tmp_path) -> None:
    rows = ("--columns", "ball", "--rows", "i3d-svr-average,action-net-paper", "--jobs", 1, "--device", "cpu")
    place = ("--root", f"rhythmic-gymnastics={labels}", "--store", simulated, "--simulated")
    common = ("reproduce", "action-net-table1", *place, *rows)
    result = aqa(*common, "--quick", "--latex", "--out", tmp_path / "quick", "--rows", "i3d-svr-average")
    assert result.exit_code == 4, result.output
    assert "QUICK LOOK, NO REPRODUCTION of Table 1" in result.output
    names = {path.name for path in (tmp_path / "quick").glob("QUICK-SIMULATED-table.*")}
    assert names == {f"QUICK-SIMULATED-table.{ending}" for ending in ("md", "csv", "json", "tex")}
    settings = json.loads((tmp_path / "quick" / "settings.json").read_text())
    assert (settings["quick"], settings["epochs"], settings["seeds"]) == (True, 5, [0])
    mixed = aqa(*common, "--epochs", 5, "--seeds", "0", "--out", tmp_path / "quick")
    assert mixed.exit_code == 1
    assert "quick: True != False" in mixed.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("reproduce", "action-net-table9"), 1, "unknown table 'action-net-table9'"),
        (("reproduce", "action-net-table1", "--columns", "bal"), 1, "Did you mean 'ball'"),
        (("reproduce", "action-net-table1", "--root", "data"), 2, "--root expects NAME=DIR"),
        (("reproduce", "action-net-table1", "--seeds", "a"), 2, "--seeds expects numbers"),
        (("reproduce", "action-net-table1", "--spec", "segments="), 2, "--spec expects STREAM=HASH"),
    ],
)
def test_wrong_words_are_explained(arguments, code, message) -> None:
    result = aqa(*arguments)
    assert result.exit_code == code
    assert message in result.output


def test_comparing_what_is_no_run_is_explained(tmp_path) -> None:
    result = aqa("compare", tmp_path, tmp_path)
    assert result.exit_code == 1
    assert "is not a run directory" in result.output
