"""The file of a snapshot: read back as it was, and not used when it is damaged or of another training."""

import logging
from pathlib import Path

import pytest
import torch

from heads.training.resuming.snapshot_file import Snapshot, SnapshotFile, digest_of_tensors

SNAPSHOT = Snapshot(
    {
        "module/weight": torch.arange(6.0).reshape(2, 3).T,
        "module/count": torch.tensor(3),
        "kept/x": torch.ones(1),
    },
    {"epochs": [{"epoch": 1, "loss": 0.1, "validation": float("nan")}]},
)


@pytest.fixture
def file(tmp_path: Path) -> SnapshotFile:
    file = SnapshotFile(tmp_path / ".seed-0.snapshot", {"data": "abc", "head": "wd"})
    file.write(SNAPSHOT)
    return file


def test_it_reads_what_was_written(file: SnapshotFile) -> None:
    there = file.read()
    assert there is not None
    assert there.tensors.keys() == SNAPSHOT.tensors.keys()
    assert all(torch.equal(there.tensors[name], SNAPSHOT.tensors[name]) for name in there.tensors)
    assert repr(there.facts) == repr(SNAPSHOT.facts)
    assert there.part("module").keys() == {"weight", "count"}
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


def test_nothing_is_said_where_there_is_none(tmp_path: Path, caplog) -> None:
    assert SnapshotFile(tmp_path / "none", {}).read() is None
    assert not caplog.text


@pytest.mark.parametrize("at", [0, 40, -1], ids=["length", "header", "numbers"])
def test_a_changed_byte_is_noticed(file: SnapshotFile, caplog, at: int) -> None:
    content = bytearray(file.path.read_bytes())
    content[at] ^= 1
    file.path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert file.read() is None
    assert "is damaged" in caplog.text
    assert "training begins with epoch 1" in caplog.text


@pytest.mark.parametrize("size", [0, 7, 200, -1])
def test_a_cut_file_is_noticed(file: SnapshotFile, caplog, size: int) -> None:
    file.path.write_bytes(file.path.read_bytes()[:size])
    assert file.read() is None
    assert "is damaged" in caplog.text


def test_a_file_of_something_else_is_noticed(file: SnapshotFile, caplog) -> None:
    file.path.write_text("not a snapshot")
    assert file.read() is None
    file.path.unlink()
    file.path.mkdir()
    assert file.read() is None
    assert caplog.text.count("is damaged") == 2


def test_what_differs_is_named(file: SnapshotFile, caplog) -> None:
    assert SnapshotFile(file.path, {"data": "abd", "head": "wd"}).read() is None
    assert "(with another data)" in caplog.text
    assert file.of(start="new").read() is None
    assert "(with another start)" in caplog.text


def test_the_digest_holds_names_types_shapes_and_numbers() -> None:
    tensors = [
        {"a": torch.zeros(4)},
        {"b": torch.zeros(4)},
        {"a": torch.zeros(4, dtype=torch.int32)},
        {"a": torch.zeros(2, 2)},
        {"a": torch.tensor([0, 0, 0, 1.0])},
        {"a": torch.zeros(4, dtype=torch.bfloat16)},
        {"a": torch.zeros(0)},
        {},
    ]
    assert len({digest_of_tensors(each) for each in tensors}) == len(tensors)
    assert digest_of_tensors({"a": torch.zeros(1), "b": torch.ones(1)}) == digest_of_tensors(
        {"b": torch.ones(1), "a": torch.zeros(1)}
    )
