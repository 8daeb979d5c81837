"""A bench of a small club: two encoders, two heads beside the baselines, two seeds, run once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from small_club import Club, make_club

HEADS = "svr-average,wd:paper"


def bench(
    club: Club, out: Path, *more: object, heads: str = HEADS, jobs: tuple[str, ...] = ("--jobs", "1")
) -> Result:
    """Run `aqa bench` on the club, quickly."""
    _, _, _, root, *store = club.options
    quick = ("--seeds", "0,1", "--epochs", "2", "--split", "given", *jobs, "--device", "cpu")
    words = ("bench", "--dataset", f"folder:{root}", *store, "--heads", heads, *quick, "--out", out, *more)
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@pytest.fixture(scope="session")
def run_bench() -> Callable[..., Result]:
    """Return the function `bench`."""
    return bench


@pytest.fixture(scope="session")
def bench_club(tmp_path_factory: pytest.TempPathFactory) -> Club:
    """Return a club with features of two encoders; one video in two is for training."""
    return make_club(tmp_path_factory.mktemp("bench-club"), streams=("clips", "segments"))


@pytest.fixture(scope="session")
def finished_bench(bench_club: Club, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Return the folder of a finished bench, and what the command printed. Tests must not change it."""
    out = tmp_path_factory.mktemp("bench") / "out"
    return out, bench(bench_club, out)


@pytest.fixture
def copied_bench(finished_bench: tuple[Path, Result], tmp_path: Path) -> Path:
    """Return a copy of the finished bench, to damage."""
    shutil.copytree(finished_bench[0], tmp_path / "copy")
    return tmp_path / "copy"
