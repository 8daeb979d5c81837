"""Cells trained on a cluster: the files of a local run, byte for byte, and a word when a worker is lost."""

import os
import signal
import sys
from pathlib import Path

import pytest

from aqa_pipeline.errors import ClusterError, RunError
from aqa_pipeline.plugins import PluginFile, plugged_in
from heads.training import fit_on_ray as module
from heads.training.fit import Progress, fit
from heads.training.fit_on_ray import CellWorker, fit_on_ray

ray = pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
pytestmark = pytest.mark.xdist_group("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module


def contents(run_dir: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in sorted(run_dir.rglob("*")) if p.is_file()}


def test_the_run_is_that_of_one_machine_byte_for_byte(world, tmp_path: Path, ray_cluster: str) -> None:
    settings = {"seeds": (0, 5), "splits": ("first", "second")}
    fit(world.request(tmp_path / "here", **settings))
    told: list[Progress] = []
    said: list[str] = []
    request = world.request(tmp_path / "there", **settings)
    summary = fit_on_ray(request, told.append, address=ray_cluster, actors=2, tell=said.append)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert (summary.num_trained, summary.num_resumed) == (4, 0)
    assert [(p.cell, p.num_cells, p.epoch.epoch) for p in told] == [(n, 4, 3) for n in (1, 2, 3, 4)]
    assert {(p.split, p.seed) for p in told} == {(s, n) for s in ("first", "second") for n in (0, 5)}
    assert said == [f"Ray at {ray_cluster}: 2 nodes, 4 CPUs, 0 GPUs; 2 workers with 1 CPU each"]
    # Begun on a cluster, it goes on here: one cell less is one cell to train.
    (tmp_path / "there" / "split-first" / "seed-5" / "cell.json").unlink()
    assert (fit(request).num_trained, fit(request).num_resumed) == (1, 4)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_workers_run_the_plugins_of_the_caller(world, tmp_path: Path, ray_cluster: str) -> None:
    source = """
from dataclasses import replace
from heads.registry import find_head
MINE = replace(find_head("svr-average"), name="mine")
"""
    with plugged_in([PluginFile(tmp_path / "only-here.py", source.encode())]):
        request = world.request(tmp_path / "run", head="mine", epochs=None)
        assert fit_on_ray(request, address=ray_cluster, actors=1, tell=str).num_trained == 1


class Fragile(CellWorker):
    """Is killed whenever seed 1 is to be trained."""

    def work(self, items):
        if any(seed == 1 for _, (_, seed) in items):
            os.kill(os.getpid(), signal.SIGKILL)
        yield from super().work(items)


def test_a_cell_that_kills_its_workers_is_named_and_the_others_are_done(
    world, tmp_path: Path, ray_cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CellWorker", Fragile)
    request = world.request(tmp_path / "run", seeds=(0, 1, 2))
    message = r"(?s)the others are done:\n  split first, seed 1: its worker was lost 3 times.*same command"
    with pytest.raises(RunError, match=message):
        fit_on_ray(request, address=ray_cluster, actors=1, tell=lambda text: None)
    assert sorted(p.name for p in (tmp_path / "run" / "split-first").glob("seed-*")) == ["seed-0", "seed-2"]
    monkeypatch.undo()
    summary = fit_on_ray(request, address=ray_cluster, actors=1, tell=lambda text: None)
    assert (summary.num_trained, summary.num_resumed) == (1, 2)
    fit(world.request(tmp_path / "here", seeds=(0, 1, 2)))
    assert contents(tmp_path / "run") == contents(tmp_path / "here")


def test_a_cluster_without_gpu_says_so(world, tmp_path: Path, ray_cluster: str) -> None:
    request = world.request(tmp_path / "run", device="cuda")
    with pytest.raises(ClusterError, match="has no GPU: use --device cpu"):
        fit_on_ray(request, address=ray_cluster, actors=None, tell=lambda text: None)
    assert not (tmp_path / "run").exists()
