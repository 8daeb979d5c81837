"""`torchrun` starts `aqa fit` twice, and one run is written, with one report on stdout."""

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from heads.training.distributed.world import World


@pytest.mark.slow
def test_one_run_is_written_as_by_one_process(together, tmp_path: Path) -> None:
    """WD has no statistics of batches, so all numbers are those of one process but for rounding."""
    assert together.stdout.count("Run: ") == 1
    assert together.stdout.count("(1 trained, 0 already there)") == 1
    alone = CliRunner().invoke(cli.main, [*together.words, "--out", str(tmp_path / "alone")])
    assert alone.exit_code == 0, alone.output
    runs = (together.run, tmp_path / "alone")
    names = [sorted(str(path.relative_to(run)) for path in run.rglob("*")) for run in runs]
    assert names[0] == names[1]
    for name in ("epochs.csv", "predictions.csv"):
        ours, theirs = (numbers_of(run / "split-given" / "seed-0" / name) for run in runs)
        assert len(ours) >= 8
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    configs = [(run / "config.json").read_bytes() for run in runs]
    assert configs[0] == configs[1], "a repetition needs no torchrun"


def numbers_of(table: Path) -> list[float]:
    return [float(text) for text in re.findall(r"(?<=,)-?[0-9.e-]+(?=[,\r\n])", table.read_text())]


@pytest.fixture
def second_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of the second of two processes."""
    place = {"RANK": 1, "WORLD_SIZE": 2, "LOCAL_RANK": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
    for name, value in place.items():
        monkeypatch.setenv(name, str(value))


def test_the_engine_ray_is_refused_under_torchrun(second_of_two) -> None:
    result = CliRunner().invoke(cli.main, ["fit", "--engine", "ray"])
    assert result.exit_code == 2
    assert "torchrun and --engine ray both spread a fit" in result.output


def test_the_world_is_read_from_all_of_its_variables(second_of_two, monkeypatch) -> None:
    assert World.from_environment() == World(rank=1, size=2, local_rank=1)
    monkeypatch.delenv("MASTER_PORT")
    assert World.from_environment() == World(), "RANK alone is another program's"
