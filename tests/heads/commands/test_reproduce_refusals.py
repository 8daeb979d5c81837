"""What `aqa reproduce` refuses before any work: wrong words, wrong folders, features that no row reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the label files of twelve routines with the ball, and their simulated segments."""
    home = tmp_path_factory.mktemp("home")
    (home / "gymnastics").mkdir()
    scores = np.random.default_rng(0).uniform(5, 20, size=12).round(2)
    for side, numbers in (("train", range(8)), ("test", range(8, 12))):
        lines = [f"Ball_{n:03d}\t5.0 {scores[n] - 5:.2f}\t{scores[n]:.2f} 0.0\t20.0" for n in numbers]
        (home / "gymnastics" / f"{side}.txt").write_text("\n".join(["a header line", *lines]) + "\n")
    like = ("--like", "rhythmic-gymnastics", "--root", home / "gymnastics", "--store", home / "features")
    assert aqa("simulate", *like, "--streams", "segments").exit_code == 0
    return home


def reproduce(home: Path, *more: object) -> Result:
    place = (
        "--root",
        f"rhythmic-gymnastics={home / 'gymnastics'}",
        "--store",
        home / "features",
        "--simulated",
    )
    part = ("--columns", "ball", "--rows", "i3d-svr-average", "--device", "cpu", "--jobs", 1)
    return aqa("reproduce", "action-net-table1", *place, *part, *more)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--rows", "svr"), 1, "unknown row of action-net-table1 'svr'"),
        (("--backbone", "c3f"), 2, "--backbone c3f: no row of action-net-table1 reads it. Its rows read "),
        (("--backbone", "crops=i3d"), 2, "--backbone i3d: no row of action-net-table1 reads it."),
        (("--backbone", "="), 2, "--backbone expects NAME or STREAM=NAME, once per stream; got '='."),
        (("--spec", "=ffff"), 2, "--spec expects STREAM=HASH (see `aqa store ls`); got '=ffff'."),
        (("--root", "here"), 2, "--root expects NAME=DIR, such as mit-skating=/data/skating; got 'here'."),
        (("--seeds", "0;1"), 2, "--seeds expects numbers such as 0,1,2; got '0;1'."),
        (("--device", "tpu"), 1, "device 'tpu' cannot be used"),
        (("--jobs", "0"), 2, "0 is not in the range x>=1"),
        (("--epochs", "0"), 2, "0 is not in the range x>=1"),
        (("--checkpoint-activations",), 2, "--checkpoint-activations goes with --fine-tune only."),
        (("--select", "luck"), 2, "'luck' is not one of 'last', 'val', 'best-on-test'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_words_are_explained_and_nothing_is_written(
    home: Path, tmp_path: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    result = reproduce(home, "--out", tmp_path / "out", *options)
    assert result.exit_code == code, result.output
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_a_plan_writes_nothing(home: Path, tmp_path: Path) -> None:
    before = sorted(path for path in home.rglob("*"))
    result = reproduce(home, "--plan", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "out").exists()
    assert sorted(path for path in home.rglob("*")) == before


def test_a_folder_of_something_else_is_left_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    result = reproduce(home, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "is not empty and holds no table: name a new folder with --out." in result.output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("content", ["{", "[1]", "7", ""])
def test_damaged_settings_are_named(home: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_text(content)
    result = reproduce(home, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "settings.json is damaged (" in result.output
    assert "name a new folder with --out." in result.output


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--seeds", "5"), "  seeds: [0] != [5]"),
        (("--epochs", "9"), "  epochs: 3 != 9"),
        (("--select", "val"), "  select: last != val"),
        (("--quick",), "  quick: False != True"),
        (("--allow-missing",), "  allow_missing: False != True"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_table_of_other_settings_lists_what_differs(
    home: Path, tmp_path: Path, options: tuple, line: str
) -> None:
    there = {
        "table": "action-net-table1",
        "seeds": [0],
        "select": "last",
        "epochs": 3,
        "precision": "fp32",
        "simulated": True,
        "allow_missing": False,
        "quick": False,
    }
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "settings.json").write_text(json.dumps(there))
    result = reproduce(home, "--out", tmp_path / "out", "--seeds", "0", "--epochs", "3", *options)
    assert result.exit_code == 1, result.output
    assert "holds a table made with other settings (there != asked for):" in result.output
    assert line in result.output.splitlines()


def test_simulated_features_are_not_mixed_with_real_ones(home: Path, tmp_path: Path) -> None:
    place = ("--root", f"rhythmic-gymnastics={home / 'gymnastics'}", "--store", home / "features")
    result = aqa("reproduce", "action-net-table1", *place, "--columns", "ball", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "holds SIMULATED features, drawn at random from no video" in result.output
    assert "Add --simulated to use them, or name another --store." in result.output
