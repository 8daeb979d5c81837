"""Rows that come in batches."""

import tracemalloc

import numpy as np
import pytest

from extract.run.collector import Rows


@pytest.mark.parametrize("sizes", [(3, 2), (0, 5), (5, 0), (1, 0, 1), (0,)])
def test_batches_are_put_behind_each_other(sizes) -> None:
    batches = [np.random.default_rng(at).normal(size=(size, 4, 2)) for at, size in enumerate(sizes)]
    rows = Rows(most=5)
    for batch in batches:
        rows.add(batch)
    assert np.array_equal(rows.array, np.concatenate(batches))
    assert rows.array.dtype == np.float64


def test_a_named_dtype_is_taken_at_once() -> None:
    rows = Rows(2, "float16")
    rows.add(np.array([[0.1], [2.0]], np.float32))
    assert rows.array.dtype == np.float16
    assert np.array_equal(rows.array, np.array([[0.1], [2.0]], np.float16))


def test_more_rows_than_planned_are_refused() -> None:
    rows = Rows(2)
    rows.add(np.zeros((2, 1)))
    with pytest.raises(ValueError, match="broadcast"):
        rows.add(np.zeros((2, 1)))


def test_rows_are_held_once() -> None:
    rows, batch = Rows(1000), np.zeros((10, 1024), np.float32)
    tracemalloc.start()
    for _ in range(100):
        rows.add(batch)
    _ = rows.array
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.1 * 100 * batch.nbytes


def test_rows_of_another_length_end_with_zeros_up_to_the_longest() -> None:
    rows, lengths = Rows(6, "uint8"), (3, 2, 5, 4, 5, 1)
    for value, length in enumerate(lengths, 1):
        rows.add(np.full((1, length), value, np.uint8))
    expected = [[value] * length + [0] * (5 - length) for value, length in enumerate(lengths, 1)]
    assert rows.array.tolist() == expected
    assert rows.array.dtype == np.uint8


def test_rows_of_more_axes_have_one_shape() -> None:
    rows = Rows(2)
    rows.add(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="unpack"):
        rows.add(np.zeros((1, 2, 4)))
