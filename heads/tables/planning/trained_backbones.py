"""Backbones that table cells train: the weights that they start from, their recipes, and the work."""

from collections.abc import Sequence
from dataclasses import dataclass

from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.records import Dataset
from aqa_pipeline.weights import WEIGHTS, check_weights, missing_weights
from heads.data.streams import PIXELS
from heads.recipes import Recipe
from heads.recipes.fine_tuned import fine_tuned_recipe
from heads.registry import find_head
from heads.runs.run_config import BackboneConfig
from heads.tables.settings import Settings
from heads.tables.table import Column, Method, TrainedBackbone

TRAINING_PASSES, TEST_PASSES = 3, 1  # forward passes: a backward pass takes about two
FLOP_PER_MULTIPLY_ADD = 2
# What one large GPU keeps up in bf16, and one CPU core. Only the proportion to heads matters, until a table
# cell of the same kind has been timed.
GPU_FLOPS, CPU_FLOPS = 1e14, 5e10


@dataclass(frozen=True)
class StartOfBackbone:
    """The backbone to train, the weights that it starts from, and the work of an epoch of a mean split."""

    name: str
    weights: str
    epoch_flop: float

    def is_of(self, config: BackboneConfig | None) -> bool:
        """Return True if a run trained this backbone from these weights; False for weights not on disk."""
        if config is None or config.name != self.name:
            return False
        backbone = get_backbone(self.name)
        size = get_preprocess(backbone.preprocess["paper"]).size
        try:
            identity, _ = network_with_weights(backbone, self.weights, size=size)
        except WeightsError:
            return False  # the fit will say what is wrong
        return identity == config.weights

    def guess_epoch_seconds(self, device: str) -> float:
        """Return the guessed time of an epoch."""
        return self.epoch_flop / (CPU_FLOPS if device == "cpu" else GPU_FLOPS)


def start_of(method: Method, column: Column, dataset: Dataset, settings: Settings) -> StartOfBackbone | None:
    """Return the backbone that a table cell trains; None for a head on stored features."""
    if method.trained is None:
        return None
    of_splits = [
        epoch_flop(method, recipe, dataset, split)
        for split, recipe in zip(column.splits, recipes_of(method, column), strict=True)
    ]
    weights = settings.training.weights_of(method.trained.stream)
    return StartOfBackbone(method.trained.name, weights, sum(of_splits) / len(of_splits))


def missing_starts(trained: TrainedBackbone, settings: Settings) -> list[str]:
    """Return the official weights that the training starts from and that this machine lacks."""
    name = get_backbone(trained.name).weights
    if settings.training.weights_of(trained.stream) != "official" or name not in WEIGHTS:
        return []
    return [entry.name for entry in missing_weights([name])]


def why_no_start(trained: TrainedBackbone, settings: Settings) -> str:
    """Return which weights are missing, and the command that fetches them; "" if none is."""
    try:
        check_weights(missing_starts(trained, settings))
    except WeightsError as error:
        return str(error)
    return ""


def recipes_of(method: Method, column: Column) -> list[Recipe]:
    """Return the recipe of each split, for stored features or for frames.

    The number of epochs does not depend on the lengths of the videos, which only the features have.
    """
    head, lengths = find_head(method.head), {stream: [1] for stream in method.streams}
    recipes = [head.choose_recipe(column.dataset, split, method.variant, lengths) for split in column.splits]
    if method.trained is None:
        return recipes
    backbone = get_backbone(method.trained.name)
    return [
        fine_tuned_recipe(
            recipe,
            head=method.head,
            dataset=column.dataset,
            variant=method.variant,
            backbone=backbone,
            num_frames=(_num_frames(method),),
        )
        for recipe in recipes
    ]


def epoch_flop(method: Method, recipe: Recipe, dataset: Dataset, split: str) -> float:
    """Return the operations of the backbone in an epoch, which trains and then scores the test set."""
    assert method.trained is not None, "only trained backbones work in training"
    videos = dataset.split(split)
    passes = TRAINING_PASSES * len(videos.train) + TEST_PASSES * len(videos.test)
    multiply_adds = 1e9 * get_backbone(method.trained.name).cost.gflops * recipe.num_steps[PIXELS]
    return FLOP_PER_MULTIPLY_ADD * passes * multiply_adds


def total_flop(
    method: Method, column: Column, dataset: Dataset, *, epochs: int | None, seeds: Sequence[int]
) -> float:
    """Return the operations of all epochs, splits and seeds; `epochs` replaces the recipe's number."""
    per_seed = sum(
        (epochs or recipe.epochs) * epoch_flop(method, recipe, dataset, split)
        for split, recipe in zip(column.splits, recipes_of(method, column), strict=True)
    )
    return per_seed * len(seeds)


def _num_frames(method: Method) -> int:
    frames = method.extraction.frames
    assert frames is not None, "a trained backbone reads stored frames"
    return frames.num_frames
