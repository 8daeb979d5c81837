"""One start of two processes for all tests: importing torch is most of their time."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed

import small_club
import two_processes
from small_club import Club

FIT = ("fit", "--head", "wd", "--variant", "paper", "--seeds", "0", "--epochs", "2", "--device", "cpu")
TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python")


@dataclass(frozen=True)
class Together:
    """What two processes did: the trainings of `two_processes` by rank, and the fit of a club."""

    club: Club
    found: tuple[dict[str, Any], dict[str, Any]]
    words: tuple[str, ...]
    run: Path
    stdout: str


@pytest.fixture(scope="session")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    """Train by two processes that `torchrun` starts. Seven videos are fitted in batches of two."""
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this torch has no gloo")
    folder = tmp_path_factory.mktemp("together")
    club = small_club.make_club(folder, num_videos=14)
    words = (*FIT, *map(str, club.options), "--threads", "1")
    program = (sys.executable, two_processes.__file__, str(folder))
    paths = os.pathsep.join(path for path in sys.path if path)
    ended = subprocess.run(
        [sys.executable, "-m", *TORCHRUN, *program, *words, "--out", str(folder / "run")],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert ended.returncode == 0, ended.stderr
    found = [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    return Together(club, (found[0], found[1]), words, folder / "run", ended.stdout)


@pytest.fixture
def found(together: Together) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what each of two processes found."""
    return together.found
