"""The axis of a scale of scores: its ends and marks are round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from heads.pages.score_page import Mark

ROUND = (1, 2, 5, 10)
FEWEST_STEPS = 4


@dataclass(frozen=True)
class ScoreAxis:
    """From `low` to `high`, with a mark at each multiple of `step`; both ends are such multiples."""

    low: float
    high: float
    step: float

    def share(self, value: float) -> float:
        """Return where the value lies, as a share of the axis."""
        return (value - self.low) / (self.high - self.low)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Return place and text of each mark."""
        first, last = round(self.low / self.step), round(self.high / self.step)
        decimals = max(0, -math.floor(math.log10(self.step)))
        values = [number * self.step for number in range(first, last + 1)]
        return tuple(Mark(self.share(value), f"{value:.{decimals}f}") for value in values)


def round_axis(values: Iterable[float]) -> ScoreAxis:
    """Return the shortest axis with round ends that holds all values: 1.06 to 15.48 -> 0, 5, 10, 15, 20."""
    held = list(values)
    low, high = min(held), max(held)
    least = (high - low) / FEWEST_STEPS or abs(high) / FEWEST_STEPS or 1.0
    power = 10.0 ** math.floor(math.log10(least))
    step = next(each * power for each in ROUND if each * power >= least * (1 - 1e-9))
    first, last = math.floor(low / step), math.ceil(high / step)
    return ScoreAxis(first * step, max(last, first + 1) * step, step)
