"""A program that runs: its runtime is chosen when the first batch comes. Imports nothing heavy."""

import logging
from typing import TYPE_CHECKING

from extract.runtimes.program import Chosen, Program, Runtime

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


class Runner:
    """uint8 batches (B, [T,] H, W, 3) -> float32 (B, ...), in smaller portions where memory runs out."""

    def __init__(self, program: Program, wanted: Runtime) -> None:
        from extract.runtimes.batching import Portions

        self._program, self._wanted = program, wanted
        self._chosen: Chosen | None = None
        self._portions = Portions(self._run, name=program.name)

    def __call__(self, batch: "np.ndarray") -> "np.ndarray":
        return self._portions(batch)

    @property
    def runtime(self) -> Runtime | None:
        """What runs it; None before the first batch."""
        return None if self._chosen is None else self._chosen.runtime

    @property
    def told(self) -> str:
        """What runs the program, and why: `i3d runs in openvino: 2.4 times as fast as eager here, ...`."""
        if self._chosen is None:
            return f"{self._program.name} has not run yet"
        reason = f": {self._chosen.reason}" if self._chosen.reason else ""
        return f"{self._program.name} runs in {self._chosen.runtime}{reason}"

    def _run(self, portion: "np.ndarray") -> "np.ndarray":
        from extract.runtimes.choose import choose_runtime

        if self._chosen is None:
            self._chosen = choose_runtime(self._program, self._wanted, portion)
            log.info("%s", self.told)
        return self._chosen.run(portion)
