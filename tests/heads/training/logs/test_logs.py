"""`aqa fit --log`: what TensorBoard and MLflow are told, by stand-ins for both packages."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

import cli

FIT = ("fit", "--head", "wd", "--variant", "paper", "--split", "given", "--device", "cpu", "--threads", "1")
COLUMNS = ("loss", "lr", "head_lr", "test_spearman")  # validation is undefined: no video is held out


def aqa(club, out: Path, *more: object) -> Result:
    words = [*FIT, "--seeds", "0,1", "--epochs", "2", *club.options, "--out", out, *more]
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def rows_of(run: Path, seed: int) -> list[dict[str, str]]:
    with (run / "split-given" / f"seed-{seed}" / "epochs.csv").open() as file:
        return list(csv.DictReader(file))


class FakeWriter:
    """Records what a SummaryWriter is told, by folder."""

    written: dict[str, list[tuple[Any, ...]]] = {}  # noqa: RUF012  cleared for every test

    def __init__(self, folder: str) -> None:
        self._told = self.written.setdefault(folder, [])

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self._told.append((name, value, step))

    def add_text(self, name: str, text: str) -> None:
        self._told.append((name, text))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self._told.append(("closed",))


class FakeMlflow(ModuleType):
    """Records what MLflow is told, by run."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.told: dict[str, list[tuple[Any, ...]]] = {}
        self.ended: str | None = None

    def start_run(self, run_name: str) -> SimpleNamespace:
        return self._start("parent", ("name", run_name))

    def end_run(self, status: str) -> None:
        self.ended = status

    def MlflowClient(self) -> SimpleNamespace:
        def tell(run: str, *what: Any, **more: Any) -> None:
            self.told[run].append((*what, *more.values()))

        return SimpleNamespace(
            log_param=tell, log_text=tell, log_metric=tell, set_terminated=tell, create_run=self._create
        )

    def _create(self, experiment: str, tags: dict[str, str], run_name: str) -> SimpleNamespace:
        return self._start(f"cell-{len(self.told)}", ("in", experiment), ("tags", tags), ("name", run_name))

    def _start(self, run: str, *told: tuple[Any, ...]) -> SimpleNamespace:
        self.told[run] = list(told)
        return SimpleNamespace(info=SimpleNamespace(run_id=run, experiment_id="7"))


@pytest.fixture
def tensorboard(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[Any, ...]]]:
    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = FakeWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr(FakeWriter, "written", {})
    return FakeWriter.written


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> FakeMlflow:
    module = FakeMlflow()
    monkeypatch.setitem(sys.modules, "mlflow", module)
    return module


def test_tensorboard_gets_every_epoch_the_config_and_the_evaluation(
    club, tmp_path: Path, tensorboard
) -> None:
    run = tmp_path / "run"
    result = aqa(club, run, "--log", "tensorboard")
    assert result.exit_code == 0, result.output
    folder = run / "tensorboard"
    cells = [str(folder / "split-given" / f"seed-{seed}") for seed in (0, 1)]
    assert set(tensorboard) == {str(folder), *cells}
    for seed, cell in enumerate(cells):
        expected = [
            (name, float(row[name]), int(row["epoch"])) for row in rows_of(run, seed) for name in COLUMNS
        ]
        assert tensorboard[cell] == [*expected, ("closed",)]
    (_, config), (_, table), closed = tensorboard[str(folder)]
    assert closed == ("closed",)
    assert json.loads(config) == json.loads((run / "config.json").read_text())
    assert all(line.startswith("    ") for line in config.splitlines()), "shown as code, not as Markdown"
    assert "Spearman" in table
    assert "ensemble" in table


