"""Batches are filled up to one size, and halved where memory runs out."""

import logging

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import AqaError
from extract.runtimes.batching import FixedBatch, Portions


class Device:
    """A device that doubles its input, and holds no batch larger than `room`."""

    def __init__(self, room):
        self.room, self.sizes = room, []

    def __call__(self, batch):
        self.sizes.append(len(batch))
        if len(batch) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return batch * np.float32(2)


def numbers(count):
    return np.arange(count, dtype=np.uint8)[:, None]


@pytest.mark.parametrize(("count", "tried"), [(4, [4]), (7, [7, 4, 3]), (16, [16, 8, 4, 4, 4, 4])])
def test_what_does_not_fit_goes_in_halves(count, tried):
    device = Device(room=4)
    output = Portions(device, name="i3d")(numbers(count))
    np.testing.assert_array_equal(output, numbers(count) * np.float32(2))
    assert device.sizes == tried


def test_the_size_that_fits_is_kept_and_logged_once(caplog):
    device = Device(room=4)
    run = Portions(device, name="i3d")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            run(numbers(16))
    assert device.sizes == [16, 8, *[4] * 12]
    assert [record.getMessage() for record in caplog.records] == [
        "i3d: the device's memory does not hold a batch of 16; continuing with batches of 4"
    ]


def test_a_last_batch_that_is_smaller_than_what_fits_goes_whole(caplog):
    device = Device(room=4)
    run = Portions(device, name="i3d")
    for count in (8, 3):
        np.testing.assert_array_equal(run(numbers(count)), numbers(count) * np.float32(2))
    assert device.sizes == [8, 4, 4, 3]


def test_not_even_one_fits():
    with pytest.raises(AqaError, match=r"too little memory for a single input of i3d: .*--device cpu"):
        Portions(Device(room=0), name="i3d")(numbers(4))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def broken(batch):
        raise RuntimeError("no kernel")

    with pytest.raises(RuntimeError, match="no kernel"):
        Portions(broken, name="i3d")(numbers(4))


def test_smaller_batches_are_filled_up_and_cut():
    device = Device(room=8)
    run = FixedBatch(device)
    for count in (2, 4, 1, 3):
        np.testing.assert_array_equal(run(numbers(count)), numbers(count) * np.float32(2))
    assert device.sizes == [2, 4, 4, 4]


def test_one_size_is_found_anew_where_memory_runs_out():
    device = Device(room=4)
    run = Portions(FixedBatch(device), name="i3d")
    for count in (8, 2):
        np.testing.assert_array_equal(run(numbers(count)), numbers(count) * np.float32(2))
    assert device.sizes == [8, 4, 4, 4]
