"""Tube attention as the paper has it: eq. 4-6 in loops, gradients, and what is refused."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.errors import AqaError, UnknownName
from heads.models.tube_attention import BLOCKS, ReleasedTubeAttention, TubeAttention, build_blocks
from heads.models.tube_attention.products import second_moments

Ragged = Callable[..., tuple[Tensor, Tensor]]

CHANNELS, REDUCED = 6, 4
COMPUTATIONS = ["cheapest", "as-written", "scores", "context", "moments"]


def block(computation: str = "cheapest", *, everywhere: bool = False) -> TubeAttention:
    """Return a small block in float64, of whose weights and biases none is zero."""
    torch.manual_seed(0)
    net = TubeAttention(CHANNELS, REDUCED, computation=computation, everywhere=everywhere).double()
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return net


def naive(net: TubeAttention, maps: Tensor, masks: Tensor) -> Tensor:
    """Compute eq. 4-6, position by position."""

    def layer(module: nn.Linear, x: np.ndarray) -> np.ndarray:
        return module.weight.detach().numpy() @ x + module.bias.detach().numpy()

    result = maps.clone()
    for video in range(len(maps)):
        positions = [tuple(at) for at in masks[video].nonzero().tolist()]
        x = {(c, t, i, j): maps[video, c, :, t, i, j].numpy() for c, t, i, j in positions}
        for p in positions:
            y = np.zeros(net.reduced)
            for q in positions:
                f = layer(net.theta, x[p]) @ layer(net.phi, x[q])  # eq. 5
                y += f * layer(net.g, x[q])
            y /= len(positions)  # eq. 4
            c, t, i, j = p
            result[video, c, :, t, i, j] = torch.from_numpy(layer(net.w_z, y) + x[p])  # eq. 6
    return result


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("computation", COMPUTATIONS)
def test_every_computation_equals_the_equations(
    computation: str, channels_last: bool, ragged: Ragged
) -> None:
    net, (maps, masks) = block(computation), ragged(channels_last=channels_last)
    torch.testing.assert_close(net(maps, masks), naive(net, maps, masks), rtol=0, atol=1e-10)


def test_the_dense_block_attends_everywhere(ragged: Ragged) -> None:
    net, (maps, masks) = block(everywhere=True), ragged()
    expected = naive(net, maps, torch.ones_like(masks))
    torch.testing.assert_close(net(maps, masks), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("computation", COMPUTATIONS)
def test_outside_the_tube_nothing_changes(computation: str, ragged: Ragged) -> None:
    net, (maps, masks) = block(computation), ragged()
    before = maps.clone()
    changed = (net(maps, masks) != maps).any(dim=2)
    assert (changed == masks).all()
    assert torch.equal(maps, before)


def test_videos_do_not_see_each_other(ragged: Ragged) -> None:
    net, (maps, masks) = block(), ragged()
    masks[1, 0] = True
    alone = torch.cat([net(maps[at : at + 1], masks[at : at + 1]) for at in range(3)])
    torch.testing.assert_close(net(maps, masks), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("computation", COMPUTATIONS)
def test_gradients_are_those_of_finite_differences(computation: str, ragged: Ragged) -> None:
    net = block(computation)
    maps, masks = (each[:, 1:, ..., :1, 1:, :] for each in ragged())  # the last clip, its first step
    masks[0, 0, 0] = torch.tensor([[True, True], [False, True]])
    assert masks.flatten(1).sum(dim=1).tolist() == [3, 0, 1]
    parameters = dict(net.named_parameters())

    def outputs(maps: Tensor, *values: Tensor) -> Tensor:
        named = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(net, named, (maps, masks))

    assert torch.autograd.gradcheck(outputs, (maps.clone().requires_grad_(), *parameters.values()))


def gradients(computation: str, maps: Tensor, masks: Tensor, upstream: Tensor) -> list[Tensor]:
    torch.manual_seed(3)
    net = TubeAttention(48, 24, computation=computation).double()
    for layer in (net.theta, net.phi, net.g, net.w_z):
        nn.init.normal_(layer.weight, std=0.2)
        nn.init.normal_(layer.bias)
    inputs = maps.detach().requires_grad_()
    outputs = net(inputs, masks)
    return [outputs, *torch.autograd.grad(outputs, [inputs, *net.parameters()], upstream)]


@pytest.mark.parametrize("occupancy", [0.03, 0.2, 0.6])
def test_cheap_forms_equal_the_written_one_on_tubes_of_14x14(occupancy: float) -> None:
    """Outputs and every gradient, float64; the bound is the project's for a form that is no other result."""
    generator = torch.Generator().manual_seed(2)
    maps, upstream = (
        torch.randn(2, 2, 48, 4, 14, 14, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    masks = torch.rand(2, 2, 4, 14, 14, generator=generator) < occupancy
    expected = gradients("as-written", maps, masks, upstream)
    for computation in COMPUTATIONS:
        for mine, theirs in zip(gradients(computation, maps, masks, upstream), expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("computation", ["scores", "context", "moments"])
def test_gradients_through_expanded_and_channels_last_maps(computation: str, ragged: Ragged) -> None:
    """A sum's gradient is one number in every place; maps from a store have their channels last."""
    net = block(computation)
    results = []
    for channels_last in (False, True):
        maps, masks = ragged(channels_last=channels_last)
        maps.requires_grad_()
        results.append(torch.autograd.grad(net(maps, masks).sum(), [maps, *net.parameters()]))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


def test_maps_that_need_no_gradient_train_the_same_weights(
    ragged: Ragged,
) -> None:
    net, (maps, masks) = block("moments"), ragged()
    frozen = torch.autograd.grad(net(maps, masks).sum(), list(net.parameters()))
    through = torch.autograd.grad(net(maps.requires_grad_(), masks).sum(), list(net.parameters()))
    assert all(torch.equal(*pair) for pair in zip(frozen, through, strict=True))


def test_stored_half_precision_maps_are_read_in_the_weights_precision(
    ragged: Ragged,
) -> None:
    net, (maps, masks) = block().float(), ragged(dtype=torch.float16)
    maps.requires_grad_()
    attended = net(maps, masks)
    assert attended.dtype == torch.float32
    torch.testing.assert_close(attended, net(maps.detach().float(), masks))
    assert torch.autograd.grad(attended.sum(), maps)[0].dtype == torch.float16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(net(maps, masks), attended, rtol=0, atol=0)


def test_a_new_block_changes_nothing(ragged: Ragged) -> None:
    maps, masks = ragged(dtype=torch.float32)
    for name in BLOCKS:
        assert torch.equal(build_blocks(name, channels=CHANNELS, num_stacked=2)(maps, masks), maps)


def test_stacks_are_blocks_in_a_row(ragged: Ragged) -> None:
    maps, masks = ragged()
    stack = build_blocks("tsa", channels=CHANNELS, num_stacked=3).double()
    for parameter in stack.parameters():
        nn.init.normal_(parameter, std=0.3)
    expected = maps
    for each in stack.blocks:
        expected = naive_of_block(each, expected, masks)
    torch.testing.assert_close(stack(maps, masks), expected, rtol=0, atol=1e-9)
    assert len(stack.blocks) == 3


def naive_of_block(net: nn.Module, maps: Tensor, masks: Tensor) -> Tensor:
    assert isinstance(net, TubeAttention)
    return naive(net, maps, masks)


def test_parameters_are_four_convolutions_of_528_and_264() -> None:
    assert sum(p.numel() for p in TubeAttention().parameters()) == 4 * 528 * 264 + 3 * 264 + 528


def test_second_moments_are_those_of_rows_with_a_one() -> None:
    x = torch.randn(11, 7, dtype=torch.float64)  # an odd number of channels: unequal halves
    with_one = torch.cat([x, torch.ones(11, 1, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(second_moments(x), with_one.mT @ with_one)


def test_what_does_not_fit_is_refused(ragged: Ragged) -> None:
    maps, masks = ragged()
    with pytest.raises(
        ValueError, match=r"needs maps \(batch, clip, 6, step, height, width\) .* got \(3, 2, 5,"
    ):
        block()(maps[:, :, :5], masks)
    with pytest.raises(ValueError, match=r"got .* torch.float32 \(3, 2, 3, 3, 2\)"):
        ReleasedTubeAttention(CHANNELS)(maps, masks.float())
    with pytest.raises(ValueError, match=r"torch.bool \(3, 2, 3, 3\)"):
        block()(maps, masks[..., 0])
    with pytest.raises(UnknownName, match=r"computation of tube attention 'moment'. Did you mean 'moments'"):
        TubeAttention(computation="moment")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="block between the stages 'nl'"):
        build_blocks("nl", channels=CHANNELS)
    with pytest.raises(AqaError, match="0 blocks of tsa: expected at least 1"):
        build_blocks("tsa", channels=CHANNELS, num_stacked=0)
