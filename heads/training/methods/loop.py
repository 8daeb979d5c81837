"""Training one head on one split with one seed by gradient, repeatable bit for bit.

The global random state is left as it was found. Batches and windows have an own generator; initialisation
and dropout run on torch's, inside a fork of it. The same seed, machine, thread count and versions give
the same bits on a CPU, also if the training was interrupted and goes on from its snapshot.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aqa_pipeline.errors import RunError
from heads.data.batches import training_batches
from heads.data.device import to_device
from heads.data.feature_set import FeatureSet
from heads.data.folds import derived_seed
from heads.data.prefetch import Loading
from heads.models.feature_scaling.standardized import Standardized
from heads.models.feature_scaling.whitening import Whitened
from heads.models.output import HeadOutput
from heads.recipes import Recipe
from heads.runs.epoch import Epoch
from heads.training.distributed.shared_network import (
    check_shareable,
    unshared_statistics,
    with_averaged_gradients,
    with_shared_statistics,
)
from heads.training.methods.exemplars import remember_training_set
from heads.training.methods.kept_epoch import Keeper
from heads.training.methods.losses import losses_of
from heads.training.methods.moving_average import average_of
from heads.training.methods.optimizer import make_optimizer
from heads.training.methods.predictions import score_videos
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import OnEpoch, OnValidation, Trained, Training
from heads.training.rank_losses import rank_loss_of
from heads.training.resuming.snapshot_file import digest_of_tensors
from heads.training.resuming.training_state import LAYOUT, TrainingState


def train(
    training: Training,
    on_epoch: OnEpoch | None = None,
    *,
    on_validation: OnValidation | None = None,
    validate_every: int = 1,
) -> Trained:
    """Train epoch by epoch; raise `RunError` when the loss is no longer a number.

    `on_epoch` is also told of the epochs before an interruption. `on_validation` is not. The validation set
    is scored after every so many epochs, and after the last one.
    """
    compute = training.compute
    device = torch.device(compute.world.own_device(compute.device))
    training = replace(training, samples=_on_device(training.samples, device))
    check_shareable(training)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        state = _begin(training, device)
        with torch.autocast(device.type, torch.bfloat16, enabled=compute.precision == "bf16"):
            for epoch in _all_epochs(state, training, on_validation, validate_every):
                if on_epoch is not None:
                    on_epoch(epoch)
    keeper, videos = state.keeper, np.arange(len(training.samples.video_ids))
    state.module.load_state_dict(keeper.state)
    scores = _scores_of(videos, state.module, training)
    return Trained(keeper.state, keeper.epoch, tuple(state.epochs), scores)


def _begin(training: Training, device: torch.device) -> TrainingState:
    """Return the state before the first epoch, the same in all processes but for torch's generators."""
    samples, recipe, world = training.samples, training.recipe, training.compute.world
    torch.manual_seed(training.seed)
    module = prepare_module(training.build, samples.dims, recipe).to(device)
    if isinstance(module, Whitened | Standardized):
        module.fit(*_of_videos(samples, training.fold.train))
    remember_training_set(module, training)
    _train_mode(module, recipe)
    if not world.is_alone and device.type == "cuda":
        module = with_shared_statistics(module)
    if not world.is_first:
        torch.manual_seed(derived_seed(training.seed, f"process {world.rank}"))
    return TrainingState(
        module,
        optimizer=make_optimizer(module, recipe.optimization, recipe.fine_tuning),
        generator=torch.Generator().manual_seed(derived_seed(training.seed, "batches")),
        keeper=Keeper(training.select),
        average=average_of(module, recipe),
        world=world,
    )


def _all_epochs(
    state: TrainingState, training: Training, on_validation: OnValidation | None, validate_every: int
) -> Iterator[Epoch]:
    """Yield the epochs of the snapshot, if there is one. Train the others and write a snapshot after each."""
    file, world = training.snapshot, training.compute.world
    if file is not None:
        file = file.of(layout=LAYOUT, start=digest_of_tensors(state.module.state_dict()))
        if (snapshot := world.tell(file.read() if world.is_first else None)) is not None:
            state.restore(snapshot)
    yield from tuple(state.epochs)
    for epoch in _new_epochs(state, training, on_validation, validate_every):
        state.epochs.append(epoch)
        state.keeper.see(epoch, state.evaluated)
        if file is not None:
            snapshot = state.to_snapshot()
            if world.is_first:
                file.write(snapshot)
        yield epoch


