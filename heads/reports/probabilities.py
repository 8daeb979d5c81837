"""Predicted probabilities against the class that the judges saw, where scores are classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heads.evaluation.residuals import SplitResiduals
from heads.evaluation.two_class_target import HALF
from heads.reports.figures import COLOURS, QUIET, Plot, plotting, save_plot
from heads.reports.labels import label
from heads.reports.plots import panels_of

SPREAD = 0.3  # points of a class stand beside each other, this far to either side


def probabilities(splits: Sequence[SplitResiduals], folder: Path, *, lower: str, upper: str) -> Plot:
    """Per split: the probability of the upper class of each test video, by its true class.

    Videos on the wrong side of one half are orange.
    """
    with plotting():
        figure, panels = panels_of(len(splits))
        for panel, split in zip(panels, splits, strict=True):
            places = split.true + _beside(split.true)
            wrong = is_wrong(split)
            for chosen, colour in ((~wrong, COLOURS[0]), (wrong, COLOURS[1])):
                panel.errorbar(
                    places[chosen],
                    split.mean[chosen],
                    yerr=split.seed_std[chosen],
                    fmt="o",
                    ms=4,
                    lw=0.8,
                    color=colour,
                    alpha=0.85,
                )
            panel.axhline(HALF, color=QUIET, lw=1, ls="--")
            panel.set_xticks([0, 1], [label(f"judged: {name}") for name in (lower, upper)])
            panel.set(title=label(split.split), ylabel=label(f"probability: {upper}"))
            panel.set(xlim=(-0.5, 1.5), ylim=(-0.03, 1.03))
        alt = "; ".join(
            f"split {split.split}: {int((~is_wrong(split)).sum())} of {len(split.videos)} test videos on the "
            f"right side of one half"
            for split in splits
        )
        return save_plot(figure, folder, name="predictions", title="Predicted against true classes", alt=alt)


def is_wrong(split: SplitResiduals) -> NDArray[np.bool_]:
    """Which test videos lie on the wrong side of one half."""
    return (split.mean >= HALF) != (split.true >= HALF)


def _beside(true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offsets that set the videos of each class side by side, in order."""
    offsets = np.zeros(len(true))
    for value in np.unique(true):
        members = np.flatnonzero(true == value)
        offsets[members] = np.linspace(-SPREAD, SPREAD, len(members)) if len(members) > 1 else 0.0
    return offsets
