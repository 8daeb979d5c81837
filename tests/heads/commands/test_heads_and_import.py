"""`aqa heads` and `aqa run import`: what is listed can be fitted; why something is not imported."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

import cli
from heads.registry import HEADS


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_every_head_is_listed_once_with_its_streams_variants_and_paper() -> None:
    result = aqa("heads")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    for name in HEADS:
        head = HEADS[name]
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert ", ".join(head.streams) in line
        assert ", ".join(head.variants) in line
        assert line.endswith(head.source)
    assert "aqa fit --head NAME" in lines[-1]


@pytest.mark.parametrize(
    "name",
    [
        *("wd", "lstm", "bi-lstm", "ms-lstm", "svr-maximum", "wd-average"),
        *("gdlt", "cofinal", "core", "dae", "uil-aqa"),
    ],
)
def test_heads_of_one_stream_can_be_fitted_on_any_features(club, tmp_path: Path, name: str) -> None:
    options = (
        "--variant",
        "paper",
        "--streams",
        "segments",
        "--split",
        "given",
        "--seeds",
        "0",
        "--epochs",
        "1",
        "--device",
        "cpu",
    )
    result = aqa("fit", *club.options, "--head", name, *options, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["title"].startswith(f"{name} (paper) on segments of club, target score")
    assert len(summary["cells"]) == 1


def test_a_file_that_is_no_plug_in_is_one_message(tmp_path: Path) -> None:
    for text, words in (("import nothing_of_this_name", "nothing_of_this_name"), ("def", "SyntaxError")):
        path = tmp_path / "broken.py"
        path.write_text(text)
        result = aqa("heads", "--plugin", path)
        assert result.exit_code == 1, result.output
        assert "broken.py" in result.output
        assert words in result.output or "invalid syntax" in result.output
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--scale", "5", "5"), 2, "--scale wants LOW below HIGH; got 5 5."),
        (("--scale", "0", "inf"), 2, "--scale wants LOW below HIGH; got 0 inf."),
        (("--scale", "nan", "2"), 2, "--scale wants LOW below HIGH; got nan 2."),
        (("--scale", "9", "2"), 2, "--scale wants LOW below HIGH; got 9 2."),
        (("--head", "wd"), 1, "no checkpoint of wd can be imported: expected action-net"),
        (("--spec", "segments"), 2, "--spec wants STREAM=HASH (see `aqa store ls`); got 'segments'."),
        ((), 1, "not the state dict of a released ACTION-NET: missing "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_imported_is_explained(
    club, tmp_path: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    checkpoint = tmp_path / "ball.pth"
    torch.save({"fc.weight": torch.zeros(2, 2)}, checkpoint)
    result = aqa("run", "import", checkpoint, *club.options, "--out", tmp_path / "run", *options)
    assert result.exit_code == code, result.output
    assert message in result.output
    assert not (tmp_path / "run" / "summary.json").exists()


def test_a_file_that_is_no_checkpoint_is_named(club, tmp_path: Path) -> None:
    (tmp_path / "ball.pth").write_text("not a checkpoint")
    result = aqa("run", "import", tmp_path / "ball.pth", *club.options, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "ball.pth" in result.output
    assert "Traceback" not in result.output
