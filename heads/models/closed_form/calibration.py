"""A strictly increasing map from a head's raw output to scores, fitted to out-of-fold predictions."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float64]

NUM_KNOTS = 6
LEAST_SLOPE = 0.01  # an output without any relation to the scores still keeps its order
REACH = 0.25  # how far scores go beyond the outer knots, as a share of the distance between those
NEGLIGIBLE = 1e-12
LATER = frozenset({"reach"})  # what the states of older runs lack
ENDLESS = 1e12  # the reach of runs that were fitted before there was one: a straight line


class IncreasingMap(nn.Module):
    """Interpolate between knots, and level off beyond the first and the last.

    A knot is the mean output and mean label of a sixth of the videos, after isotonic regression
    (scikit-learn). The order of videos stays as it is, and the size of the scores fits the labels.
    """

    def __init__(self) -> None:
        super().__init__()
        for name in ("outputs", "scores"):
            self.register_buffer(name, torch.zeros(NUM_KNOTS, dtype=torch.float64))
        self.register_buffer("outer_slope", torch.ones((), dtype=torch.float64))
        self.register_buffer("reach", torch.tensor(ENDLESS, dtype=torch.float64))

    def forward(self, outputs: Tensor) -> Tensor:
        """Return the scores `(batch)` of outputs `(batch)`."""
        knots, scores = self.get_buffer("outputs"), self.get_buffer("scores")
        inner = outputs.clamp(knots[0], knots[-1])
        upper = torch.searchsorted(knots, inner).clamp(1, NUM_KNOTS - 1)
        width = (knots[upper] - knots[upper - 1]).clamp_min(1e-12)
        share = (inner - knots[upper - 1]) / width
        between = scores[upper - 1] + share * (scores[upper] - scores[upper - 1])
        reach = self.get_buffer("reach") * 2 / math.pi
        return between + reach * torch.atan((outputs - inner) * self.get_buffer("outer_slope") / reach)

    def fit(self, outputs: Floats, labels: Floats) -> None:
        """Fit to outputs and labels `(video)`; with fewer videos than knots, knots coincide."""
        from sklearn.isotonic import IsotonicRegression

        parts = [part for part in np.array_split(np.argsort(outputs), NUM_KNOTS) if len(part)]
        knots = np.array([outputs[part].mean() for part in parts])
        means = np.array([labels[part].mean() for part in parts])
        increasing = IsotonicRegression().fit_transform(knots, means, sample_weight=[*map(len, parts)])
        scores = increasing + LEAST_SLOPE * (knots - knots.mean())
        missing = NUM_KNOTS - len(parts)
        self.get_buffer("outputs").copy_(torch.tensor(np.pad(knots, (0, missing), mode="edge")))
        self.get_buffer("scores").copy_(torch.tensor(np.pad(scores, (0, missing), mode="edge")))
        spread = float(knots[-1] - knots[0])
        slope = float(scores[-1] - scores[0]) / spread if spread > 0 else LEAST_SLOPE
        self.get_buffer("outer_slope").fill_(max(slope, LEAST_SLOPE))
        self.get_buffer("reach").fill_(max(REACH * float(scores[-1] - scores[0]), NEGLIGIBLE))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        """Load the state of an older run too, whose scores went on in a straight line."""
        state_dict.setdefault(f"{prefix}reach", torch.tensor(ENDLESS, dtype=torch.float64))
        super()._load_from_state_dict(state_dict, prefix, *rest)
