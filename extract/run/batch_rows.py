"""Rows that come in batches, as one array."""

import numpy as np


class Rows:
    """Up to `most` rows, each batch put in its place at once: joined at the end, all would be there twice.

    All batches have the shape (rows, ...) of the first, and its dtype unless another is named.
    """

    def __init__(self, most: int, dtype: str | None = None) -> None:
        self._most, self._dtype = most, dtype
        self._array: np.ndarray | None = None
        self._num_rows = 0

    def add(self, batch: np.ndarray) -> None:
        """Append the rows of a batch."""
        if self._array is None:  # memory that is not touched is not taken
            self._array = np.empty((self._most, *batch.shape[1:]), self._dtype or batch.dtype)
        end = self._num_rows + len(batch)
        self._array[self._num_rows : end] = batch
        self._num_rows = end

    @property
    def array(self) -> np.ndarray:
        """All rows that have come; there was a batch, if only of none."""
        assert self._array is not None, "no batch has come yet"
        return self._array[: self._num_rows]
