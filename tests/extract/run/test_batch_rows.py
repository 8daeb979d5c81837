"""Rows that come in batches."""

import tracemalloc

import numpy as np
import pytest

from extract.run.batch_rows import Rows


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
