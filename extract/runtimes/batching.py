"""Batches of one size for programs that want it, and smaller ones where a device's memory ends.

Importing this imports no torch.
"""

import logging
import sys

import numpy as np

from aqa_pipeline.errors import AqaError
from extract.runtimes.program import Run

log = logging.getLogger(__name__)


class FixedBatch:
    """Fills batches up to the largest size seen so far, and cuts off of the output what was added."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._size = 0

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        number = len(batch)
        self._size = max(self._size, number)
        filled = np.concatenate([batch, np.repeat(batch[:1], self._size - number, axis=0)])
        try:
            return self._run(filled)[:number]
        except RuntimeError as error:
            if memory_is_out(error):
                self._size = 0  # smaller batches come next
            raise


class Portions:
    """Halves the batch where memory runs out, and goes on with what fits; says so once.

    Raises `AqaError` where not even a single input fits.
    """

    def __init__(self, run: Run, *, name: str) -> None:
        self._run, self._name = run, name
        self._at_once: int | None = None

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        at_once = min(self._at_once or len(batch), len(batch))
        while (output := self._try(batch, at_once)) is None:
            if at_once == 1:
                raise AqaError(
                    f"the device has too little memory for a single input of {self._name}: close what else "
                    "runs there, or take --device cpu"
                )
            at_once = (at_once + 1) // 2
            self._at_once = None
        if at_once < len(batch) and self._at_once is None:
            self._at_once = at_once
            log.warning("%s: memory is out at %d at once, going on with %d", self._name, len(batch), at_once)
        return output

    def _try(self, batch: np.ndarray, at_once: int) -> np.ndarray | None:
        """The output, or None where memory runs out; what the attempt held is then free again."""
        portions = (batch[start : start + at_once] for start in range(0, len(batch), at_once))
        try:
            return np.concatenate([self._run(portion) for portion in portions])
        except RuntimeError as error:
            if not memory_is_out(error):
                raise
        _free_what_is_cached()
        return None


def memory_is_out(error: RuntimeError) -> bool:
    """Whether torch says that a device's memory has run out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _free_what_is_cached() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
