"""Cells run side by side, killed, resumed, stopped, failing: the table is the same in the end."""

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import fisher_z_mean
from heads.runs.trained_cell import read_cell
from heads.tables.output.files import open_folder, write_table
from heads.tables.planning.plan import CellTask, TablePlan, plan_table
from heads.tables.results import TableResult
from heads.tables.running import is_finished, run_tasks
from heads.tables.table import Method, Table
from heads.tables.tabulating import tabulate
from heads.training.fit import fit
from heads.training.pool.fits import Advance

SCRIPT = """
import pickle, signal, sys
from heads.tables.running import run_tasks
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    print([outcome.error for outcome in run_tasks(pickle.load(open(sys.argv[1], "rb")), jobs=2)])
"""


def run(plan: TablePlan, **options: object) -> TableResult:
    outcomes = run_tasks(plan.tasks, **({"jobs": 1} | options))
    return tabulate(plan, {o.place: o.error for o in outcomes if o.error is not None})


def correlations(task: CellTask) -> np.ndarray:
    """Per split and seed, from the files, by scipy."""
    found = []
    for split in task.splits:
        for seed in task.settings.training.seeds:
            rows = [r for r in read_cell(task.out, split=split, seed=seed).predictions if r.part == "test"]
            found.append(spearmanr([r.predicted for r in rows], [r.true for r in rows]).statistic)
    return np.array(found).reshape(len(task.splits), -1)


def table_bytes(result: TableResult) -> list[bytes]:
    return [path.read_bytes() for path in write_table(result)]


