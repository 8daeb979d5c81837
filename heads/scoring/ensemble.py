"""The trained networks of a run, loaded to score new videos."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.records import StreamSpec
from heads.data.large_streams import Reading
from heads.data.score_scale import ScoreScale
from heads.evaluation.evaluate import share_no_videos
from heads.models.closed_form.calibration import LATER
from heads.recipes import Recipe
from heads.runs.config import read_config
from heads.runs.predictions import over_seeds_of
from heads.runs.run_config import RunConfig
from heads.runs.run_plugins import check_plugin, head_of
from heads.runs.trained_cell import (
    cell_folder,
    is_complete,
    read_cell,
    read_state,
    shapes_of_state,
    split_folder,
)
from heads.training.methods.prepared_network import prepare_module
from heads.training.planning.fine_tuning import join, reading_of

ALL_SPLITS = "all"
MOST_ROWS = 1_000_000  # of a kernel regression: one per training video


@dataclass(frozen=True, eq=False)
class LoadedCell:
    """One trained cell: its network in evaluation mode, its recipe, its score scale and its training set."""

    split: str
    seed: int
    module: nn.Module
    recipe: Recipe
    scale: ScoreScale
    train_ids: frozenset[str]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The trained networks of a run that score together, and the specs that features must have.

    `difficulty` is that of the videos to score, once `with_difficulty` has set it.
    """

    run_dir: Path
    config: RunConfig
    specs: Mapping[str, StreamSpec]
    cells: tuple[LoadedCell, ...]
    difficulty: float | None = None

    @property
    def needs_difficulty(self) -> bool:
        """True if the head predicts execution; the score is execution x difficulty."""
        return self.config.labels.multiplied_by is not None

    def with_difficulty(self, difficulty: float | None) -> "Ensemble":
        """Return the ensemble for videos of that difficulty; None returns it unchanged.

        Raises `RunError` if the run predicts the score itself, or if the difficulty is set already.
        """
        if difficulty is None:
            return self
        if not self.needs_difficulty or self.difficulty is not None or not 0 < difficulty < math.inf:
            raise RunError(
                f"the run {self.run_dir} was given the difficulty {difficulty}: expected a number above 0, "
                "once, for a run of `aqa fit --difficulty` or of a head of judges."
            )
        cells = tuple(replace(cell, scale=cell.scale.times(difficulty)) for cell in self.cells)
        return replace(self, cells=cells, difficulty=difficulty)

    @property
    def reading(self) -> Reading:
        """How streams that memory does not hold are read."""
        fine_tuning = self.cells[0].recipe.fine_tuning
        return reading_of(head_of(self.config), self.config.head.variant, fine_tuning)

    def split_folder(self, split: str) -> Path:
        """Return the folder of that split's trained cells and training statistics."""
        return split_folder(self.run_dir, split)


def load_ensemble(run_dir: Path, *, split: str | None = None) -> Ensemble:
    """Load the run's networks, all seeds of `split`.

    Without a split, all splits are loaded if they divide the same videos. If they divide different videos
    (one split per apparatus), name one, or "all". Raises `RunError` for an unfinished run or a missing
    choice, and `UnknownName` for an unknown split.
    """
    run_dir = Path(run_dir)
    config = read_config(run_dir)
    splits = _choose_splits(run_dir, config, split)
    wanted = [(name, seed) for name, seed in config.cells if name in splits]
    finished = [(s, k) for s, k in wanted if is_complete(cell_folder(run_dir, split=s, seed=k))]
    if not finished:
        raise RunError(
            f"{run_dir} has no finished trained cell of {splits}: run the same `aqa fit` command again."
        )
    return Ensemble(
        run_dir=run_dir,
        config=config,
        specs=config.specs,
        cells=tuple(load_cell(run_dir, config, split=name, seed=seed) for name, seed in finished),
    )


def _choose_splits(run_dir: Path, config: RunConfig, split: str | None) -> list[str]:
    names = list(config.splits)
    if split == ALL_SPLITS or (len(names) == 1 and split is None):
        return names
    if split is None:
        if not _splits_share_no_videos(run_dir, config):
            return names
        raise RunError(
            f"the run has {len(names)} splits of different videos ({', '.join(names)}), such as one for each "
            f"apparatus: choose one with --split."
        )
    if split not in names:
        raise UnknownName("split of the run", split, [*names, ALL_SPLITS])
    return [split]


def _splits_share_no_videos(run_dir: Path, config: RunConfig) -> bool:
    cells = [
        read_cell(run_dir, split=split, seed=config.training.seeds[0])
        for split in config.splits
        if is_complete(cell_folder(run_dir, split=split, seed=config.training.seeds[0]))
    ]
    return share_no_videos([over_seeds_of([cell]) for cell in cells])


def load_cell(run_dir: Path, config: RunConfig, *, split: str, seed: int) -> LoadedCell:
    """Load one trained cell; raise `RunError` if it is not complete or does not fit the run's config."""
    cell = read_cell(run_dir, split=split, seed=seed)
    folder = cell_folder(run_dir, split=split, seed=seed)
    recipe = config.splits[split].recipe

    def build() -> nn.Module:
        with torch.random.fork_rng(devices=[]):  # the start that is overwritten right after draws numbers
            return prepare_module(partial(_build, config), config.dims, recipe)

    try:
        with torch.device("meta"):  # numbers that a stranger wrote down take no memory there
            claimed = {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
        _check_shapes(folder, claimed)
        module = build()
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise RunError(f"{run_dir / 'config.json'} describes no network of ours ({error}).") from error
    try:
        module.load_state_dict(read_state(folder))
    except RuntimeError as error:
        raise RunError(
            f"{folder / 'model.safetensors'} does not fit {config.head.name} ({config.head.variant}): {error}"
        ) from error
    train_ids = frozenset(row.video_id for row in cell.predictions if row.part != "test")
    return LoadedCell(split, seed, module.eval(), recipe, cell.scale, train_ids)


def _build(config: RunConfig, dims: Mapping[str, int], **options: Any) -> nn.Module:
    """Return the network that the run describes, with arbitrary weights."""
    head, variant = head_of(config), config.head.variant
    fine_tuning = next(iter(config.splits.values())).recipe.fine_tuning
    if config.head.backbone is None or fine_tuning is None:
        return head.build(dims, variant, **options)
    check_plugin(config, "backbone")
    backbone = get_backbone(config.head.backbone.name)
    return join(backbone.build(), head, variant, backbone=backbone, fine_tuning=fine_tuning)


def _fits(claimed: tuple[int, ...] | None, stored: tuple[int, ...] | None) -> bool:
    """Return True for equal shapes; 0 claimed rows stand for as many as a head of closed form has fitted."""
    if claimed and stored and claimed[0] == 0:
        return claimed[1:] == stored[1:] and stored[0] <= MOST_ROWS
    return claimed == stored


def _check_shapes(folder: Path, claimed: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `RunError` unless the state of the cell is that of the network that config.json describes.

    An older run may lack the tensors that were added later.
    """
    stored = shapes_of_state(folder)
    needed = {name for name in claimed if name in stored or name.rpartition(".")[2] not in LATER}
    differing = sorted(name for name in {*needed, *stored} if not _fits(claimed.get(name), stored.get(name)))
    if differing:
        name = differing[0]
        raise RunError(
            f"{folder / 'model.safetensors'} does not fit config.json: {name} has the shape "
            f"{stored.get(name, 'of nothing')}, expected {claimed.get(name, 'nothing')}"
            f" ({len(differing)} tensors differ). Fit again into a new folder."
        )
