"""A long fit that is killed in the middle of an epoch loses that epoch alone, and nothing is left of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from heads.training import train_cell
from heads.training.fit import Progress, fit
from heads.training.methods import loop

SUPPORT = Path(__file__).parents[3] / "support"
FIT_IN_A_PROCESS = """
import pathlib, sys
sys.path.append(sys.argv[1])
import small_world as world
from aqa_pipeline.store import Store
from heads.training import train_cell
from heads.training.fit import fit
from heads.training.methods import loop
root, store, out = map(pathlib.Path, sys.argv[2:])
train_cell.takes_long = lambda samples: True
draw, passes = loop.training_batches, []

def wait_in_the_third(*arguments, **options):
    passes.append(1)
    for number, batch in enumerate(draw(*arguments, **options)):
        if (len(passes), number) == (3, 1):
            print("in the third", flush=True)
            sys.stdin.read()
        yield batch

loop.training_batches = wait_in_the_third
fit(world.World(world.make_dataset(root), Store(store)).request(out, epochs=4, select="val"))
"""


def contents(run_dir: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in sorted(run_dir.rglob("*")) if p.is_file()}


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let every fit keep its epochs; return the list of passes over the training set, which grows."""
    draw, made = loop.training_batches, []

    def counted(*arguments, **options):
        made.append(1)
        return draw(*arguments, **options)

    monkeypatch.setattr(loop, "training_batches", counted)
    monkeypatch.setattr(train_cell, "takes_long", lambda samples: True)
    return made


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a word of POSIX")
def test_it_loses_one_epoch_and_ends_as_an_undisturbed_one(world, tmp_path: Path, passes: list[int]) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    places = [SUPPORT, world.dataset.root, world.store.root, killed]
    command = [sys.executable, "-c", FIT_IN_A_PROCESS, *map(str, places)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the third\n"
        process.kill()
    assert [path.name for path in (killed / "split-first").iterdir() if "seed" in path.name] == [
        ".seed-0.snapshot"
    ]
    told: list[Progress] = []
    fit(world.request(killed, epochs=4, select="val"), told.append)
    assert len(passes) == 2, "the third epoch and the fourth"
    assert [progress.epoch.epoch for progress in told if progress.epoch] == [1, 2, 3, 4]
    fit(world.request(whole, epochs=4, select="val"))
    assert contents(killed) == contents(whole)


def test_a_snapshot_beside_a_complete_cell_is_removed(world, tmp_path: Path, passes: list[int]) -> None:
    """As after a kill between the cell's move to its place and the end of the snapshot."""
    request = world.request(tmp_path / "run")
    fit(request)
    before = contents(tmp_path / "run")
    (tmp_path / "run" / "split-first" / ".seed-0.snapshot").write_bytes(b"any")
    fit(request)
    assert contents(tmp_path / "run") == before


def test_a_damaged_snapshot_is_told_and_trained_over(
    world, tmp_path: Path, passes: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run" / "split-first").mkdir(parents=True)
    fit(world.request(tmp_path / "other"))
    for path in (tmp_path / "other").iterdir():
        if path.is_file():
            path.rename(tmp_path / "run" / path.name)
    snapshot = tmp_path / "run" / "split-first" / ".seed-0.snapshot"
    snapshot.write_bytes(b"half")
    fit(world.request(tmp_path / "run"))
    assert f"{snapshot} is damaged" in caplog.text
    assert not snapshot.exists()
