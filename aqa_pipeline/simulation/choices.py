"""What a person chooses of a simulation, and the random numbers that follow from it."""

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
    """What is drawn: how strong the signal is, where it sits, and which random numbers."""

    effect: float = 1.0
    signal: Signal = "sparse"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.signal not in SIGNALS:
            raise UnknownName("signal", self.signal, SIGNALS)
        if not 0 <= self.effect < np.inf:
            raise DatasetError(
                f"effect {self.effect} is not a number from 0: 0 is no signal, 1 the usual one."
            )

    def facts(self, version: int) -> dict[str, SpecValue]:
        """What a spec says of features that the model of that version drew."""
        return {
            "simulated": True,
            "simulation_version": version,
            "effect": float(self.effect),
            "signal": self.signal,
            "seed": self.seed,
            "dtype": "float16",
        }


def random_numbers(simulation: Simulation, *names: str) -> np.random.Generator:
    """Random numbers of their own for each seed and name (stream, video): no order of work changes them."""
    key = json.dumps([simulation.seed, *names])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))
