"""The settings of a simulation, and its random numbers."""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import SpecValue

Signal = Literal["sparse", "even"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)


@dataclass(frozen=True)
class Simulation:
    """The strength of the signal (`effect`), its place (`signal`) and the seed of random numbers."""

    effect: float = 1.0
    signal: Signal = "sparse"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.signal not in SIGNALS:
            raise UnknownName("signal", self.signal, SIGNALS)
        if not 0 <= self.effect < np.inf:
            raise DatasetError(
                f"effect {self.effect}: expected a finite number >= 0; 0 means no signal, 1 the usual signal."
            )

    def facts(self, version: int) -> dict[str, SpecValue]:
        """Return the facts for the spec of features that were drawn by that version of the model."""
        return {
            "simulated": True,
            "simulation_version": version,
            "effect": float(self.effect),
            "signal": self.signal,
            "seed": self.seed,
            "dtype": "float16",
        }


def random_numbers(simulation: Simulation, *names: str) -> np.random.Generator:
    """Return a generator for each seed and names (stream, video), so that the order of work has no effect."""
    key = json.dumps([simulation.seed, *names])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))