def _new_epochs(
    state: TrainingState, training: Training, on_validation: OnValidation | None, validate_every: int
) -> Iterator[Epoch]:
    """Train epoch by epoch and yield the record of each; the samples are on the device of the module."""
    fold, recipe = training.fold, training.recipe
    module, optimization = state.evaluated, recipe.optimization
    network = with_averaged_gradients(state.module, training.compute.world)
    for number in range(len(state.epochs) + 1, recipe.epochs + 1):
        decay = optimization.decay(number)
        for group in state.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * decay
        loading = Loading(in_a_thread=bool(training.samples.maps))
        total = _train_once(network, state, training, loading)
        loss = float(total) / len(fold.train)
        if not math.isfinite(loss):
            raise RunError(
                f"the loss is {loss} in epoch {number}: training diverged. "
                f"Lower the learning rates ({optimization.lr}, {optimization.head_lr}), or look at the "
                "features."
            )
        is_validated = number % validate_every == 0 or number == recipe.epochs
        videos = fold.validation if is_validated else fold.validation[:0]
        validation = _scores_of(videos, module, training)
        if on_validation is not None and is_validated:
            on_validation(number, validation)
        yield Epoch(
            epoch=number,
            loss=loss,
            lr=optimization.lr * decay,
            head_lr=optimization.head_lr * decay,
            validation=training.agreement(validation, videos),
            test=training.agreement(_scores_of(fold.test, module, training), fold.test),
            metric=recipe.metric,
            loading_share=loading.share,
        )


def _scores_of(videos: NDArray[np.int64], module: nn.Module, training: Training) -> NDArray[np.float64]:
    """Return the normalized scores of the videos `(video)`, which may be none."""
    score = partial(score_videos, module, training.samples, recipe=training.recipe)
    return training.compute.world.score(videos, score) if len(videos) else np.empty(0)


def _train_once(network: nn.Module, state: TrainingState, training: Training, loading: Loading) -> Tensor:
    """Train one epoch and return the sum of all losses, on the device, so that the CPU does not wait.

    `network` is the module of the state, or what averages its gradients over processes.
    """
    module, optimizer, world = state.module, state.optimizer, training.compute.world
    recipe, device = training.recipe, next(module.parameters()).device
    _train_mode(module, recipe)
    total = torch.zeros((), device=device)
    targets = torch.from_numpy(training.labels).float()
    for batch in loading.ahead(
        training_batches(
            training.samples,
            training.fold.train,
            recipe=recipe,
            generator=state.generator,
            share=world.share,
        )
    ):
        output: HeadOutput = network(batch.features, batch.masks)
        of_batch = to_device(targets[batch.videos], device)
        losses = losses_of(output, of_batch, recipe=recipe)
        if output.penalty is not None:
            losses = losses + output.penalty
        if recipe.rank_loss is not None:
            losses = losses + rank_loss_of(output, of_batch, recipe=recipe)
        optimizer.zero_grad()
        batch.mean_of(losses).backward()
        if recipe.optimization.max_gradient_norm:
            nn.utils.clip_grad_norm_(module.parameters(), recipe.optimization.max_gradient_norm)
        optimizer.step()
        if state.average is not None:
            state.average.update_parameters(module)
        total += batch.sum_of(losses.detach())
    for each in dict.fromkeys((module, state.evaluated)):
        world.take_from_first(tuple(unshared_statistics(each)))
    return world.sum(total)


def _train_mode(module: nn.Module, recipe: Recipe) -> None:
    """Set training mode; frozen parts keep their statistics and get no gradients."""
    module.train()
    for name in recipe.frozen:
        module.get_submodule(name).eval().requires_grad_(False)


def _on_device(samples: FeatureSet, device: torch.device) -> FeatureSet:
    """Return the samples with features on the device; lengths stay on the CPU, where windows are drawn."""
    return replace(
        samples,
        streams={name: padded.to(device) for name, padded in samples.streams.items()},
        maps={name: replace(maps, device=device) for name, maps in samples.maps.items()},
    )


def _of_videos(samples: FeatureSet, videos: NDArray[np.int64]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    chosen = torch.from_numpy(videos)
    streams = {name: padded[chosen.to(padded.device)] for name, padded in samples.streams.items()}
    lengths = {name: lengths[chosen] for name, lengths in samples.lengths.items()}
    return streams, lengths
