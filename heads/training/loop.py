"""Training one head on one split with one seed: all data in memory, SGD, repeatable bit for bit.

The global random state is left as it was found. Batches and windows have an own generator; initialisation
and dropout run on torch's, inside a fork of it. The same seed, machine, thread count and versions give
the same bits on a CPU.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqa_pipeline.errors import RunError
from heads.data.batches import evaluation_batch, training_batches
from heads.data.device import to_device
from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold, Select, derived_seed
from heads.data.labels import FinalScores
from heads.evaluation.metric import METRICS
from heads.models.output import HeadOutput
from heads.models.score_mlp import TASKS
from heads.models.whitening import Whitened
from heads.recipes import Recipe
from heads.runs.epoch import Epoch
from heads.runs.run_config import Precision

# One value per video; the caller reduces.
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": lambda scores, labels: (scores - labels) ** 2,
    "l2+l1": lambda scores, labels: (scores - labels) ** 2 + (scores - labels).abs(),
}
# Of what comes before the sigmoid or softmax: near 0 and 1 the scores have lost what these losses need.
LOSSES_OF_LOGITS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": TASKS["classification"].loss,
    "distribution": TASKS["distribution"].loss,
    "judges": TASKS["judges"].loss,
}
# Whole sequences are scored in portions, so that testing needs no more memory than training.
SCORED_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class Trained:
    """The kept state (on the CPU), its epoch, every epoch's record, and all videos' normalised scores."""

    state: Mapping[str, Tensor]
    chosen_epoch: int
    epochs: tuple[Epoch, ...]
    scores: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Training:
    """One network to train on one split with one seed.

    `build` makes the head for features of the given sizes per stream. `labels` are normalised, one per video,
    or one per video and judge (those of test videos only for the log). `final` says what scores come to where
    a head learns something else than the score; epochs are told by that then. With `precision` "bf16"
    training computes its matrix products in bfloat16 (autocast); weights, loss and the final scores stay in
    float32.
    """

    build: Callable[[Mapping[str, int]], nn.Module]
    samples: FeatureSet
    fold: Fold
    labels: NDArray[np.float64]
    recipe: Recipe
    seed: int
    select: Select = "last"
    device: str = "cpu"
    precision: Precision = "fp32"
    final: FinalScores | None = None

    def agreement(self, scores: NDArray[np.float64], videos: NDArray[np.int64]) -> float:
        """Return the recipe's metric of these videos from their normalized scores; nan without videos."""
        if not len(videos):
            return math.nan
        metric = METRICS[self.recipe.metric]
        if self.final is None:
            return float(metric(scores, self.labels[videos]))
        return float(metric(self.final.of(scores, videos), self.final.true[videos]))


OnEpoch = Callable[[Epoch], None]


def train(training: Training, on_epoch: OnEpoch | None = None) -> Trained:
    """Train epoch by epoch; raise `RunError` when the loss is no longer a number."""
    samples, fold, recipe = _on_device(training.samples, training.device), training.fold, training.recipe
    keeper, epochs = _Keeper(training.select), []
    device = torch.device(training.device).type
    with torch.random.fork_rng(devices=_cuda_devices(training.device)):
        torch.manual_seed(training.seed)
        module = prepare_module(training.build, samples.dims, recipe).to(training.device)
        if isinstance(module, Whitened):
            module.fit(*_of_videos(samples, fold.train))
        generator = torch.Generator().manual_seed(derived_seed(training.seed, "batches"))
        with torch.autocast(device, torch.bfloat16, enabled=training.precision == "bf16"):
            for epoch in _epochs(module, replace(training, samples=samples), generator=generator):
                epochs.append(epoch)
                keeper.see(epoch, module)
                if on_epoch is not None:
                    on_epoch(epoch)
    module.load_state_dict(keeper.state)
    scores = score_videos(module, samples, np.arange(len(samples.video_ids)), recipe=recipe)
    return Trained(keeper.state, keeper.epoch, tuple(epochs), scores)


def prepare_module(
    build: Callable[[Mapping[str, int]], nn.Module], dims: Mapping[str, int], recipe: Recipe
) -> nn.Module:
    """Return the network that the recipe trains: the head, behind whitening if the recipe has components."""
    if not recipe.num_components:
        return build(dims)
    num_components = {stream: min(recipe.num_components, dim) for stream, dim in dims.items()}
    return Whitened(build(num_components), dims, num_components)


def score_videos(
    module: nn.Module, samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe
) -> NDArray[np.float64]:
    """Return the normalized scores of these videos, as testing sees them."""
    at_once = min(SCORED_AT_ONCE, recipe.batch_size) if samples.maps else SCORED_AT_ONCE
    portions = [videos[start : start + at_once] for start in range(0, len(videos), at_once)]
    scores = [evaluate_videos(module, samples, portion, recipe=recipe).scores for portion in portions]
    return torch.cat(scores).double().cpu().numpy()


def evaluate_videos(
    module: nn.Module, samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe
) -> HeadOutput:
    """Return the head's output for these videos, without gradients or dropout; the mode is restored."""
    batch = evaluation_batch(samples, videos, recipe=recipe)
    was_training = module.training
    module.eval()
    with torch.no_grad():
        output: HeadOutput = module(batch.features, batch.masks)
    module.train(was_training)
    return output