def test_mlflow_gets_a_run_and_one_below_it_per_cell(club, tmp_path: Path, mlflow: FakeMlflow) -> None:
    run = tmp_path / "run"
    result = aqa(club, run, "--log", "mlflow")
    assert result.exit_code == 0, result.output
    parent = mlflow.told["parent"]
    config = (run / "config.json").read_text()
    for told in (("name", "run"), ("head.name", "wd"), ("training.epochs", "2"), (config, "config.json")):
        assert told in parent
    assert parent[-1][1] == "evaluation.txt"
    assert "Spearman" in parent[-1][0]
    for seed, cell in enumerate(("cell-1", "cell-2")):
        tags = {"mlflow.parentRunId": "parent", "split": "given", "seed": str(seed)}
        metrics = [
            (name, float(row[name]), int(row["epoch"])) for row in rows_of(run, seed) for name in COLUMNS
        ]
        begin = [("in", "7"), ("tags", tags), ("name", f"run, split given, seed {seed}")]
        assert mlflow.told[cell] == [*begin, *metrics, ("FINISHED",)]
    assert mlflow.ended == "FINISHED"


@pytest.mark.parametrize(
    ("name", "module"), [("tensorboard", "torch.utils.tensorboard"), ("mlflow", "mlflow")]
)
def test_a_missing_package_is_told_before_training(
    club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    result = aqa(club, tmp_path / "run", "--log", name)
    assert result.exit_code == 1
    assert f"--log {name} needs the package {name}" in result.output
    assert "pip install" in result.output
    assert f"[{name}]" in result.output
    assert not (tmp_path / "run").exists()


def test_both_are_told_and_one_that_fails_does_not_stop_training(
    club, tmp_path: Path, tensorboard, mlflow: FakeMlflow, monkeypatch
) -> None:
    def refuse(*_: object) -> None:
        raise ConnectionError("the server is down")

    told: list[str] = []
    log = SimpleNamespace(warning=lambda text, *values: told.append(text % values))
    monkeypatch.setattr("heads.training.logs.open_logs.log", log)
    monkeypatch.setattr(FakeWriter, "add_scalar", refuse)
    result = aqa(club, tmp_path / "run", "--log", "mlflow", "--log", "tensorboard", "--log", "mlflow")
    assert result.exit_code == 0, result.output
    (warning,) = told
    assert "the log tensorboard has failed (the server is down)" in warning
    assert mlflow.ended == "FINISHED"
    assert len(rows_of(tmp_path / "run", 1)) == 2


def test_a_fit_that_fails_is_logged_as_failed(club, tmp_path: Path, mlflow: FakeMlflow, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("heads.training.train_cell.write_cell", fail)
    assert aqa(club, tmp_path / "run", "--log", "mlflow").exit_code == 1
    assert mlflow.ended == "FAILED"
    assert mlflow.told["cell-1"][-1] == ("FAILED",)


def test_a_repetition_may_be_logged_and_the_run_is_the_same(club, tmp_path: Path, mlflow: FakeMlflow) -> None:
    words = ["fit", "--repeat", club.run("wd"), "--out", tmp_path / "again", "--log", "mlflow"]
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert len(mlflow.told) == 3
    for name in ("config.json", "split-given/seed-1/epochs.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (club.run("wd") / name).read_bytes()


def test_workers_of_ray_do_not_log(club, tmp_path: Path) -> None:
    result = aqa(club, tmp_path / "run", "--log", "mlflow", "--engine", "ray")
    assert result.exit_code == 2
    assert "--log is for --engine local" in result.output


def test_tensorboard_itself_reads_what_was_written(club, tmp_path: Path) -> None:
    needed: Callable[..., Any] = pytest.importorskip
    accumulator = needed(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is not installed (pip install '.[tensorboard]')",
    )
    run = tmp_path / "run"
    result = aqa(club, run, "--log", "tensorboard")
    assert result.exit_code == 0, result.output
    events = accumulator.EventAccumulator(str(run / "tensorboard" / "split-given" / "seed-1")).Reload()
    assert set(events.Tags()["scalars"]) == set(COLUMNS)
    told = [(event.step, event.value) for event in events.Scalars("loss")]
    rows = rows_of(run, 1)
    assert [step for step, _ in told] == [int(row["epoch"]) for row in rows]
    assert [value for _, value in told] == pytest.approx([float(row["loss"]) for row in rows])
