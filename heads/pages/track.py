"""A row of a score page's timeline: effects, scores or attention weights of a stream's steps."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.plurals import counted

ALL_BUT_EVEN = 0.2  # range of weights, as a share of an equal weight
ALL_BUT_EQUAL = 0.05  # range of effects or step scores, as a share of the usual range of scores
SMALL_EFFECT = 0.1  # as a share of the largest effect of the video
SAME_SECONDS = 1e-6
NUM_MOMENTS = 4  # ACTION-NET's Figure 6 shows the four highest and the four lowest

Level = Literal["highest", "lowest", "other", "unseen"]
Kind = Literal["effect", "score", "attention"]
LEVEL_NAMES: dict[Kind, dict[str, str]] = {
    "effect": {"highest": "raised the score most", "lowest": "lowered the score most"},
    "score": {"highest": "highest", "lowest": "lowest"},
    "attention": {"highest": "highest", "lowest": "lowest"},
}


def weights_are_even(weights: NDArray[np.float64]) -> bool:
    """Return whether the range of the weights above 0 is less than a fifth of an equal weight."""
    seen = weights[weights > 0]
    return len(seen) > 1 and bool(np.ptp(seen) < ALL_BUT_EVEN / len(seen))


def scores_are_even(scores: NDArray[np.float64], *, usual_range: float) -> bool:
    """Return whether the range of the scores is less than a twentieth of the usual range."""
    return len(scores) > 1 and bool(np.ptp(scores) < ALL_BUT_EQUAL * usual_range)


def effect_decimals(usual_range: float) -> int:
    """Return the decimals of an effect: a twentieth of the usual range of scores has two digits."""
    least = ALL_BUT_EQUAL * usual_range
    return max(0, 1 - math.floor(math.log10(least))) if least > 0 else 2


def effect_text(effect: float, *, usual_range: float) -> str:
    """Return the effect with its sign, such as `-0.8`."""
    return f"{effect:+z.{effect_decimals(usual_range)}f}"


@dataclass(frozen=True, eq=False)
class Track:
    """One row of the timeline: `values` (time,) for the [start, stop) seconds of `pts_seconds` (time, 2).

    `kind` "effect": the score minus the score without the step. `kind` "score": the score of each step alone.
    `kind` "attention": weights that sum to 1, 0 for steps that the head did not read; they are shown on
    request. `reference` is drawn as a line: no effect, the video's score, or an equal weight. `usual_range`
    is the highest minus the lowest training score. `stream` names the stream of the steps. `read` (time,)
    marks the steps that the head read; None: all steps, or those with a weight above 0.
    `jumps` (time, 2) holds the seconds to which the player jumps for each step, and the start of the frame
    that it shows then; without them it jumps to the step's start.
    """

    name: str
    unit: str
    kind: Kind
    pts_seconds: NDArray[np.float64]
    values: NDArray[np.float64]
    reference: float
    usual_range: float = 0.0
    stream: str = ""
    jumps: NDArray[np.float64] | None = None
    read: NDArray[np.bool_] | None = None

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
        if self.read is not None:
            return self.read
        return self.values > 0 if self.kind == "attention" else np.ones(len(self.values), bool)

    @property
    def labels(self) -> list[str]:
        """The text of each value: effects with their sign, weights also as a multiple of an equal weight."""
        if self.kind == "effect":
            return [effect_text(value, usual_range=self.usual_range) for value in self.values]
        if self.kind == "score":
            return [f"{value:.2f}" for value in self.values]
        return [f"{value:.4f} ({value / self.reference:.2f}x)" for value in self.values]

    @property
    def reading(self) -> str:
        """The legend of the dashed line."""
        if self.kind == "effect":
            return "above the line: raised the score; below: lowered it"
        if self.kind == "attention":
            return f"dashed: equal weights, {self.reference:.3f} each"
        return f"dashed: the whole video, {self.reference:.2f}"

    @property
    def level_names(self) -> dict[str, str]:
        """The legend of the levels `highest` and `lowest`."""
        return LEVEL_NAMES[self.kind]

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest value that the row must hold; almost equal effects look small in it."""
        values = [*self.values.tolist(), self.reference]
        if self.kind == "attention":
            return 0.0, max(values)
        room = ALL_BUT_EQUAL * self.usual_range / 2 if self.kind == "effect" else 0.0
        return min(*values, self.reference - room), max(*values, self.reference + room)

    @property
    def levels(self) -> list[Level]:
        """The level of each step: up to four are highest, up to four lowest, and never more than half each.

        No step is highest or lowest if the values are almost equal. The highest effects are above 0, the
        lowest below, and each at least a tenth of the largest in size.
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
            levels[step] = "highest" if self._counts(step, sign=1) else "other"
        for step in ranked[len(ranked) - num :]:
            levels[step] = "lowest" if self._counts(step, sign=-1) else "other"
        return levels

    def _counts(self, step: int, *, sign: int) -> bool:
        if self.kind != "effect":
            return True
        return bool(sign * self.values[step] > SMALL_EFFECT * np.abs(self.values).max())

    @property
    def spread(self) -> str:
        """A sentence on the range of the values: bars do not show that a softmax is almost even."""
        seen = self.values[self.seen]
        if not len(seen):
            return "The head read no step."
        overlap = " Steps overlap: each bar is the middle of a step." if self.overlaps else ""
        if self.kind == "effect":
            return f"{self._effects_told}{overlap}{self._if_unranked}"
        if self.kind == "score":
            told = f"{seen[0]:.2f}" if len(seen) == 1 else f"{seen.min():.2f} to {seen.max():.2f}"
            return f"{counted(len(seen), 'step')}, {told}.{overlap}{self._if_unranked}"
        if len(seen) == 1:
            return f"1 step with all of the weight.{self._if_unranked}"
        low, high = seen.min() / self.reference, seen.max() / self.reference
        return (
            f"{len(seen)} steps; their weights are {low:.2f} to {high:.2f} times an equal share.{overlap}"
            f"{self._if_unranked}"
        )

    @property
    def _effects_told(self) -> str:
        labels = [label for label, seen in zip(self.labels, self.seen, strict=True) if seen]
        if len(labels) == 1:
            return "1 step: without it there would be no score."
        ranked = np.argsort(self.values[self.seen], kind="stable")
        low, high = labels[ranked[0]], labels[ranked[-1]]
        return f"{counted(len(labels), 'step')}; their effects on the score are {low} to {high}."

    @property
    def is_ranked(self) -> bool:
        """True if some steps are highest or lowest."""
        return "highest" in self.levels or "lowest" in self.levels

    @property
    def is_even(self) -> bool:
        """True if the values are almost equal: no moment stands out."""
        if self.kind == "attention":
            return weights_are_even(self.values)
        return scores_are_even(self.values[self.seen], usual_range=self.usual_range)

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
