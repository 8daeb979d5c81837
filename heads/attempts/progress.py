"""What the difference of two attempts says: progress, decline, or no evidence of either."""

import math
from dataclasses import dataclass
from typing import Literal

from heads.attempts.typical_error import TypicalError

CHANCE = 0.1  # a difference that errors alone make less often is evidence: the coverage of intervals is 0.9

Evidence = Literal["none", "weak", "clear", "unknown"]


@dataclass(frozen=True)
class Progress:
    """The score of one attempt minus the score of an earlier one, and how surely the two differ.

    `evidence` is "none" for a difference up to the typical error, "clear" for one that errors alone make in
    less than one of ten cases, "weak" between the two, and "unknown" without a typical error.
    """

    difference: float
    error: TypicalError | None

    @property
    def evidence(self) -> Evidence:
        """How surely the attempts differ."""
        if self.error is None:
            return "unknown"
        if self.error.chance(self.difference) < CHANCE:
            return "clear"
        return "none" if abs(self.difference) <= self.error.value else "weak"

    @property
    def decimals(self) -> int:
        """The decimals to print: three significant digits of the typical error, 12.7 or 0.0431."""
        if self.error is None or self.error.value <= 0:
            return 2
        return max(0, 2 - math.floor(math.log10(self.error.value)))

    @property
    def sentence(self) -> str:
        """The difference and what it says, such as `+4.1, smaller than the typical error of 12.7: ...`."""
        told = f"{self.difference:+.{self.decimals}f}"
        if self.error is None:
            return f"{told}; whether that is progress cannot be said: the run has too few test videos."
        what = "progress" if self.difference >= 0 else "decline"
        size = f"the typical error of {self.error.value:.{self.decimals}f}"
        chance = 100 * self.error.chance(self.difference)
        if self.evidence == "none":
            return f"{told}, smaller than {size}: no evidence of {what}."
        if self.evidence == "weak":
            return (
                f"{told}, larger than {size}, but errors alone make such a difference in {chance:.0f} of 100 "
                f"cases: weak evidence of {what}."
            )
        rare = f"{chance:.0f}" if chance >= 1 else "less than 1"
        return (
            f"{told}, larger than {size}; errors alone make such a difference in {rare} of 100 cases: "
            f"evidence of {what}."
        )
