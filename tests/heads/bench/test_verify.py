"""`aqa bench verify` notices each change of predictions, numbers, names and runs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli

RUN = "runs/club/clips-toy-clips/wd-paper"


def verify(folder: Path) -> Result:
    return CliRunner().invoke(cli.main, ["bench", "verify", str(folder / "results.json")])


def edit(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "results.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def cell_of(values: Any, row: str = "wd-paper") -> Any:
    return next(cell for cell in values["blocks"][0]["cells"] if cell["row"] == row)


def test_an_untouched_bench_is_the_same_also_elsewhere(copied_bench: Path) -> None:
    result = verify(copied_bench)
    assert result.exit_code == 0, result.output
    assert "values of 10 runs computed again from the predictions: all are the same." in result.output


def test_a_changed_prediction_changes_digest_and_numbers(copied_bench: Path) -> None:
    path = copied_bench / RUN / "split-given/seed-1/predictions.csv"
    first, *rest = path.read_text().splitlines()
    at = next(at for at, line in enumerate(rest) if ",test," in line)
    video, part, true, _ = rest[at].split(",")
    rest[at] = f"{video},{part},{true},1000.0"
    path.write_text("\n".join([first, *rest]) + "\n")
    result = verify(copied_bench)
    assert result.exit_code == 1
    assert "wd-paper.predictions.split-given/seed-1/predictions.csv" in result.output
    assert "wd-paper.mean_error" in result.output


@pytest.mark.parametrize(
    "change",
    [
        lambda values: cell_of(values).update(value=0.999),
        lambda values: cell_of(values)["interval"].update(low=0.5),
        lambda values: cell_of(values)["per_seed"][1].update(value=0.5),
        lambda values: cell_of(values)["against_ridge"].update(p=0.0001),
        lambda values: cell_of(values).update(flags=["SIMULATED"]),
        lambda values: cell_of(values)["data_sha256"].update(given="0" * 16),
        lambda values: values["blocks"][0]["splits"][0].update(sha256="0" * 64),
        lambda values: values["blocks"][0]["encoder"].update(dim=13),
        lambda values: values["blocks"][0].update(target="difficulty"),
        lambda values: values["ranking"]["heads"][0].update(average_rank=9.0),
    ],
)
def test_a_changed_value_is_noticed(copied_bench: Path, change: Callable[[Any], None]) -> None:
    edit(copied_bench, change)
    result = verify(copied_bench)
    assert result.exit_code == 1, result.output
    assert " in the file != " in result.output


def test_the_run_of_another_head_is_noticed(copied_bench: Path) -> None:
    edit(copied_bench, lambda values: cell_of(values, "svr-average").update(run=RUN))
    result = verify(copied_bench)
    assert result.exit_code == 1
    assert f"{RUN} is a run of wd (paper), not of the row 'svr-average'" in result.output.replace("\n", " ")


def test_a_missing_run_is_noticed(copied_bench: Path) -> None:
    shutil.rmtree(copied_bench / RUN)
    result = verify(copied_bench)
    assert result.exit_code == 1
    assert "club/clips-toy-clips, wd-paper:" in result.output
    assert "is not a run directory" in result.output


def test_a_block_that_stands_there_twice_is_noticed(copied_bench: Path) -> None:
    edit(copied_bench, lambda values: values["blocks"].append(values["blocks"][0]))
    assert "club/clips-toy-clips: stands there twice" in verify(copied_bench).output


def test_a_run_outside_the_folder_is_not_read(copied_bench: Path) -> None:
    edit(copied_bench, lambda values: cell_of(values).update(run=f"../copy/{RUN}"))
    result = verify(copied_bench)
    assert result.exit_code == 1
    assert "leads out of the folder of results.json" in result.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda values: cell_of(values).update(row="our-new-head"),
            "is not named after its head and variant",
        ),
        (lambda values: values["blocks"][0]["encoder"].update(name="vit"), "is not named after its stream"),
        (lambda values: values.update(blocks=1), "is damaged: blocks"),
        (lambda values: values.update(schema_version=9), "has schema_version 9, expected 1"),
        (lambda values: values["blocks"][0].update(dataset="a\x1b[2J"), "expected printable text"),
    ],
)
def test_a_file_that_does_not_fit_is_an_error(
    copied_bench: Path, change: Callable[[Any], None], message: str
) -> None:
    edit(copied_bench, change)
    result = verify(copied_bench)
    assert result.exit_code == 1
    assert message in result.output
