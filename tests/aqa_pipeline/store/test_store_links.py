"""A store never follows a link below its root: nothing outside is read, written, moved or deleted."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from aqa_pipeline.commands.store import store as store_command
from aqa_pipeline.disk import files
from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store, export, pack, repair

SPEC = StreamSpec("segments", {"dim": 3, "dtype": "float32"})


def make_record(video_id: str = "a") -> Record:
    return Record(
        dataset="toy",
        video_id=video_id,
        spec=SPEC,
        features=np.arange(12, dtype=np.float32).reshape(4, 3),
        pts_seconds=np.stack([np.arange(4.0), np.arange(4.0) + 1], axis=1),
        source=Source(digest="0" * 64),
    )


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder of somebody's own files, with endings of ours."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "mine.h5").write_text("not HDF5, and not ours")
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    (folder / ".download.part").write_text("half")
    dead = f".{'0' * 16}-{'0' * 8}@{files.machine()}@999999999.part"
    (folder / dead).write_text("named as ours")
    return folder


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


LINKS = {
    "dataset": ("more", "{outside}"),
    "stream": (f"toy/segments-{'0' * 12}", "{outside}"),
    "in a stream": (f"toy/segments-{SPEC.hash}/inner", "{outside}"),
    "record": (f"toy/segments-{SPEC.hash}/b.h5", "{outside}/mine.h5"),
    "part": (f"toy/segments-{SPEC.hash}/.{'1' * 16}-{'0' * 8}@{files.machine()}@999999999.part", "{outside}"),
}


@pytest.mark.parametrize("where", LINKS)
def test_no_link_is_followed(tmp_path: Path, outside: Path, where: str) -> None:
    store = Store(tmp_path / "s")
    sound = store.write(make_record())
    name, target = LINKS[where]
    link = store.root / name
    link.symlink_to(target.format(outside=outside))
    before = content(outside)
    problems = {path: problem.kind for path, problem in store.verify() if problem}
    assert problems == ({link: "foreign"} if where != "part" else {})
    for action in ("nothing", "set aside", "delete"):
        repair(store, action=action)
    store.remove_leftovers()
    export(store, tmp_path / "arrays", layout="npy")
    assert pack(store, tmp_path / "packed.h5") == 1
    assert [row.num_records for row in store.contents()] == [1]
    assert content(outside) == before
    assert link.is_symlink()
    assert sound.is_file()


@pytest.mark.parametrize("depth", [0, 1])
def test_nothing_is_read_or_written_through_a_link(tmp_path: Path, outside: Path, depth: int) -> None:
    store = Store(tmp_path / "s")
    path = store.write(make_record())
    folder = path.parents[depth]
    folder.rename(outside / "elsewhere")
    folder.symlink_to(outside / "elsewhere")
    before = content(outside)
    assert not store.has("toy", "a", SPEC)
    assert store.video_ids("toy", SPEC) == []
    with pytest.raises(StoreError, match="is a link, which a store never follows"):
        store.write(make_record("b"))
    assert content(outside) == before


def test_a_linked_record_is_replaced_and_its_target_stays(tmp_path: Path, outside: Path) -> None:
    store = Store(tmp_path / "s")
    path = store.write(make_record())
    path.unlink()
    path.symlink_to(outside / "mine.h5")
    before = content(outside)
    store.write(make_record())
    assert not path.is_symlink()
    assert content(outside) == before


def test_hdf5_files_of_other_programs_are_listed_and_stay(tmp_path: Path, outside: Path) -> None:
    store = Store(tmp_path / "s")
    foreign = store.write(make_record()).with_name("other.h5")
    foreign.write_bytes((outside / "other.h5").read_bytes())
    done = repair(store, action="delete")
    assert [(problem.path, problem.kind) for problem in done.left] == [(foreign, "foreign")]
    assert foreign.exists()


def test_parts_of_other_programs_stay(tmp_path: Path) -> None:
    """The name says more than its ending: `.movie.part` is somebody's download."""
    store = Store(tmp_path / "s")
    mine = store.write(make_record()).with_name(".movie.part")
    mine.write_text("half a movie")
    os.utime(mine, (0, 0))
    store.remove_leftovers()
    repair(store, action="delete")
    assert mine.exists()


def test_what_repair_takes_out_is_set_aside_within_the_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    for content_of in (b"first", b"second"):
        path = store.write(make_record())
        path.write_bytes(content_of)
        done = repair(store)
        assert [problem.path for problem in done.removed] == [path]
    aside = store.root / ".set-aside" / path.relative_to(store.root)
    assert aside.read_bytes() == b"first"
    assert aside.with_name("a.h5.1").read_bytes() == b"second"
    assert [problem for _, problem in store.verify() if problem] == []
    assert store.contents() == []


def test_a_linked_place_to_set_aside_is_refused(tmp_path: Path, outside: Path) -> None:
    store = Store(tmp_path / "s")
    path = store.write(make_record())
    path.write_bytes(b"broken")
    (store.root / ".set-aside").symlink_to(outside)
    before = content(outside)
    with pytest.raises(StoreError, match="is a link, and may lead anywhere"):
        repair(store)
    assert content(outside) == before
    assert path.exists()


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    store.write(make_record()).write_bytes(b"broken")
    before = content(tmp_path)
    result = CliRunner().invoke(store_command, ["repair", str(store.root), "--dry-run"])
    assert "1 file would be moved to" in result.output
    assert result.exit_code == 0
    assert content(tmp_path) == before


def test_deletion_is_an_option(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    path = store.write(make_record())
    path.write_bytes(b"broken")
    result = CliRunner().invoke(store_command, ["repair", str(store.root), "--delete"])
    assert "1 file was deleted" in result.output
    assert not path.exists()
    assert not (store.root / ".set-aside").exists()


def test_a_pack_that_was_killed_is_cleared_by_the_next(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    store.write(make_record())
    dead = tmp_path / f".{'0' * 16}-{'0' * 8}@{files.machine()}@999999999.part"
    living = tmp_path / f".{'0' * 16}-{'0' * 8}@{files.machine()}@{os.getpid()}.part"
    for part in (dead, living):
        part.write_text("half a pack")
    pack(store, tmp_path / "packed.h5")
    assert not dead.exists()
    assert living.exists()


def test_machines_are_told_apart_by_more_than_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = files.machine()
    files.machine.cache_clear()
    monkeypatch.setattr("socket.gethostname", lambda: "localhost")
    assert files.machine() == mine  # the name says nothing
    files.machine.cache_clear()
    monkeypatch.setattr(Path, "read_text", lambda self: "another-boot-id\n")
    assert files.machine() != mine
    files.machine.cache_clear()


@pytest.mark.parametrize("kind", ["pipe", "large"])
def test_a_marker_that_is_no_small_file_is_refused(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "s"
    root.mkdir()
    if kind == "pipe":
        os.mkfifo(root / "store.json")
    else:
        with (root / "store.json").open("wb") as file:
            file.truncate(10**12)
    with pytest.raises(StoreError, match="it is a pipe" if kind == "pipe" else "expected at most"):
        Store(root)
