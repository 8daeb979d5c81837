"""Compose and score a synthetic routine: elements, wobble, falls. This module draws nothing.

A routine is six different elements. Each has a difficulty, in tenths of a point, within the range of its
kind. A harder element has a larger and faster movement. An unsteady element costs up to 0.3 points, a fall 1
point:

    score = sum(difficulty) - sum(wobble deductions) - 1.0 * falls

The score is always above 0: the six easiest elements sum to 3.4 points, and the largest deduction is 2.8.
"""

from dataclasses import dataclass

import numpy as np

NUM_ELEMENTS = 6
FALL_DEDUCTION = 1.0
EASY_FALL_PROBABILITY = 0.03
MAX_FALLS = 1
WOBBLE_TENTHS = 3

# Difficulty in tenths of a point, easiest and hardest of the kind.
DIFFICULTY_TENTHS: dict[str, tuple[int, int]] = {
    "kick": (6, 26),
    "split leap": (7, 30),
    "spin": (6, 28),
    "cartwheel": (8, 32),
    "arm wave": (4, 20),
    "squat jump": (5, 24),
    "arabesque": (6, 26),
}


@dataclass(frozen=True)
class Element:
    """One element of a routine. `amount` in [0, 1] is the size of its movement, from easiest to hardest."""

    kind: str
    difficulty_tenths: int
    wobble_tenths: int
    falls: bool
    duration_seconds: float

    @property
    def amount(self) -> float:
        """Return the size of the movement, from 0 (easiest) to 1 (hardest)."""
        easiest, hardest = DIFFICULTY_TENTHS[self.kind]
        return (self.difficulty_tenths - easiest) / (hardest - easiest)

    @property
    def unsteadiness(self) -> float:
        """Return the unsteadiness, from 0 (steady) to 1."""
        return self.wobble_tenths / WOBBLE_TENTHS


@dataclass(frozen=True)
class Routine:
    """The elements in order, with their difficulty, deductions and score."""

    elements: tuple[Element, ...]

    @property
    def difficulty(self) -> float:
        """Return the sum of the difficulties in points."""
        return sum(element.difficulty_tenths for element in self.elements) / 10

    @property
    def deductions(self) -> float:
        """Return the sum of the deductions in points."""
        tenths = sum(element.wobble_tenths for element in self.elements)
        return round(tenths / 10 + FALL_DEDUCTION * sum(element.falls for element in self.elements), 1)

    @property
    def score(self) -> float:
        """Return difficulty minus deductions."""
        return round(self.difficulty - self.deductions, 1)


def compose(rng: np.random.Generator) -> Routine:
    """Draw a random routine. Better athletes try harder elements and are steadier, on average."""
    kinds = rng.permutation(list(DIFFICULTY_TENTHS))[:NUM_ELEMENTS]
    # More very good and very bad routines than average ones, so that ranks are clear and few routines tie.
    skill = rng.beta(0.7, 0.7)
    sloppiness = 1 - skill + rng.normal(0, 0.25)
    fall_probability = EASY_FALL_PROBABILITY + 0.12 * float(np.clip(sloppiness, 0, 1))
    elements: list[Element] = []
    for kind in kinds:
        easiest, hardest = DIFFICULTY_TENTHS[str(kind)]
        amount = np.clip(skill + rng.normal(0, 0.1), 0, 1)
        may_fall = sum(element.falls for element in elements) < MAX_FALLS
        elements.append(
            Element(
                kind=str(kind),
                difficulty_tenths=round(easiest + amount * (hardest - easiest)),
                wobble_tenths=round(WOBBLE_TENTHS * np.clip(sloppiness + rng.normal(0, 0.15), 0, 1)),
                falls=bool(may_fall and rng.uniform() < fall_probability),
                duration_seconds=float(rng.uniform(1.5, 1.8)),
            )
        )
    return Routine(tuple(elements))
