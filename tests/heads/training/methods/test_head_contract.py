"""The contract between heads and their training: every entry keeps it."""

import numpy as np
import pytest
import torch

from heads.data.batches import training_batches
from heads.data.feature_set import FeatureSet
from heads.registry import HEADS
from heads.training.methods.losses import LOSSES_OF_PAIRS, losses_of


def long_samples(streams: tuple[str, ...]) -> FeatureSet:
    """30 videos of up to 24 random steps: enough for every temporal convolution to see several windows."""
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(16, 25, (30,), generator=generator)
    real = torch.arange(24) < lengths[:, None]
    return FeatureSet(
        video_ids=tuple(map(str, range(30))),
        streams={s: torch.rand(30, 24, 12, generator=generator) * real[:, :, None] for s in streams},
        lengths=dict.fromkeys(streams, lengths),
        pts_seconds=dict.fromkeys(streams, ()),
        labels=np.linspace(0, 1, 30),
    )


UNBOUNDED = ("core", "uil-aqa")  # scores in the unit "range" without a sigmoid
IN_MEMORY = {name: head for name, head in HEADS.items() if not head.reads_maps}


@pytest.mark.parametrize("head", IN_MEMORY.values(), ids=IN_MEMORY)
def test_every_head_keeps_the_contract(head) -> None:
    """Each variant builds, attends, and where it is trained by gradient: [0, 1], a regressor, gradients."""
    samples = long_samples(head.streams)
    for variant in head.variants:
        torch.manual_seed(0)
        module = head.build(samples.dims, variant)
        recipe = head.choose_recipe("folder", "all", variant, {s: [24] for s in head.streams})
        assert set(recipe.num_steps) == set(head.streams)
        assert recipe.windows in ("paper", "sampled" if variant == "adapted" else variant, "cropped")
        batch = next(
            training_batches(
                samples, np.arange(14), recipe=recipe, generator=torch.Generator().manual_seed(0)
            )
        )
        output = module(batch.features, batch.masks)
        assert output.scores.shape == (len(batch.videos),)
        assert {s: tuple(w.shape) for s, w in output.attention.items()} == {
            s: tuple(mask.shape) for s, mask in batch.masks.items()
        }
        if recipe.is_closed_form or head.name == "stack":
            continue
        assert (
            head.name in UNBOUNDED
            or recipe.unit != "range"
            or ((output.scores >= 0) & (output.scores <= 1)).all()
        )
        targets = torch.linspace(0.1, 0.9, len(batch.videos))
        in_pairs = recipe.loss in LOSSES_OF_PAIRS
        losses = output.scores if in_pairs else losses_of(output, targets, recipe=recipe)
        (losses.sum() + (0 if output.penalty is None else output.penalty.sum())).backward()
        assert all(p.grad is not None for p in module.parameters())
        assert any(name.startswith("regressor.") for name, _ in module.named_parameters())
