"""Commands that write a store, killed at any of their steps: the next run ends with the same bytes."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store

IDS = ("a", "b", "ü c")
SPEC = StreamSpec("segments", {"backbone": "i3d"})


def aqa(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a store of three records, its pack, feature files of an own folder, and labels to simulate."""
    monkeypatch.chdir(tmp_path)
    store = Store(Path("store"))
    times = np.array([[0.0, 1.0], [1.0, 2.0]])
    for at, video_id in enumerate(IDS):
        features = np.full((2, 3), at, np.float32)
        store.write(Record("toy", video_id, SPEC, features, times, Source("0" * 64)))
    assert aqa("store", "pack", "store", "--out", "pack.h5").exit_code == 0
    Path("mine").mkdir()
    Path("mine/scores.csv").write_text("\n".join(["video,score", *(f"{v},{at}" for at, v in enumerate(IDS))]))
    Path("files").mkdir()
    for at, video_id in enumerate(IDS):
        np.save(f"files/{video_id}.npy", np.full((2, 3), at, np.float32))
    Path("labels").mkdir()
    lines = [f"{at}_Worlds-abcdefghij{at % 2} {60 + at}.5 30.0 30.5 0 240" for at in range(1, 7)]
    Path("labels/annotations.txt").write_text("\n".join(lines))
    return tmp_path


COMMANDS = {
    "import": "store import OUT --dataset folder --root mine --features files --stream vst",
    "unpack": "store unpack pack.h5 OUT",
    "export": "store export store --out OUT",
    "pack": "store pack store --out OUT/p.h5",
    "simulate": "simulate --like mit-skating --root labels --streams segments --store OUT",
}


def contents(folder: str) -> dict[str, bytes]:
    root = Path(folder)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def killed_at(step: int) -> tuple[Callable[..., None], list[int]]:
    """Return an `os.replace` that stops the program at that call, before anything is moved, and its calls."""
    calls: list[int] = []
    replace = os.replace

    def stopping(*paths: object) -> None:
        calls.append(1)
        if len(calls) == step:
            raise KeyboardInterrupt
        replace(*paths)

    return stopping, calls


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_was_stopped_at_any_file_ends_the_same_when_it_is_run_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    def run(out: str) -> Result:
        return aqa(*command.replace("OUT", out).split())

    whole = run("whole")
    assert whole.exit_code == 0, whole.output
    expected = contents("whole")
    assert expected
    step, stopped = 0, True
    while stopped:
        step += 1
        assert step < 20, "the command never ends"
        out = f"stopped-{step}"
        stopping, calls = killed_at(step)
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", stopping)
            result = run(out)
        stopped = len(calls) >= step
        if stopped:
            assert result.exit_code != 0
            left = contents(out)
            assert {name: left[name] for name in left} == {name: expected[name] for name in left}, (
                "half a file"
            )
            assert run(out).exit_code == 0
        assert contents(out) == expected
    assert step > 1


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_record_that_vanishes_is_made_again_by_the_same_import(here: Path, at: int) -> None:
    words = COMMANDS["import"].replace("OUT", "features").split()
    assert aqa(*words).exit_code == 0
    expected = contents("features")
    sorted(Path("features").rglob("*.h5"))[at].unlink()
    result = aqa(*words)
    assert "vst: 1 video imported into features, 2 existed already." in result.output
    assert contents("features") == expected


def test_a_store_that_was_moved_is_the_same_store(here: Path) -> None:
    expected = [
        record.features.tolist()
        for record in map(lambda key: Store(Path("store"))[key], Store(Path("store")))
    ]
    Path("store").rename("moved here")
    moved = Store(Path("moved here"))
    assert [moved[key].features.tolist() for key in moved] == expected
    assert aqa("store", "verify", "moved here").exit_code == 0
