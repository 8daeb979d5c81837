"""The training set as the exemplars of a head that compares videos."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from heads.data.batches import video_key
from heads.models.mean_vector.core import ContrastiveHead
from heads.training.methods.predictions import score_videos
from heads.training.methods.training import Training


def remember_training_set(module: nn.Module, training: Training) -> None:
    """Give the training set to every part that compares videos, as it reads features in testing.

    The range of the scores is 1 in the unit "range", else that of the training scores.
    """
    samples, fold = training.samples, training.fold
    for head in module.modules():
        if not isinstance(head, ContrastiveHead):
            continue
        labels = training.labels[fold.train]
        difficulties = samples.difficulties
        head.remember(
            _vectors_read_by(head, module, training),
            torch.from_numpy(labels).float(),
            keys=torch.tensor([video_key(samples.video_ids[video]) for video in fold.train.tolist()]),
            difficulties=None if difficulties is None else torch.from_numpy(difficulties[fold.train]).float(),
            seed=training.seed,
            score_range=1.0 if training.recipe.unit == "range" else float(np.ptp(labels)),
        )


def _vectors_read_by(head: ContrastiveHead, module: nn.Module, training: Training) -> Tensor:
    """Return the vectors `(video, dim)` of the training set that reach the head inside the module."""
    read: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Mapping[str, Tensor], Mapping[str, Tensor]]) -> None:
        read.append(head.vectors_of(*inputs))

    hook = head.register_forward_pre_hook(keep)
    score_videos(module, training.samples, training.fold.train, recipe=training.recipe)
    hook.remove()
    return torch.cat(read)


def remembered_state(module: nn.Module) -> dict[str, Any]:
    """Return the part of the module's state that is the training set, not weights."""
    state = module.state_dict()
    parts = {id(part): name for name, part in module.named_modules()}
    kept: dict[str, Any] = {}
    for part in module.modules():
        if isinstance(part, ContrastiveHead):
            prefix = parts[id(part)] + "." if parts[id(part)] else ""
            kept |= {f"{prefix}{name}": state[f"{prefix}{name}"] for name, _ in part.named_buffers()}
    return kept
