"""Fill batches up to one size, and split batches that do not fit a device's memory.

Importing this imports no torch.
"""

import logging
import sys

import numpy as np

from aqa_pipeline.errors import AqaError
from extract.runtimes.program import Run

log = logging.getLogger(__name__)


class FixedBatch:
    """Fills batches up to the largest size so far, and drops the outputs of the added inputs."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._size = 0

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Run the batch, filled up with copies of its first input."""
        number = len(batch)
        self._size = max(self._size, number)
        filled = np.concatenate([batch, np.repeat(batch[:1], self._size - number, axis=0)])
        try:
            return self._run(filled)[:number]
        except RuntimeError as error:
            if is_out_of_memory(error):
                self._size = 0  # `Portions` will send smaller batches
            raise


class Portions:
    """Halves batches until they fit the device's memory, keeps that size, and logs it once."""

    def __init__(self, run: Run, *, name: str) -> None:
        self._run, self._name = run, name
        self._at_once: int | None = None

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Run the batch, in portions if it does not fit. Raise `AqaError` if not even one input fits."""
        at_once = min(self._at_once or len(batch), len(batch))
        while (output := self._try(batch, at_once)) is None:
            if at_once == 1:
                raise AqaError(
                    f"the device has too little memory for a single input of {self._name}: close other "
                    "programs that use the device, or take --device cpu"
                )
            at_once = (at_once + 1) // 2
            self._at_once = None
        if at_once < len(batch) and self._at_once is None:
            self._at_once = at_once
            log.warning(
                "%s: the device's memory does not hold a batch of %d; continuing with batches of %d",
                self._name,
                len(batch),
                at_once,
            )
        return output

    def _try(self, batch: np.ndarray, at_once: int) -> np.ndarray | None:
        """Return the output in portions of `at_once`; None if memory runs out, after freeing it."""
        portions = (batch[start : start + at_once] for start in range(0, len(batch), at_once))
        try:
            return np.concatenate([self._run(portion) for portion in portions])
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        _free_cached_memory()
        return None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return True if the error is torch's for a device that is out of memory."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _free_cached_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
