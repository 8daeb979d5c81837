"""Batches that do not fit the device: every input is computed once more at most, none is lost or mixed up."""

import json
import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import AqaError
from extract.runtimes.batching import FixedBatch, Portions
from extract.runtimes.choose import relative_difference
from extract.runtimes.measured_speed import Finding, recall, remember
from extract.runtimes.program import one_line


class Device:
    """A device that holds up to `most` inputs, and remembers the sizes of batches."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sizes: list[int] = []

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.sizes.append(len(batch))
        if len(batch) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return batch * 2.0


@given(st.integers(1, 40), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_every_batch_comes_out_whole_and_in_order_whatever_fits(most, sizes):
    device = Device(most)
    portions = Portions(device, name="net")
    for size in sizes:
        batch = np.arange(size, dtype=float).reshape(size, 1)
        np.testing.assert_array_equal(portions(batch), batch * 2)


def test_a_size_that_fits_is_found_once_kept_and_told_once(caplog):
    device = Device(5)
    portions = Portions(device, name="i3d")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            portions(np.zeros((16, 1)))
    assert device.sizes == [16, 8, 4, 4, 4, 4] + [4, 4, 4, 4] * 2
    assert caplog.messages == [
        "i3d: the device's memory does not hold a batch of 16; continuing with batches of 4"
    ]


def test_a_device_too_small_for_one_input_says_what_to_do():
    message = "the device has too little memory for a single input of i3d: .*, or take --device cpu"
    with pytest.raises(AqaError, match=message):
        Portions(Device(0), name="i3d")(np.zeros((4, 1)))


def test_other_errors_are_not_taken_for_too_little_memory():
    def fail(batch: np.ndarray) -> np.ndarray:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        Portions(fail, name="net")(np.zeros((4, 1)))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_a_fixed_batch_never_shrinks_and_drops_what_was_added(sizes):
    device = Device(9)
    fixed = FixedBatch(device)
    for size in sizes:
        batch = np.arange(size, dtype=float).reshape(size, 1)
        np.testing.assert_array_equal(fixed(batch), batch * 2)
    assert device.sizes == np.maximum.accumulate(sizes).tolist()


def test_a_fixed_batch_that_was_too_large_starts_again_smaller():
    device = Device(9)
    fixed = FixedBatch(device)
    device.most = 4
    with pytest.raises(torch.OutOfMemoryError):
        fixed(np.zeros((8, 1)))
    fixed(np.zeros((3, 1)))
    assert device.sizes == [8, 3]


@pytest.fixture
def program(make_program, tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return make_program()


FINDING = Finding(speedup=2.5, difference=1e-6, difference_of_eager=1e-7)


def test_a_measured_speed_is_remembered_for_its_program_alone(program, make_program):
    assert recall(program) is None
    remember(program, FINDING)
    assert recall(program) == FINDING
    assert recall(make_program(precision="bf16")) is None
    assert recall(make_program(weights="other random:1")) is None
    other = Finding(1.0, 0.0, 0.0)
    remember(make_program(precision="bf16"), other)
    assert (recall(program), recall(make_program(precision="bf16"))) == (FINDING, other)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "[" * 10_000, '{"a": NaN}', None],
    ids=["empty", "cut", "list", "deep", "NaN", "other facts"],
)
def test_a_damaged_memory_is_no_memory_and_is_written_anew(program, tmp_path, content):
    remember(program, FINDING)
    path = tmp_path / "home" / "runtimes.json"
    if content is None:
        (key,) = json.loads(path.read_text())
        content = json.dumps({key: {"speed": 3}})
    path.write_text(content)
    assert recall(program) is None
    remember(program, FINDING)
    assert recall(program) == FINDING


def test_a_memory_that_cannot_be_written_stops_nobody(program, tmp_path, caplog):
    (tmp_path / "home").write_text("a file in the place of the folder")
    with caplog.at_level(logging.INFO, logger="extract.runtimes"):
        remember(program, FINDING)
    assert "the measured speeds of runtimes are not stored" in caplog.text
    assert recall(program) is None


def test_a_difference_is_relative_to_the_reference():
    assert relative_difference(np.array([3.0, 4.0]), np.array([3.0, 4.0])) == 0
    assert relative_difference(np.array([3.0, 5.0]), np.array([3.0, 4.0])) == pytest.approx(0.2)
    assert relative_difference(np.array([30.0, 50.0]), np.array([30.0, 40.0])) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("error", "first", "last"),
    [
        (ValueError("one\n\n  two  \n"), "one", "two"),
        (ValueError(""), "ValueError", "ValueError"),
        (ValueError("x" * 300), "x" * 200, "x" * 200),
    ],
    ids=["lines", "silent", "long"],
)
def test_a_librarys_message_becomes_one_line(error, first, last):
    assert (one_line(error, which=0), one_line(error, which=-1)) == (first, last)
