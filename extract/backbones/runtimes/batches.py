"""Batches of one size for programs that want it, and smaller ones where a device's memory ends."""

import logging

import torch
from torch import Tensor

from aqa_pipeline.errors import AqaError
from extract.backbones.runtimes.program import Run

log = logging.getLogger(__name__)


class FixedBatch:
    """Fills batches up to the largest size seen so far, and cuts off of the output what was added."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._size = 0

    def __call__(self, batch: Tensor) -> Tensor:
        number = len(batch)
        self._size = max(self._size, number)
        filled = torch.cat([batch, batch[:1].expand(self._size - number, *batch.shape[1:])])
        try:
            return self._run(filled)[:number]
        except torch.OutOfMemoryError:
            self._size = 0  # smaller batches come next
            raise


class Portions:
    """Halves the batch where memory runs out, and goes on with what fits; says so once.

    Raises `AqaError` where not even a single input fits.
    """

    def __init__(self, run: Run, *, name: str) -> None:
        self._run, self._name = run, name
        self._at_once: int | None = None

    def __call__(self, batch: Tensor) -> Tensor:
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

    def _try(self, batch: Tensor, at_once: int) -> Tensor | None:
        """The output, or None where memory runs out; what the attempt held is then free again."""
        try:
            return torch.cat([self._run(portion) for portion in batch.split(at_once)])
        except torch.OutOfMemoryError:
            pass
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None
