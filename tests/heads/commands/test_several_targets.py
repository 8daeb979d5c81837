"""`aqa fit --target A,B`: a run for each target, and one table."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from heads.evaluation.evaluate import evaluate

HEAD = ("--head", "ridge", "--streams", "clips", "--seeds", "0")


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_each_target_has_the_run_that_it_would_have_alone(club, tmp_path: Path) -> None:
    result = aqa("fit", *club.options, *HEAD, "--target", "score,execution", "--out", tmp_path / "both")
    assert result.exit_code == 0, result.output
    aqa("fit", *club.options, *HEAD, "--target", "execution", "--out", tmp_path / "alone")
    both, alone = (evaluate(folder) for folder in (tmp_path / "both" / "execution", tmp_path / "alone"))
    assert both.overall == alone.overall
    with (tmp_path / "both" / "targets.csv").open() as file:
        rows = {row["target"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["score", "execution"]
    assert rows["execution"]["value"] == f"{alone.overall.mean:.3f}"
    assert "execution  spearman" in result.output
    assert f"next: aqa report {tmp_path / 'both' / 'score'}" in result.output


def test_the_same_command_again_trains_nothing(club, tmp_path: Path) -> None:
    words = ("fit", *club.options, *HEAD, "--target", "score,execution", "--out", tmp_path / "both")
    aqa(*words)
    assert aqa(*words).output.count("(0 trained, 1 already there)") == 2


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("score,score", "each target once"),
        ("score,style", "unknown target"),
        ("score,execution", "of one target"),
    ],
)
def test_wrong_targets_are_named_before_anything_is_trained(
    club, tmp_path: Path, targets: str, message: str
) -> None:
    if message == "of one target":
        aqa("fit", *club.options, *HEAD, "--target", "score", "--out", tmp_path / "run")
    result = aqa("fit", *club.options, *HEAD, "--target", targets, "--out", tmp_path / "run")
    assert result.exit_code in (1, 2)
    assert message in result.output.lower()
    assert not (tmp_path / "run" / "targets.csv").exists()


def test_a_folder_of_several_runs_names_them(club, tmp_path: Path) -> None:
    aqa("fit", *club.options, *HEAD, "--target", "score,execution", "--out", tmp_path / "both")
    output = aqa("evaluate", tmp_path / "both").output
    assert f"it holds runs: {tmp_path / 'both' / 'execution'}, {tmp_path / 'both' / 'score'}." in output
