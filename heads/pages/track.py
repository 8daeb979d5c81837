"""A row of a score page's timeline: attention or scores of a stream's steps."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ALL_BUT_EVEN = 0.2  # range of weights, as a share of an equal weight
ALL_BUT_EQUAL = 0.05  # range of step scores, as a share of the usual range of scores
SAME_SECONDS = 1e-6
NUM_MOMENTS = 4  # ACTION-NET's Figure 6 shows the four highest and the four lowest

Level = Literal["highest", "lowest", "other", "unseen"]


def weights_are_even(weights: NDArray[np.float64]) -> bool:
    """Return whether the range of the weights above 0 is less than a fifth of an equal weight."""
    seen = weights[weights > 0]
    return len(seen) > 1 and bool(np.ptp(seen) < ALL_BUT_EVEN / len(seen))


def scores_are_even(scores: NDArray[np.float64], *, usual_range: float) -> bool:
    """Return whether the range of the scores is less than a twentieth of the usual range."""
    return len(scores) > 1 and bool(np.ptp(scores) < ALL_BUT_EQUAL * usual_range)


@dataclass(frozen=True, eq=False)
class Track:
    """One row of the timeline: `values` (time,) for the [start, stop) seconds of `pts_seconds` (time, 2).

    `kind` "attention": weights that sum to 1, 0 for steps that the head did not read. `kind` "score": the
    score of each step alone. `reference` is drawn as a line: an equal weight, or the video's score.
    `usual_range` is the highest minus the lowest training score. `stream` names the stream of the steps.
    `jumps` (time, 2) holds the seconds to which the player jumps for each step, and the start of the frame
    that it shows then; without them it jumps to the step's start.
    """

    name: str
    unit: str
    kind: Literal["attention", "score"]
    pts_seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    reference: float
    usual_range: float = 0.0
    stream: str = ""
    jumps: NDArray[np.float64] | None = None

    @property
    def shown_at(self) -> NDArray[np.float64]:
        """The seconds to which a click on each step jumps, and the start of the frame there: (time, 2)."""
        return self.bars[:, [0, 0]] if self.jumps is None else self.jumps

    @property
    def overlaps(self) -> bool:
        """True if a step begins before the previous one ends."""
        return bool((self.pts_seconds[:-1, 1] > self.pts_seconds[1:, 0] + SAME_SECONDS).any())

    @property
    def bars(self) -> NDArray[np.float64]:
        """The bar of each step, [start, stop) seconds (time, 2): the step, or its middle if steps overlap."""
        if not self.overlaps:
            return self.pts_seconds
        starts, stops = self.pts_seconds[:, 0], self.pts_seconds[:, 1]
        middles = self.pts_seconds.mean(axis=1)
        edges = (middles[:-1] + middles[1:]) / 2
        return np.stack([np.append(starts[0], edges), np.append(edges, stops[-1])], axis=1)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The steps that the head read: bool (time,)."""
        return np.ones(len(self.values), bool) if self.kind == "score" else self.values > 0

    @property
    def labels(self) -> list[str]:
        """The text of each value; a weight is also given as a multiple of an equal weight."""
        if self.kind == "score":
            return [f"{value:.2f}" for value in self.values]
        return [f"{value:.4f} ({value / self.reference:.2f}x)" for value in self.values]

    @property
    def reading(self) -> str:
        """The legend of the dashed line."""
        if self.kind == "attention":
            return f"dashed: equal weights, {self.reference:.3f} each"
        return f"dashed: the whole video, {self.reference:.2f}"

    @property
    def levels(self) -> list[Level]:
        """The level of each step: up to four are highest, up to four lowest, and never more than half each.

        No step is highest or lowest if the values are almost equal.
        """
        seen = np.flatnonzero(self.seen)
        ranked = seen[np.argsort(-self.values[seen], kind="stable")]
        num = min(NUM_MOMENTS, len(ranked) // 2)
        levels: list[Level] = ["unseen"] * len(self.values)
        for step in seen:
            levels[step] = "other"
        if self.is_even:
            return levels
        for step in ranked[:num]:
            levels[step] = "highest"
        for step in ranked[len(ranked) - num :]:
            levels[step] = "lowest"
        return levels

    @property
    def spread(self) -> str:
        """A sentence on the range of the values: bars do not show that a softmax is almost even."""
        seen = self.values[self.seen]
        if not len(seen):
            return "The head read no step."
        overlap = " Steps overlap: each bar is the middle of a step." if self.overlaps else ""
        if self.kind == "score":
            told = f"{seen[0]:.2f}" if len(seen) == 1 else f"{seen.min():.2f} to {seen.max():.2f}"
            return f"{_steps(len(seen))}, {told}.{overlap}{self._if_unranked}"
        if len(seen) == 1:
            return f"1 step with all of the weight.{self._if_unranked}"
        low, high = seen.min() / self.reference, seen.max() / self.reference
        return (
            f"{len(seen)} steps; their weights are {low:.2f} to {high:.2f} times an equal share.{overlap}"
            f"{self._if_unranked}"
        )

    @property
    def is_ranked(self) -> bool:
        """True if some steps are highest and some lowest."""
        return "highest" in self.levels

    @property
    def is_even(self) -> bool:
        """True if the values are almost equal: no moment stands out."""
        if self.kind == "score":
            return scores_are_even(self.values, usual_range=self.usual_range)
        return weights_are_even(self.values)

    @property
    def _if_unranked(self) -> str:
        if self.is_even:
            return " They are almost equal: no moment stands out."
        return "" if self.is_ranked else " There are too few steps to rank."

    def steps(self, level: Level) -> list[int]:
        """Return the steps of that level, the most extreme first."""
        chosen = [step for step, each in enumerate(self.levels) if each == level]
        sign = 1 if level == "lowest" else -1
        return sorted(chosen, key=lambda step: sign * self.values[step])


def _steps(number: int) -> str:
    return f"{number} step{'s' * (number != 1)}"
