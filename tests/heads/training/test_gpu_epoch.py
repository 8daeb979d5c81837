"""An epoch on a GPU: all is on one device, and the CPU never waits for it. No GPU is needed to see that.

Fake tensors have a device, a shape and no values. They refuse to be mixed between devices, and to tell a
value, which is what the CPU would wait for. Only the way back needs a driver: tensors of torch's device
"meta", which have no values either, go back in their place.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    FakeTensor,
    FakeTensorMode,
    unset_fake_temporarily,
)
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold
from heads.data.judges import NUM_JUDGES
from heads.data.prefetch import Loading
from heads.data.tube_maps import TubeMaps
from heads.recipes import Recipe
from heads.registry import HEADS, HeadKind
from heads.training.methods.kept_epoch import Keeper
from heads.training.methods.loop import _train_once
from heads.training.methods.optimizer import make_optimizer
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import Training
from heads.training.resuming.training_state import TrainingState

GPU, META = torch.device("cuda", 0), torch.device("meta")
COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
NUM_VIDEOS, NUM_STEPS = 6, 5
DIMS = {"segments": 1024, "crops": 2048, "clips": 512}
VARIANTS = [
    pytest.param(head, variant, id=f"{head.name}-{variant}")
    for head in HEADS.values()
    for variant in head.variants
    if head.choose_recipe("a", "1", variant, {}).is_closed_form is False and head.name != "stack"
]


class GpuInThought(TorchDispatchMode):
    """What is on a GPU is fake, and all else is real. Once `started`, the CPU must not wait for a copy."""

    started = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        from_gpu = any(isinstance(each, FakeTensor) for each in tensors)
        if not from_gpu and kwargs.get("device") != GPU:
            with unset_fake_temporarily():
                return func(*args, **kwargs)
        result = func(*args, **kwargs)
        if self.started and func in COPIES and not (from_gpu and result.device == GPU):
            assert kwargs.get("non_blocking"), f"the CPU waits for a copy of {tuple(result.shape)}"
        return result


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[GpuInThought]:
    monkeypatch.setattr(Tensor, "backward", lambda loss: None)
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(torch.backends.cudnn, "enabled", False)  # its LSTM asks the driver
    with FakeTensorMode(allow_non_fake_inputs=True), GpuInThought() as mode:
        yield mode


def state_of(module: nn.Module, training: Training) -> TrainingState:
    """Return the state before the first epoch."""
    return TrainingState(
        module,
        optimizer=make_optimizer(module, training.recipe.optimization),
        generator=torch.Generator().manual_seed(0),
        keeper=Keeper("last"),
    )


# torch copies the layers of its transformers, and asks where the numbers of a fake tensor lie.
@pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor:UserWarning")
@pytest.mark.parametrize(("head", "variant"), VARIANTS)
def test_an_epoch_stays_on_the_gpu_and_waits_for_nothing(
    head: HeadKind, variant: str, gpu: GpuInThought
) -> None:
    training = training_of(head, variant, GPU)
    module = module_of(training, GPU)
    state = state_of(module, training)
    gpu.started = True
    total = _train_once(module, state, training, Loading(in_a_thread=False))
    assert total.device == GPU


@pytest.mark.parametrize(("head", "variant"), VARIANTS)
def test_the_way_back_asks_for_no_value(
    head: HeadKind, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # there is none for that device
    training = training_of(head, variant, META)
    module = module_of(training, META)
    state = state_of(module, training)
    for group in state.optimizer.param_groups:
        group["fused"] = False  # nor this
    total = _train_once(module, state, training, Loading(in_a_thread=False))
    assert total.device == META
    learned = [each for each in module.parameters() if each.requires_grad]
    assert learned
    if (head.name, variant) != ("ms-lstm", "adapted"):  # too few drawn steps for its longest convolution
        assert all(each.grad is not None for each in learned)


def test_what_is_wrong_would_be_seen(gpu: GpuInThought) -> None:
    gpu.started = True
    there = torch.ones(3).to(GPU, non_blocking=True)
    assert there.device == GPU
    with pytest.raises(AssertionError, match=r"waits for a copy of \(3,\)"):
        torch.ones(3).to(GPU)
    with pytest.raises(DataDependentOutputException):
        float(there.sum())
    with pytest.raises(RuntimeError, match="device"):
        there + torch.ones(3)


def training_of(head: HeadKind, variant: str, device: torch.device) -> Training:
    samples = samples_for(head, variant, device)
    return Training(
        lambda dims, **options: head.build(dims, variant, **options),
        samples,
        Fold(np.arange(NUM_VIDEOS), *[np.empty(0, dtype=np.int64)] * 2),
        labels=np.ones((NUM_VIDEOS, NUM_JUDGES)) if head.of_judges else samples.labels,
        recipe=recipe_for(head, variant),
        seed=0,
    )


def module_of(training: Training, device: torch.device) -> nn.Module:
    with device:
        return prepare_module(training.build, training.samples.dims, training.recipe)


def samples_for(head: HeadKind, variant: str, device: torch.device) -> FeatureSet:
    """Videos of unequal length; maps are where maps are read from, and everything else is on the device."""
    lengths = torch.tensor([NUM_STEPS - index % 2 for index in range(NUM_VIDEOS)])
    channels = 480 if variant.startswith("released") else 528
    maps = {stream: maps_of(lengths.tolist(), channels, device) for stream in head.streams if head.reads_maps}
    return FeatureSet(
        video_ids=tuple(f"video-{index}" for index in range(NUM_VIDEOS)),
        streams={
            stream: torch.ones(NUM_VIDEOS, NUM_STEPS, DIMS[stream], device=device)
            for stream in head.streams
            if not head.reads_maps
        },
        lengths=dict.fromkeys(head.streams, lengths),
        pts_seconds=dict.fromkeys(head.streams, ()),
        labels=np.linspace(0, 1, NUM_VIDEOS),
        maps=maps,
    )


def maps_of(lengths: list[int], channels: int, device: torch.device) -> TubeMaps:
    shapes = [(length, 2, channels, 4, 14, 14) for length in lengths]
    return TubeMaps(
        maps=tuple(np.zeros(shape, np.float16) for shape in shapes),
        tubes=tuple(np.ones((*shape[:2], *shape[3:]), bool) for shape in shapes),
        checksums=("",) * len(lengths),
        num_empty=0,
        device=device,
    )


def recipe_for(head: HeadKind, variant: str) -> Recipe:
    """Return the recipe of what is trained by gradient; ridge regression is fitted beside it."""
    dataset = "mtl-aqa" if head.reads_maps else "rhythmic-gymnastics"
    steps = {stream: [NUM_STEPS] * NUM_VIDEOS for stream in head.streams}
    recipe = head.choose_recipe(dataset, "ball", variant, steps)
    return recipe if recipe.adaptation is None else recipe.with_ridge_share(None)
