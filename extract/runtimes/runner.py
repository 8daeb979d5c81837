"""Run a program; its runtime is chosen with the first batch. Importing this imports nothing heavy."""

import logging
from typing import TYPE_CHECKING

from extract.runtimes.program import Chosen, Program, Runtime

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


class Runner:
    """Runs uint8 batches (batch, [frame,] height, width, 3) -> float32 (batch, ...).

    Batches that do not fit the device's memory are split.
    """

    def __init__(self, program: Program, wanted: Runtime) -> None:
        from extract.runtimes.batching import Portions

        self._program, self._wanted = program, wanted
        self._chosen: Chosen | None = None
        self._portions = Portions(self._run, name=program.name)

    def __call__(self, batch: "np.ndarray") -> "np.ndarray":
        """Run the batch. Raise `AqaError` if the runtime cannot, or if not even one input fits."""
        return self._portions(batch)

    @property
    def runtime(self) -> Runtime | None:
        """The chosen runtime; None before the first batch."""
        return None if self._chosen is None else self._chosen.runtime

    @property
    def summary(self) -> str:
        """The program's runtime and why: `i3d runs in openvino: 2.4 times as fast as eager here, ...`."""
        if self._chosen is None:
            return f"{self._program.name} has not run yet"
        reason = f": {self._chosen.reason}" if self._chosen.reason else ""
        return f"{self._program.name} runs in {self._chosen.runtime}{reason}"

    def _run(self, portion: "np.ndarray") -> "np.ndarray":
        from extract.runtimes.choose import choose_runtime

        if self._chosen is None:
            self._chosen = choose_runtime(self._program, self._wanted, portion)
            log.info("%s", self.summary)
        return self._chosen.run(portion)