@contextmanager
def started(tasks: tuple[CellTask, ...], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Return the tasks in a process of its own, which does not outlive the test."""
    (folder / "script.py").write_text(SCRIPT)
    (folder / "tasks").write_bytes(pickle.dumps(tasks))
    command = [sys.executable, str(folder / "script.py"), str(folder / "tasks")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def any_cell(tasks: tuple[CellTask, ...]) -> bool:
    """Whether a cell of any task was trained."""
    return any(list(task.out.glob("split-*/seed-*/cell.json")) for task in tasks)


def light(table: Table) -> Table:
    """Two cells of a small head, so that killing and resuming takes seconds."""
    part = table.part(rows=["net"], columns=["first", "two"])
    return replace(part, rows=(replace(part.rows[0], method=Method("lstm", {"segments": ("toy-3d",)})),))


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody has collected yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it may end while it is asked
        return False


def test_numbers_are_those_of_the_predictions(finished) -> None:
    plan, result = finished
    tasks = {task.place: task for task in plan.tasks}
    for place, task in tasks.items():
        measured, values = result.cells[place].measured, correlations(task)
        assert measured is not None
        assert measured.mean == pytest.approx(values.mean())
        assert measured.std == pytest.approx(values.std(ddof=1))
        assert measured.interval.low <= measured.mean <= measured.interval.high
        assert measured.num_seeds == 2
    two = result.cells["net", "two"].measured
    assert two is not None
    assert two.num_test == (12, 12)
    assert 12 < two.num_videos <= 24
    average = result.cells["net", "both"].measured
    by_seed = [
        fisher_z_mean([correlations(tasks["net", column]).mean(axis=0)[seed] for column in ("first", "two")])
        for seed in (0, 1)
    ]
    assert average is not None
    assert average.mean == pytest.approx(np.mean(by_seed))
    assert result.cells["net", "both"].printed == pytest.approx(fisher_z_mean([0.2, 0.3]))


def test_what_was_not_run_is_there_with_its_reason(finished) -> None:
    _, result = finished
    statuses = {place: cell.status for place, cell in result.cells.items()}
    assert statuses["cited", "first"] == "cited"
    assert statuses["cited", "two"] == "blank"
    assert statuses["svr", "far"] == "not run"
    assert statuses["svr", "first"] == "run"
    assert "is not a folder" in result.cells["svr", "far"].reason
    assert result.cells["svr", "far"].printed == 0.3


def test_a_second_call_trains_nothing(finished, monkeypatch) -> None:
    plan, result = finished
    first = table_bytes(result)
    monkeypatch.setattr("heads.training.pool.fits.fit", lambda *_: pytest.fail("trained again"))
    assert table_bytes(run(plan)) == first


def test_other_settings_are_not_taken_for_finished(scene) -> None:
    task = plan_table(scene.table, scene.settings).tasks[0]
    fit(task.request())
    assert is_finished(task)
    for changes in ({"seeds": (0, 2)}, {"select": "best-on-test"}, {"precision": "bf16"}):
        (other,) = (
            t
            for t in plan_table(scene.table, scene.with_settings(**changes).settings).tasks
            if t.place == task.place
        )
        assert not is_finished(other)


def test_progress_counts_every_epoch_and_ends_at_all_of_them(scene) -> None:
    part = scene.table.part(columns=["first"])
    plan = plan_table(part, scene.settings)
    seen: list[Advance] = []
    run_tasks(plan.tasks, jobs=1, progress=seen.append)
    counts = [advance.num_done for advance in seen]
    assert counts == sorted(counts)
    assert counts[-1] == seen[-1].num_epochs == sum(task.num_epochs for task in plan.tasks) == 6
    assert seen[-1].seconds_left == 0


def test_a_cell_that_fails_does_not_stop_the_others(scene) -> None:
    plan = plan_table(scene.table, scene.settings)
    (bad,) = (task for task in plan.tasks if task.place == ("net", "first"))
    bad.out.mkdir(parents=True)
    (bad.out / "stray.txt").touch()
    result = run(plan)
    assert result.cells["net", "first"].status == "not run"
    assert "is not empty and not a run directory" in result.cells["net", "first"].reason
    assert "not every column" in result.cells["net", "both"].reason
    assert result.cells["net", "two"].status == "run"


@pytest.mark.slow
def test_a_killed_table_resumes_to_the_same_bytes(scene, tmp_path: Path, until) -> None:
    longer = scene.with_settings(epochs=40)
    part = light(scene.table)
    plan = plan_table(part, longer.settings)
    with started(plan.tasks, tmp_path) as process:
        until(lambda: any_cell(plan.tasks), "no cell was trained")
        workers = children_of(process.pid)
    assert workers
    until(lambda: not any(map(is_alive, workers)), "workers go on without their parent")
    done = [task for task in plan.tasks if is_finished(task)]
    assert len(done) < len(plan.tasks), "it was killed too late to prove anything"

    resumed = table_bytes(run(plan))
    untouched = longer.with_settings(out=tmp_path / "untouched")
    untouched.settings.out.mkdir()
    assert table_bytes(run(plan_table(part, untouched.settings))) == resumed


@pytest.mark.slow
def test_ctrl_c_stops_every_worker_soon(scene, tmp_path: Path, until) -> None:
    tasks = plan_table(light(scene.table), scene.with_settings(epochs=100_000).settings).tasks
    with started(tasks, tmp_path) as process:
        until(lambda: all((task.out / "config.json").exists() for task in tasks), "not all have begun")
        workers = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=300)
    assert "KeyboardInterrupt" in errors
    until(lambda: not any(map(is_alive, workers)), "workers go on")
    assert not list(tasks[0].out.glob("split-*/seed-*"))


def test_a_folder_of_another_table_is_refused(scene) -> None:
    open_folder(scene.table, scene.settings)
    open_folder(scene.table, scene.settings)
    with pytest.raises(RunError, match=r"other settings .*\n  seeds: \[0, 1\] != \[0\]"):
        open_folder(scene.table, scene.with_settings(seeds=(0,)).settings)
    (scene.settings.out.with_name("full")).mkdir()
    (scene.settings.out.with_name("full") / "thesis.doc").touch()
    with pytest.raises(RunError, match="is not empty and holds no table"):
        open_folder(scene.table, scene.with_settings(out=scene.settings.out.with_name("full")).settings)
