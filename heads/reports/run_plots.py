"""The plots of one run: learning curves, predictions, residuals, and best against last epochs."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aqa_pipeline.plurals import counted
from heads.evaluation.metric import TITLES
from heads.evaluation.residuals import SplitResiduals, residual_of_each
from heads.evaluation.run_scores import CellScores
from heads.reports.figures import (
    COLORS,
    QUIET,
    Plot,
    name_across,
    new_figure,
    plotting,
    rows_figure,
    save_plot,
)
from heads.reports.plot_labels import label
from heads.runs.trained_cell import TrainedCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_COLUMNS = 3
DECADE = 10
PANEL_WIDTH, PANEL_HEIGHT = 3.2, 3.3
SMALL = 8  # points
CURVE_WIDTH, CURVE_HEIGHT, MAX_CURVES = 2.4, 2.1, 4


def learning_curves(cells: Sequence[TrainedCell], folder: Path) -> Plot:
    """Plot the training loss and the test metric of each split, one line per seed."""
    by_split = _by_split(cells)
    with plotting():
        figure, panels = panels_of(
            2 * len(by_split), width=CURVE_WIDTH, height=CURVE_HEIGHT, columns=MAX_CURVES
        )
        pairs = zip(panels[::2], panels[1::2], by_split.items(), strict=True)
        for loss, on_test, (split, seeds) in pairs:
            for color, cell in zip(_colors(len(seeds)), seeds, strict=True):
                _curves(loss, on_test, cell, color)
            for panel in (loss, on_test):
                panel.set_title(label(split), fontsize=SMALL)
                panel.set_xlabel("epoch")
            loss.set(ylabel="training loss", yscale=_loss_scale(seeds))
            on_test.set(ylabel=f"{_title(seeds)}, test")
        _name_seeds(figure, panels[1::2])
        alt = "; ".join(
            f"split {split}, seed {cell.seed}: {counted(len(cell.epochs), 'epoch')}, training loss "
            f"{cell.epochs[0].loss:.3g} to {cell.epochs[-1].loss:.3g}, last test {_title(seeds)} "
            f"{cell.epochs[-1].test:.3f}"
            for split, seeds in by_split.items()
            for cell in seeds
        )
        return save_plot(figure, folder, name="learning-curves", title="Learning curves", alt=alt)


def _name_seeds(figure: "Figure", panels: Sequence["Axes"]) -> None:
    """Draw one legend for all panels; a seed has the same color in each."""
    handles = {
        name: handle
        for panel in panels
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=6, fontsize=SMALL)


def _curves(loss: "Axes", metric: "Axes", cell: TrainedCell, color: str) -> None:
    numbers = [epoch.epoch for epoch in cell.epochs]
    on_test = [epoch.test for epoch in cell.epochs]
    loss.plot(numbers, [epoch.loss for epoch in cell.epochs], color=color, lw=1.2)
    metric.plot(numbers, on_test, color=color, lw=1.2, label=f"seed {cell.seed}")
    kept = cell.chosen_epoch
    if kept in numbers:
        metric.plot([kept], [on_test[numbers.index(kept)]], "o", color=color, ms=5)


def _title(cells: Sequence[TrainedCell]) -> str:
    return TITLES[cells[0].epochs[0].metric]


def _loss_scale(cells: Sequence[TrainedCell]) -> str:
    """Return a logarithmic scale if the losses span a decade; else its few marks are hard to read."""
    losses = [epoch.loss for cell in cells for epoch in cell.epochs]
    positive = all(math.isfinite(loss) and loss > 0 for loss in losses)
    return "log" if positive and max(losses) >= DECADE * min(losses) else "linear"


def predictions(splits: Sequence[SplitResiduals], folder: Path, *, target: str) -> Plot:
    """Plot the seeds' mean prediction against the judges' score for each test video, with the interval."""
    with plotting():
        figure, panels = panels_of(len(splits))
        for panel, split in zip(panels, splits, strict=True):
            ends = np.array(
                [min(split.true.min(), split.mean.min()), max(split.true.max(), split.mean.max())]
            )
            panel.fill_between(
                ends, ends - split.half_width, ends + split.half_width, color=COLORS[0], alpha=0.12, lw=0
            )
            panel.plot(ends, ends, color=QUIET, lw=1, ls="--")
            panel.errorbar(
                split.true,
                split.mean,
                yerr=split.seed_std,
                fmt="o",
                ms=4,
                lw=0.8,
                color=COLORS[0],
                alpha=0.85,
            )
            panel.set(
                title=label(split.split), xlabel=label(f"judges' score: {target}"), ylabel="predicted score"
            )
        alt = "; ".join(
            f"split {split.split}: {split.coverage:.0%} of {len(split.videos)} test videos within "
            f"± {split.half_width:.2f} of the judges' score"
            for split in splits
        )
        return save_plot(figure, folder, name="predictions", title="Predicted against true scores", alt=alt)


def residuals_by_group(splits: Sequence[SplitResiduals], folder: Path, *, groups: Mapping[str, str]) -> Plot:
    """Plot the residuals, judges' score minus prediction, in a row of points per group.

    `groups` gives the group of each video. A video has one point: the mean over the splits that test it.
    """
    by_group: dict[str, list[float]] = {}
    for video, residual in residual_of_each(splits).items():
        by_group.setdefault(groups[video], []).append(residual)
    names = sorted(by_group, key=lambda name: -abs(float(np.mean(by_group[name]))))
    labels = [f"{label(name)} ({len(by_group[name])})" for name in reversed(names)]
    with plotting():
        figure = rows_figure(labels, above=0.9)
        panel = figure.subplots()
        for row, name in enumerate(reversed(names)):
            panel.plot(by_group[name], [row] * len(by_group[name]), "o", ms=4, alpha=0.5, color=COLORS[0])
            panel.plot([np.mean(by_group[name])], [row], "|", ms=16, mew=2.5, color=COLORS[1])
        panel.axvline(0, color=QUIET, lw=1)
        panel.set_yticks(range(len(names)), labels)
        panel.set(ylim=(-0.6, len(names) - 0.4))
        name_across(
            figure, "judges' score minus predicted score (left of 0: predicted too high, right: too low)"
        )
        alt = "; ".join(
            f"{name}: mean {np.mean(by_group[name]):+.2f} over {len(by_group[name])}" for name in names
        )
        return save_plot(figure, folder, name="residuals", title="Residuals by group", alt=alt)


def epoch_gap(scored: Sequence[CellScores], folder: Path) -> Plot:
    """Plot the test metric of the last epoch and of the best epoch of each trained cell."""
    labels = [f"{label(cell.split)}, seed {cell.seed}" for cell in scored]
    with plotting():
        figure = rows_figure(labels, above=1.1)
        panel = figure.subplots()
        for row, cell in enumerate(reversed(scored)):
            panel.plot([cell.last_on_test, cell.best_on_test], [row, row], color=QUIET, lw=2)
        rows = list(range(len(scored)))[::-1]
        panel.plot([c.last_on_test for c in scored], rows, "o", color=COLORS[0], label="last epoch")
        best = "best epoch on the test set (not model selection)"
        panel.plot([c.best_on_test for c in scored], rows, "D", color=COLORS[1], ms=5, label=best)
        panel.set_yticks(rows, labels)
        panel.set(ylim=(-0.6, len(scored) - 0.4))
        name_across(figure, TITLES[scored[0].scores.metric])
        figure.legend(fontsize=SMALL, loc="outside upper center", ncols=2)
        alt = "; ".join(
            f"{c.split}, seed {c.seed}: last epoch {c.last_on_test:.3f}, best {c.best_on_test:.3f}"
            for c in scored
        )
        return save_plot(
            figure,
            folder,
            name="epoch-gap",
            title="Gain from choosing the epoch on the test set",
            alt=alt,
        )


def panels_of(
    number: int, *, width: float = PANEL_WIDTH, height: float = PANEL_HEIGHT, columns: int = MAX_COLUMNS
) -> tuple["Figure", list[Any]]:
    """Return a figure and its `number` panels, at most `columns` per row."""
    columns = min(number, columns)
    rows = -(-number // columns)
    figure = new_figure(max(width * columns, PANEL_WIDTH * 1.3), height * rows)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in panels[number:]:
        empty.set_axis_off()
    return figure, panels[:number]


def _by_split(cells: Sequence[TrainedCell]) -> dict[str, list[TrainedCell]]:
    by_split: dict[str, list[TrainedCell]] = {}
    for cell in cells:
        by_split.setdefault(cell.split, []).append(cell)
    return by_split


def _colors(number: int) -> list[str]:
    return [COLORS[at % len(COLORS)] for at in range(number)]
