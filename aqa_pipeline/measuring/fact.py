"""One measured quantity with its uncertainty."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["s", "m", "degrees"]
DECIMALS: dict[Unit, int] = {"s": 3, "m": 3, "degrees": 1}


@dataclass(frozen=True)
class MeasuredFact:
    """A value in `unit`, and the interval from `low` to `high` that holds the true one.

    A value of None could not be measured. `low` and `high` are None if the uncertainty is unknown.
    `rests_on` says what the value was made of, or why there is none.
    """

    name: str
    unit: Unit
    rests_on: str
    value: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def uncertainty(self) -> float | None:
        """Return the longer way from the value to an end of its interval."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return max(self.value - self.low, self.high - self.value)
