"""A small world, worlds with tubes and a user's club, as fixtures."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import run_configs
import small_club
from aqa_pipeline.records import Dataset, Record, StreamSpec
from aqa_pipeline.store import Store
from heads.runs.run_config import RunConfig
from small_club import CLUB_STREAMS, Club
from small_world import World, make_world
from tube_world import TUBE_SPEC, make_tube_record, make_tube_world


@pytest.fixture(scope="session")
def _pristine_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(_pristine_world: World, tmp_path: Path) -> World:
    """Return a copy of the store: writing forty records anew would sync eighty files to disk."""
    shutil.copytree(_pristine_world.store.root, tmp_path / "store")
    return replace(_pristine_world, store=Store(tmp_path / "store"))


@pytest.fixture(scope="session", name="make_config")
def _make_config() -> Callable[..., RunConfig]:
    return run_configs.make_config


@pytest.fixture(scope="session")
def tube_spec() -> StreamSpec:
    """Return the spec of the stream `tubes` that the fixtures below make records of."""
    return TUBE_SPEC


@pytest.fixture(scope="session")
def tube_record() -> Callable[..., Record]:
    """Return the function `make_tube_record`."""
    return make_tube_record


@pytest.fixture(scope="session")
def tube_world() -> Callable[..., tuple[Dataset, Store]]:
    """Return the function `make_tube_world`."""
    return make_tube_world


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks are faster on one thread, and the tests share the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", name="make_club")
def _make_club() -> Callable[..., Club]:
    return small_club.make_club


@pytest.fixture(scope="session")
def club(tmp_path_factory: pytest.TempPathFactory) -> Club:
    """Return a club with three runs of few epochs. Tests must not change it.

    `wd` reads clips, with two seeds; `net` is ACTION-NET on segments and crops; `svr` reads clips.
    """
    from click.testing import CliRunner

    import cli

    club = small_club.make_club(tmp_path_factory.mktemp("club"), streams=CLUB_STREAMS)
    common = (
        "fit",
        *club.options,
        *("--variant", "paper", "--split", "given", "--device", "cpu"),
        "--threads",
        "1",
    )
    for name, options in {
        "wd": ("--head", "wd", "--seeds", "0,1", "--epochs", "3"),
        "net": ("--head", "action-net", "--seeds", "0", "--epochs", "2"),
        "svr": ("--head", "svr-average", "--streams", "clips", "--seeds", "0"),
    }.items():
        result = CliRunner().invoke(cli.main, [*common, *options, "--out", str(club.run(name))])
        assert result.exit_code == 0, result.output
    return club
