"""Properties of every head on features: padding, batches, order, gradients, attention, state."""

import copy
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heads.models.closed_form.linear_svr import LinearSvr
from heads.models.output import HeadOutput
from heads.registry import OURS
from heads.training.methods.losses import LOSSES_OF_PAIRS, losses_of

DIMS = {"segments": 24, "crops": 16, "clips": 24, "poses": 69}
LENGTHS = (7, 3, 5, 1)
HEADS = [(name, variant) for name, head in OURS.items() if not head.reads_maps for variant in head.variants]
# Without gradients, or, like the stack, not trained as a whole.
CLOSED_FORM = ("svr-average", "svr-maximum", "pose-dct", "mean", "ridge", "rbf-svr", "stack")
MASKED = [(name, variant) for name, variant in HEADS if variant == "paper" or name == "wd"]
# Heads whose score depends on the set of steps alone: attention and pooling know no order. The graph of the
# paper's ACTION-NET compares features; the one of the released code compares times.
UNORDERED = [
    "action-net",
    "action-net-average",
    "action-net-sau",
    "action-net-rta",
    "svr-average",
    "svr-maximum",
    "wd",
    "wd-average",
    "gdlt",
    "cofinal",
]
ORDERED = ["lstm", "bi-lstm", "ms-lstm", "action-net-lstm-sau", "action-net-bi-lstm-sau", "pose-dct"]

Inputs = tuple[dict[str, Tensor], dict[str, Tensor]]


def make(name: str, variant: str = "paper") -> nn.Module:
    """Return a head with weights of seed 0, in evaluation mode; an SVR gets coefficients."""
    torch.manual_seed(0)
    head = OURS[name]
    module = head.build({stream: DIMS[stream] for stream in head.streams}, variant).eval()
    for buffer in ("coefficients", "mean"):
        if isinstance(module, LinearSvr):
            module.get_buffer(buffer).copy_(torch.randn_like(module.get_buffer(buffer)))
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):  # statistics as after some training
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return module


def inputs(name: str, *, lengths: tuple[int, ...] = LENGTHS, padding: int = 0, seed: int = 1) -> Inputs:
    """Return random features of videos of these lengths, zero beyond them, and the masks."""
    draw = torch.Generator().manual_seed(seed)
    time = max(lengths) + padding
    mask = torch.arange(time) < torch.tensor(lengths)[:, None]
    features = {}
    for stream in OURS[name].streams:
        whole = torch.randn(len(lengths), max(lengths), DIMS[stream], generator=draw)
        features[stream] = nn.functional.pad(whole, (0, 0, 0, padding)) * mask[..., None]
    return features, dict.fromkeys(features, mask)


def output_of(module: nn.Module, of: Inputs) -> HeadOutput:
    with torch.no_grad():
        return module(*of)


def of_video(each: Mapping[str, Tensor], video: int, length: int) -> dict[str, Tensor]:
    return {name: tensor[video : video + 1, :length] for name, tensor in each.items()}


@pytest.mark.parametrize(("name", "variant"), MASKED)
def test_padding_changes_no_score(name: str, variant: str) -> None:
    module = make(name, variant)
    short, long = (output_of(module, inputs(name, padding=padding)) for padding in (0, 6))
    torch.testing.assert_close(short.scores, long.scores, rtol=1e-5, atol=1e-6)
    for stream, weights in long.attention.items():
        torch.testing.assert_close(weights[:, : max(LENGTHS)], short.attention[stream], rtol=1e-4, atol=1e-6)
        assert not weights[:, max(LENGTHS) :].any()


@pytest.mark.parametrize(("name", "variant"), MASKED)
def test_numbers_in_the_padding_change_no_score(name: str, variant: str) -> None:
    """What lies behind a video's last step is not read, whatever it is."""
    module = make(name, variant)
    features, masks = inputs(name)
    dirty = {s: torch.where(masks[s][..., None], each, torch.tensor(7.0)) for s, each in features.items()}
    clean, soiled = output_of(module, (features, masks)), output_of(module, (dirty, masks))
    torch.testing.assert_close(clean.scores, soiled.scores, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "variant"), MASKED)
