"""Two commands on one run: what is finished stays, and the second one is told."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import cli
from aqa_pipeline.disk.files import part_beside
from aqa_pipeline.disk.folder_lock import sole_writer
from aqa_pipeline.errors import RunError
from heads.runs.trained_cell import cell_folder, read_cell, read_state, write_cell
from heads.training.fit import fit

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no lock on a folder")

HOLD = """
import pathlib, sys
from aqa_pipeline.disk.folder_lock import sole_writer
with sole_writer(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that is writing into tmp_path/run."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_fit_is_refused_and_changes_nothing(world, tmp_path: Path, holder) -> None:
    with pytest.raises(RunError, match=r"another command is writing into .*run\. Wait until it ends"):
        fit(world.request(tmp_path / "run"))
    assert not list((tmp_path / "run").iterdir())


def test_a_killed_command_holds_nothing(world, tmp_path: Path, holder) -> None:
    holder.kill()
    holder.wait()
    assert fit(world.request(tmp_path / "run")).num_trained == 1


NOBODY = 2**22 + 1  # no process has such a number: Linux allows 2**22


def left_over(path: Path) -> Path:
    """Return what a killed process leaves where it was writing `path`."""
    part = part_beside(path)
    part = part.with_name(part.name.replace(f"@{os.getpid()}.part", f"@{NOBODY}.part"))
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text("half")
    return part


def test_a_fit_killed_as_it_began_goes_on(world, tmp_path: Path) -> None:
    left_over(tmp_path / "run" / "config.json")
    assert fit(world.request(tmp_path / "run")).num_trained == 1
    whole = contents(tmp_path / "run")
    (tmp_path / "run" / "environment.json").unlink()  # it is written after the configuration
    assert fit(world.request(tmp_path / "run")).num_trained == 0
    assert contents(tmp_path / "run") == whole


def test_what_killed_fits_left_is_cleared(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    whole = contents(tmp_path / "run")
    for name in ("summary.json", "split-first/baselines.csv", "split-first/training_statistics.json"):
        left_over(tmp_path / "run" / name)
    fit(world.request(tmp_path / "run"))
    assert contents(tmp_path / "run") == whole


def test_what_killed_reports_left_is_cleared(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    page, videos = tmp_path / "page" / "run.html", tmp_path / "page" / "run-videos"
    left = [
        left_over(path) for path in (page, videos / "1-run" / "a.html", tmp_path / "run" / "plots" / "a.png")
    ]
    result = CliRunner().invoke(cli.main, ["report", str(tmp_path / "run"), "--html", str(page)])
    assert result.exit_code == 0, result.output
    assert page.is_file()
    assert [path.name for path in left if path.exists()] == []


def test_a_lock_leaves_no_file_and_ends_with_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with sole_writer(tmp_path / "run"):
            with pytest.raises(RunError), sole_writer(tmp_path / "run"):
                pass
            with sole_writer(tmp_path / "run" / "inner"):
                pass
    assert [path.name for path in (tmp_path / "run").rglob("*")] == ["inner"]


def test_a_complete_cell_is_never_replaced(world, tmp_path: Path) -> None:
    """As where there is no lock: another command has finished the same cell meanwhile."""
    fit(world.request(tmp_path / "run"))
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    write_cell(folder, dataclasses.replace(cell, chosen_epoch=99), {"other": torch.zeros(1)})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == []


def test_what_a_running_command_writes_is_left_alone(world, tmp_path: Path) -> None:
    """The running process writes the cell a second time: it lives, so its folder is not cleared."""
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    fit(world.request(tmp_path / "run", seeds=(1,)))
    cell = read_cell(tmp_path / "run", split="first", seed=1)
    running = part_beside(folder)
    running.mkdir()
    (running / "epochs.csv").write_text("unfinished")
    write_cell(folder, cell, {"weight": torch.ones(2)})
    assert (running / "epochs.csv").read_text() == "unfinished"
    assert read_state(folder)["weight"].tolist() == [1, 1]


def test_a_cell_that_cannot_be_written_leaves_nothing(world, tmp_path: Path, monkeypatch) -> None:
    fit(world.request(tmp_path / "run"))
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    folder = cell_folder(tmp_path / "run", split="first", seed=7)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_cell(folder, cell, {"weight": torch.ones(2)})
    left = [path.name for path in folder.parent.iterdir()]
    assert "seed-0" in left
    assert [name for name in left if name == "seed-7" or name.startswith(".")] == []


FIT_WITHOUT_LOCK = """
import contextlib, pathlib, sys
sys.path.append(sys.argv[1])
import small_world as world
from aqa_pipeline.store import Store
from heads.training import fit as fitting
fitting.sole_writer = contextlib.nullcontext
root, store, out = map(pathlib.Path, sys.argv[2:])
print("ready", flush=True)
sys.stdin.readline()
fitting.fit(world.World(world.make_dataset(root), Store(store)).request(out, seeds=(0, 1)))
"""


def test_two_fits_without_a_lock_make_one_whole_run(world, tmp_path: Path) -> None:
    """As on a disk without locks; both start from an opened run, and train the same cells."""
    request = world.request(tmp_path / "run", seeds=(0, 1))
    fit(request)
    alone = contents(tmp_path / "run")
    for seed in (0, 1):
        folder = cell_folder(tmp_path / "run", split="first", seed=seed)
        (folder / "cell.json").unlink()
    places = [
        Path(__file__).parents[2] / "support",
        world.dataset.root,
        world.store.root,
        tmp_path / "run",
    ]
    command = [sys.executable, "-c", FIT_WITHOUT_LOCK, *map(str, places)]
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in both:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        assert [process.wait() for process in both] == [0, 0]
    assert contents(tmp_path / "run") == alone


def contents(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