def _epochs(module: nn.Module, training: Training, *, generator: torch.Generator) -> Iterator[Epoch]:
    """Train epoch by epoch and yield the record of each; the samples are on the device of the module."""
    samples, fold, recipe = training.samples, training.fold, training.recipe
    optimiser = make_optimiser(module, recipe)

    def agreement(videos: NDArray[np.int64]) -> float:
        if not len(videos):
            return math.nan
        return training.agreement(score_videos(module, samples, videos, recipe=recipe), videos)

    for number in range(1, recipe.epochs + 1):
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * recipe.decay(number)
        total = _train_once(module, training, optimiser, generator=generator)
        loss = float(total) / len(fold.train)
        if not math.isfinite(loss):
            raise RunError(
                f"the loss is {loss} in epoch {number}: training diverged. "
                f"Lower the learning rates ({recipe.lr}, {recipe.head_lr}), or look at the features."
            )
        yield Epoch(
            epoch=number,
            loss=loss,
            lr=recipe.lr * recipe.decay(number),
            head_lr=recipe.head_lr * recipe.decay(number),
            validation=agreement(fold.validation),
            test=agreement(fold.test),
            metric=recipe.metric,
        )


def _train_once(
    module: nn.Module, training: Training, optimiser: torch.optim.Optimizer, *, generator: torch.Generator
) -> Tensor:
    """Train one epoch and return the sum of all losses, on the device, so that the CPU does not wait."""
    recipe, device = training.recipe, next(module.parameters()).device
    _train_mode(module, recipe)
    total = torch.zeros((), device=device)
    targets = torch.from_numpy(training.labels).float()
    for batch in training_batches(training.samples, training.fold.train, recipe=recipe, generator=generator):
        output: HeadOutput = module(batch.features, batch.masks)
        losses = _losses(output, to_device(targets[batch.videos], device), recipe=recipe)
        if output.penalty is not None:
            losses = losses + output.penalty
        optimiser.zero_grad()
        losses.mean().backward()
        optimiser.step()
        total += losses.detach().sum()
    return total


def _losses(output: HeadOutput, targets: Tensor, *, recipe: Recipe) -> Tensor:
    """Return the recipe's loss of each video."""
    if recipe.loss in LOSSES:
        return LOSSES[recipe.loss](output.scores.float(), targets)
    assert output.logits is not None, f"a head whose recipe says {recipe.loss} gives logits"
    return LOSSES_OF_LOGITS[recipe.loss](output.logits.float(), targets)


def _train_mode(module: nn.Module, recipe: Recipe) -> None:
    """Set training mode; frozen parts keep their statistics and get no gradients."""
    module.train()
    for name in recipe.frozen:
        module.get_submodule(name).eval().requires_grad_(False)


def make_optimiser(module: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return an optimizer with two groups: the regressor at `head_lr`, everything else at `lr`."""
    named = list(module.named_parameters())
    regressor = [parameter for name, parameter in named if "regressor" in name.split(".")]
    others = [parameter for name, parameter in named if "regressor" not in name.split(".")]
    groups = [
        {"params": others, "lr": recipe.lr, "initial_lr": recipe.lr},
        {"params": regressor, "lr": recipe.head_lr, "initial_lr": recipe.head_lr},
    ]
    if recipe.optimiser == "adam":
        return torch.optim.Adam(groups, weight_decay=recipe.weight_decay, fused=True)
    return torch.optim.SGD(groups, momentum=recipe.momentum, weight_decay=recipe.weight_decay, fused=True)


class _Keeper:
    """Keeps the state of the epoch that `select` asks for."""

    def __init__(self, select: Select) -> None:
        self.value_of = KEPT_BY[select]
        self.value = -math.inf
        self.epoch = 0
        self.state: dict[str, Tensor] = {}

    def see(self, epoch: Epoch, module: nn.Module) -> None:
        value = self.value_of(epoch)
        value = -math.inf if math.isnan(value) else value
        # The first of equally good epochs stays; while nothing is defined yet, the latest does.
        if value > self.value or self.value == -math.inf:
            self.value, self.epoch = value, epoch.epoch
            self.state = {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}


KEPT_BY: dict[Select, Callable[[Epoch], float]] = {
    "last": lambda epoch: epoch.epoch,
    "val": lambda epoch: epoch.validation,
    "best-on-test": lambda epoch: epoch.test,
}


def _on_device(samples: FeatureSet, device: str) -> FeatureSet:
    """Return the samples with features on the device; lengths stay on the CPU, where windows are drawn."""
    return replace(
        samples,
        streams={name: padded.to(device) for name, padded in samples.streams.items()},
        maps={name: replace(maps, device=torch.device(device)) for name, maps in samples.maps.items()},
    )


def _of_videos(samples: FeatureSet, videos: NDArray[np.int64]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    chosen = torch.from_numpy(videos)
    streams = {name: padded[chosen.to(padded.device)] for name, padded in samples.streams.items()}
    lengths = {name: lengths[chosen] for name, lengths in samples.lengths.items()}
    return streams, lengths


def _cuda_devices(device: str) -> list[torch.device]:
    """Return the GPU whose random state must be restored; torch restores the CPU's in any case."""
    return [torch.device(device)] if torch.device(device).type == "cuda" else []