def test_a_batch_scores_its_videos_as_each_alone(name: str, variant: str) -> None:
    module = make(name, variant)
    features, masks = inputs(name)
    together = output_of(module, (features, masks))
    for video, length in enumerate(LENGTHS):
        alone = output_of(module, (of_video(features, video, length), of_video(masks, video, length)))
        torch.testing.assert_close(alone.scores[0], together.scores[video], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("variant", ["released"])
def test_the_released_code_scores_windows_of_one_length_in_any_batch(variant: str) -> None:
    module, equal = make("action-net", variant), (6, 6, 6)
    features, masks = inputs("action-net", lengths=equal)
    together = output_of(module, (features, masks))
    for video in range(3):
        alone = output_of(module, (of_video(features, video, 6), of_video(masks, video, 6)))
        torch.testing.assert_close(alone.scores[0], together.scores[video], rtol=1e-5, atol=1e-6)


def shuffled(of: Inputs, *, seed: int) -> tuple[Inputs, Tensor]:
    """Return the same steps of whole videos in another order, and that order."""
    features, masks = of
    order = torch.randperm(next(iter(masks.values())).shape[1], generator=torch.Generator().manual_seed(seed))
    return ({stream: each[:, order] for stream, each in features.items()}, masks), order


@pytest.mark.parametrize("name", UNORDERED)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_steps_does_not_matter_to_attention_and_pooling(name: str, seed: int) -> None:
    module, whole = make(name), inputs(name, lengths=(8, 8))
    other, order = shuffled(whole, seed=seed)
    before, after = output_of(module, whole), output_of(module, other)
    torch.testing.assert_close(before.scores, after.scores, rtol=1e-5, atol=1e-6)
    for stream, weights in before.attention.items():
        torch.testing.assert_close(weights[:, order], after.attention[stream], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ORDERED)
def test_the_order_of_steps_matters_to_recurrent_heads(name: str) -> None:
    module, whole = make(name), inputs(name, lengths=(8, 8))
    other, _ = shuffled(whole, seed=0)
    assert (output_of(module, whole).scores - output_of(module, other).scores).abs().min() > 1e-5


@pytest.mark.parametrize(("name", "variant"), HEADS)
def test_attention_sums_to_one_over_the_steps_that_are_read(name: str, variant: str) -> None:
    attention = output_of(make(name, variant), inputs(name)).attention
    assert set(attention) == set(OURS[name].streams)
    for weights in attention.values():
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(LENGTHS)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "variant"), MASKED)
def test_a_stream_without_steps_gives_a_score_and_no_attention(name: str, variant: str) -> None:
    module = make(name, variant)
    features, masks = inputs(name, lengths=(4, 4))
    for stream in masks:
        gone = {s: mask & (s != stream) for s, mask in masks.items()}
        empty = {s: each * gone[s][..., None] for s, each in features.items()}
        output = output_of(module, (empty, gone))
        assert torch.isfinite(output.scores).all()
        assert not output.attention[stream].any()


@pytest.mark.parametrize(("name", "variant"), [each for each in HEADS if each[0] not in CLOSED_FORM])
def test_every_parameter_has_a_gradient_that_is_a_number_and_not_zero(name: str, variant: str) -> None:
    """A parameter that never moves the loss of a batch would be dead weight, or an unused branch."""
    module = make(name, variant).train()
    features, masks = inputs(name, lengths=(26, 24, 20, 26, 23, 25))  # many steps: MS-LSTM skips
    output = module(features, masks)
    recipe = OURS[name].choose_recipe("folder", "all", variant, {s: [26] for s in features})
    targets = torch.linspace(0, 1, 6)
    in_pairs = recipe.loss in LOSSES_OF_PAIRS  # of which training alone brings the videos to compare with
    losses = (output.scores - targets).square() if in_pairs else losses_of(output, targets, recipe=recipe)
    loss = losses.sum()
    (loss + (0 if output.penalty is None else output.penalty.sum())).backward()
    for parameter_name, parameter in module.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    moved = [n for n, parameter in module.named_parameters() if parameter.grad.abs().max() > 0]
    still = {n for n, _ in module.named_parameters()} - set(moved)
    # A softmax ignores what all its logits share: the last bias of an attention unit has no effect.
    assert {each for each in still if not each.endswith("bias")} == set()


@pytest.mark.parametrize(("name", "variant"), HEADS)
def test_evaluation_is_repeatable_and_changes_no_state(name: str, variant: str) -> None:
    module = make(name, variant)
    before = copy.deepcopy(module.state_dict())
    first, second = (output_of(module, inputs(name)).scores for _ in range(2))
    assert torch.equal(first, second)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


@pytest.mark.parametrize(("name", "variant"), HEADS)
def test_the_state_is_all_that_a_score_needs(name: str, variant: str) -> None:
    module = make(name, variant)
    torch.manual_seed(99)
    head = OURS[name]
    other = head.build({stream: DIMS[stream] for stream in head.streams}, variant).eval()
    other.load_state_dict(module.state_dict())
    assert torch.equal(output_of(module, inputs(name)).scores, output_of(other, inputs(name)).scores)


@pytest.mark.parametrize("name", ["wd", "wd-average"])
def test_heads_that_score_single_steps_score_a_video_of_one_step_alike(name: str) -> None:
    """Of one clip, any weighted sum is that clip: WD and the average agree with themselves."""
    module = make(name)
    features, masks = inputs(name, lengths=(1, 1, 1))
    repeated = {s: each.repeat(1, 4, 1) for s, each in features.items()}
    four = {s: mask.repeat(1, 4) for s, mask in masks.items()}
    one, many = output_of(module, (features, masks)), output_of(module, (repeated, four))
    np.testing.assert_allclose(one.scores, many.scores, rtol=1e-5)
