"""Damage is found whatever bit it is in, taken out by repair, and nothing else is."""

import errno
import os
import random
import shutil

import h5py
import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store, repair, seal

SPEC = StreamSpec("segments", {"rate_fps": 5.0, "weights": "random:0"})


def make_record(video_id: str = "a", *, steps: int = 4) -> Record:
    start = np.arange(steps, dtype=float)
    return Record(
        dataset="toy",
        video_id=video_id,
        spec=SPEC,
        features=np.random.default_rng(steps).standard_normal((steps, 3)).astype(np.float32),
        pts_seconds=np.stack([start, start + 1], axis=1),
        source=Source("0" * 64),
        extras={"boxes": np.zeros((steps, 4), np.float32)},
    )


def problems(store: Store) -> dict:
    return {path: problem.kind for path, problem in store.verify() if problem}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s")
    for video_id in ("sound", "broken"):
        store.write(make_record(video_id))
    return store


@pytest.fixture
def broken(store):
    return store.path("toy", "broken", SPEC)


def truncate(path):
    path.write_bytes(path.read_bytes()[:2000])


def flip_a_feature(path):
    content = bytearray(path.read_bytes())
    content[content.index(make_record().features.tobytes())] ^= 1
    path.write_bytes(content)


def copy_another_here(path):
    shutil.copyfile(path.with_name("sound.h5"), path)


def append(path):
    path.write_bytes(path.read_bytes() + b"\0")


DAMAGE = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not a record"),
    "truncated": truncate,
    "flipped": flip_a_feature,
    "of another video": copy_another_here,
    "longer": append,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_finds_damage(store, broken, damage):
    DAMAGE[damage](broken)
    assert problems(store) == {broken: "damaged"}


def test_every_flipped_bit_is_found(store, broken):
    content, rng = broken.read_bytes(), random.Random(0)
    ends = [*range(8), *range(len(content) - seal.NUM_SEAL_BYTES - 4, len(content))]
    for at in [*ends, *(rng.randrange(len(content)) for _ in range(60))]:
        flipped = bytearray(content)
        flipped[at] ^= 1 << rng.randrange(8)
        broken.write_bytes(flipped)
        assert problems(store) == {broken: "damaged"}, at


def test_a_record_that_lost_its_seal_is_found(store, broken):
    with h5py.File(broken, "a") as file:
        file.attrs["more"] = 1
    assert problems(store) == {broken: "damaged"}


def test_an_id_that_hdf5_cannot_hold_is_refused(store):
    with pytest.raises(StoreError, match="zero byte"):
        store.write(make_record("a\0"))


def test_any_hdf5_program_reads_a_sealed_record(store, broken):
    with h5py.File(broken) as file:
        np.testing.assert_array_equal(file["features"][:], make_record().features)


def test_repair_takes_out_what_is_damaged_and_extraction_fills_the_hole(store, broken):
    before = broken.read_bytes()
    flip_a_feature(broken)
    notes = broken.with_name("notes.txt")
    notes.write_text("mine")
    done = repair(store)
    assert done.num_sound == 1
    assert [(p.path, p.kind) for p in done.removed] == [(broken, "damaged")]
    assert [(p.path, p.kind) for p in done.left] == [(notes, "foreign")]
    assert notes.exists()
    assert not store.has("toy", "broken", SPEC)
    assert store.has("toy", "sound", SPEC)
    store.write(make_record("broken"))
    assert broken.read_bytes() == before


def test_repair_can_keep_what_it_takes_out(store, broken, tmp_path):
    broken.write_bytes(b"rest of a record")
    repair(store, keep=tmp_path / "kept")
    (kept,) = (tmp_path / "kept").rglob("*.h5")
    assert kept.read_bytes() == b"rest of a record"
    assert not broken.exists()


def test_repair_leaves_what_the_disk_does_not_give(store, broken, monkeypatch):
    def refuse(path):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("aqa_pipeline.store.folder.seal_problem", refuse)
    done = repair(store)
    assert {p.kind for p in done.left} == {"unreadable"}
    assert broken.exists()


def test_repair_leaves_records_of_another_version(store, broken, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr("aqa_pipeline.store.hdf5.SCHEMA", 99)
        store.write(make_record("broken"))
    done = repair(store)
    assert [(p.path, p.kind) for p in done.left] == [(broken, "foreign")]
    assert "schema 99, expected 4" in done.left[0].reason


def test_a_pipe_in_a_store_does_not_stop_verify(store, broken):
    broken.unlink()
    os.mkfifo(broken)
    assert problems(store) == {broken: "foreign"}


def test_a_folder_that_cannot_be_changed_is_said_so(store, broken, monkeypatch):
    broken.write_bytes(b"")

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(type(broken), "unlink", refuse)
    with pytest.raises(StoreError, match="Read-only file system"):
        repair(store, action="delete")
