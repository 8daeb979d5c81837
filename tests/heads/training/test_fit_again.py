"""A run in a folder that holds one: it goes on, is repeated bit for bit, or is refused."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aqa_pipeline.disk.files import part_beside
from aqa_pipeline.errors import RunError
from heads.runs.config import read_config
from heads.runs.trained_cell import FILES, cell_folder
from heads.training.fit import Progress, fit
from heads.training.options import FitOptions, FitRequest


def contents(run_dir: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in sorted(run_dir.rglob("*")) if p.is_file()}


def test_the_same_request_trains_nothing_twice(world, tmp_path: Path) -> None:
    request = world.request(tmp_path / "run", seeds=(0, 1))
    fit(request)
    before = contents(tmp_path / "run")
    told: list[Progress] = []
    summary = fit(request, told.append)
    assert (summary.num_trained, summary.num_resumed) == (0, 2)
    assert not told
    assert contents(tmp_path / "run") == before


def part_of_a_dead_process(folder: Path) -> Path:
    """Return the temporary name that a killed command leaves behind."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    part = part_beside(folder)
    return part.with_name(part.name.replace(f"@{os.getpid()}.", f"@{dead.pid}."))


@pytest.mark.parametrize("lost", [*FILES, None])
def test_a_partial_cell_is_redone(world, tmp_path: Path, lost: str | None) -> None:
    """A cell that lacks a file, or is still under its temporary name, does not count."""
    request = world.request(tmp_path / "run")
    fit(request)
    before = contents(tmp_path / "run")
    folder = cell_folder(tmp_path / "run", split="first", seed=0)
    if lost is None:
        part = part_of_a_dead_process(folder)
        folder.rename(part)
        (part / "model.safetensors").write_bytes(b"half")
    else:
        (folder / lost).unlink()
    assert fit(request).num_trained == 1
    assert contents(tmp_path / "run") == before


FIT_IN_A_PROCESS = """
import pathlib, sys
sys.path.append(sys.argv[1])
import small_world as world
from aqa_pipeline.store import Store
from heads.training.fit import fit
root, store, out = map(pathlib.Path, sys.argv[2:])
def stop_in_the_second(progress):
    if progress.seed == 1:
        print("in the second", flush=True)
        sys.stdin.read()
request = world.World(world.make_dataset(root), Store(store)).request(out, seeds=(0, 1, 2), epochs=10)
fit(request, stop_in_the_second)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a word of POSIX")
def test_a_killed_run_goes_on(world, tmp_path: Path) -> None:
    """Kill -9 in the second of three cells: the first stays, and the end is that of a whole run."""
    killed, support = tmp_path / "killed", Path(__file__).parents[2] / "support"
    places = [support, world.dataset.root, world.store.root, killed]
    command = [sys.executable, "-c", FIT_IN_A_PROCESS, *map(str, places)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first, second = (cell_folder(killed, split="first", seed=seed) for seed in (0, 1))
    assert process.stdout.readline() == "in the second\n"
    process.kill()
    process.communicate()
    assert first.exists()
    assert not second.exists()
    trained_once = contents(first)

    told: list[Progress] = []
    request = world.request(killed, seeds=(0, 1, 2), epochs=10)
    assert fit(request, told.append).num_resumed == 1
    assert {progress.seed for progress in told} == {1, 2}
    assert contents(first) == trained_once
    fit(dataclasses.replace(request, out=tmp_path / "whole"))
    assert contents(killed) == contents(tmp_path / "whole")


def test_a_run_is_repeated_bit_for_bit_from_its_config(world, tmp_path: Path) -> None:
    """Also where torch was set to another number of threads in the meantime."""
    fit(world.request(tmp_path / "run", seeds=(2,), splits=("second",), select="val", variant="released"))
    torch.set_num_threads(2)
    config = read_config(tmp_path / "run")
    again = FitRequest(FitOptions.from_config(config), world.dataset, world.store, tmp_path / "again")
    fit(again)
    assert torch.get_num_threads() == 2, "the thread count is given back"
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


def test_another_request_in_the_same_folder_is_refused(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    other = world.request(tmp_path / "run", epochs=4, variant="released")
    with pytest.raises(
        RunError, match=r"(?s)holds a run with another configuration.*epochs: 3 != 4\n"
    ) as error:
        fit(other)
    assert "variant: paper != released" in str(error.value)
    assert "Name another --out" in str(error.value)


def test_changed_features_are_another_run(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    record = world.store.read("synthetic", "routine-00", world.specs["crops"])
    world.store.write(world.record("routine-00", world.specs["crops"], record.features + 1))
    with pytest.raises(RunError, match=r"splits.first.data_sha256: \w+ != \w+"):
        fit(world.request(tmp_path / "run"))


def test_a_folder_of_something_else_is_left_alone(world, tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.jpg").write_text("sea")
    with pytest.raises(RunError, match="is not empty and not a run directory: name a new folder with --out"):
        fit(world.request(tmp_path / "holiday"))
    assert [path.name for path in (tmp_path / "holiday").iterdir()] == ["photo.jpg"]
