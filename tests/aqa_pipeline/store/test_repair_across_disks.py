"""Repair where the folder to keep files in lies on another disk, to which nothing can be moved."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store, repair

SPEC = StreamSpec("segments", {})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of two records, of which `broken` is damaged."""
    store, times = Store(tmp_path / "store"), np.array([[0.0, 1.0]])
    for video_id in ("sound", "broken"):
        store.write(Record("toy", video_id, SPEC, np.ones((1, 2)), times, Source("0" * 64)))
    store.path("toy", "broken", SPEC).write_bytes(b"damaged")
    return store


@pytest.fixture
def another_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "rename", refuse)


def test_a_file_is_copied_to_another_disk_and_then_gone(store, tmp_path, another_disk):
    done = repair(store, keep=tmp_path / "elsewhere")
    assert (done.num_sound, len(done.removed)) == (1, 1)
    (kept,) = (path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file())
    assert kept.read_bytes() == b"damaged"
    assert not store.path("toy", "broken", SPEC).exists()
    assert store.video_ids("toy", SPEC) == ["sound"]


def test_a_copy_that_fails_leaves_the_file_where_it_was(store, tmp_path, another_disk, monkeypatch):
    def full(*paths: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(StoreError, match=r"cannot take .*broken\.h5 out: No space left on device"):
        repair(store, keep=tmp_path / "elsewhere")
    assert store.path("toy", "broken", SPEC).read_bytes() == b"damaged"
