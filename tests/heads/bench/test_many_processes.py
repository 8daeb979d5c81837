"""The fits of a bench in several processes and on Ray: the numbers of one process, plug-ins included."""

from pathlib import Path

import pytest

from heads.bench.records import BlockRecord, read_results

PLUGIN = """
from dataclasses import replace
from heads.registry import find_head
MINE = replace(find_head("svr-average"), name="mine")
"""


def block_in(out: Path) -> BlockRecord:
    (block,) = read_results(out / "results.json").blocks
    return block


@pytest.mark.slow
def test_two_processes_run_the_plugins_of_the_caller(
    bench_club, run_bench, finished_bench, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    more = ("--encoders", "clips", "--jobs", "2", "--plugin", tmp_path / "mine.py")
    result = run_bench(bench_club, tmp_path / "out", *more, heads="mine")
    assert result.exit_code == 0, result.output
    alone, mine = read_results(finished_bench[0] / "results.json").blocks[0], block_in(tmp_path / "out")
    assert [cell.row for cell in mine.cells] == ["mean", "ridge", "mine", "mine-shuffled"]
    assert mine.cell("mine").per_seed == alone.cell("svr-average").per_seed
    assert mine.cell("ridge") == alone.cell("ridge")


@pytest.mark.xdist_group("ray")
def test_a_bench_on_ray_gives_the_same_numbers(
    bench_club, run_bench, finished_bench, tmp_path: Path, ray_cluster: str
) -> None:
    more = ("--encoders", "clips", "--engine", "ray", "--ray-address", ray_cluster, "--actors", "1")
    result = run_bench(bench_club, tmp_path / "out", *more, heads="ridge", jobs=())
    assert result.exit_code == 0, result.output
    alone, there = read_results(finished_bench[0] / "results.json").blocks[0], block_in(tmp_path / "out")
    assert there.cell("mean") == alone.cell("mean")
    assert there.cell("ridge") == alone.cell("ridge")
