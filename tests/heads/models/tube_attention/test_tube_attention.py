"""Tube attention: eq. 4-6 in loops, the authors' numbers, gradients, and the cost by torch's own counter."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.athlete.tube_masks import PictureGeometry, released_frame_masks, union_of_frames
from aqa_pipeline.errors import AqaError, UnknownName
from heads.models.tube_attention import BLOCKS, ReleasedTubeAttention, TubeAttention, build_blocks
from heads.models.tube_attention.cost import counted, full_count, paper_count, paper_positions
from heads.models.tube_attention.products import PRODUCTS, cheapest, second_moments
from heads.models.tube_attention.released import attention, released_clip_order

CHANNELS, REDUCED = 6, 4
COMPUTATIONS = ["cheapest", "as-written", "scores", "context", "moments"]
FR_FS_STARTS = (0, 16, 32, 48, 64, 80, 87)
# Tables 3 and 5: what the paper counts for TSA-Net, in G, by class of AQA-7 and for MTL-AQA.
PAPER_GIGA = (0.864, 0.849, 0.283, 0.265, 0.952, 0.919, 1.012)


def block(computation: str = "cheapest", *, everywhere: bool = False) -> TubeAttention:
    """Small, in float64, with weights and biases of which none is zero."""
    torch.manual_seed(0)
    net = TubeAttention(CHANNELS, REDUCED, computation=computation, everywhere=everywhere).double()
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    return net


def ragged(*, channels_last: bool = False, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Three videos of two clips, 6 channels, 3 steps of 3x2; tubes of some, no, and one position."""
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(3, 2, CHANNELS, 3, 3, 2, generator=generator, dtype=torch.float64).to(dtype)
    masks = torch.rand(3, 2, 3, 3, 2, generator=generator) < 0.4
    masks[1:] = False
    masks[2, 1, 0, 2, 1] = True
    return (maps.movedim(2, -1).contiguous().movedim(-1, 2) if channels_last else maps), masks


def naive(net: TubeAttention, maps: Tensor, masks: Tensor) -> Tensor:
    """Eq. 4-6, position by position."""

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
def test_every_computation_equals_the_equations(computation: str, channels_last: bool) -> None:
    net, (maps, masks) = block(computation), ragged(channels_last=channels_last)
    torch.testing.assert_close(net(maps, masks), naive(net, maps, masks), rtol=0, atol=1e-10)


def test_the_dense_block_attends_everywhere() -> None:
    net, (maps, masks) = block(everywhere=True), ragged()
    expected = naive(net, maps, torch.ones_like(masks))
    torch.testing.assert_close(net(maps, masks), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("computation", COMPUTATIONS)
def test_outside_the_tube_nothing_changes(computation: str) -> None:
    net, (maps, masks) = block(computation), ragged()
    before = maps.clone()
    changed = (net(maps, masks) != maps).any(dim=2)
    assert (changed == masks).all()
    assert torch.equal(maps, before)


def test_videos_do_not_see_each_other() -> None:
    net, (maps, masks) = block(), ragged()
    masks[1, 0] = True
    alone = torch.cat([net(maps[at : at + 1], masks[at : at + 1]) for at in range(3)])
    torch.testing.assert_close(net(maps, masks), alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("computation", COMPUTATIONS)
def test_gradients_are_those_of_finite_differences(computation: str) -> None:
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
def test_gradients_through_expanded_and_channels_last_maps(computation: str) -> None:
    """A sum's gradient is one number in every place; maps from a store have their channels last."""
    net = block(computation)
    results = []
    for channels_last in (False, True):
        maps, masks = ragged(channels_last=channels_last)
        maps.requires_grad_()
        results.append(torch.autograd.grad(net(maps, masks).sum(), [maps, *net.parameters()]))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


def test_maps_that_need_no_gradient_train_the_same_weights() -> None:
    net, (maps, masks) = block("moments"), ragged()
    frozen = torch.autograd.grad(net(maps, masks).sum(), list(net.parameters()))
    through = torch.autograd.grad(net(maps.requires_grad_(), masks).sum(), list(net.parameters()))
    assert all(torch.equal(*pair) for pair in zip(frozen, through, strict=True))


def test_stored_half_precision_maps_are_read_in_the_weights_precision() -> None:
    net, (maps, masks) = block().float(), ragged(dtype=torch.float16)
    maps.requires_grad_()
    attended = net(maps, masks)
    assert attended.dtype == torch.float32
    torch.testing.assert_close(attended, net(maps.detach().float(), masks))
    assert torch.autograd.grad(attended.sum(), maps)[0].dtype == torch.float16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(net(maps, masks), attended, rtol=0, atol=0)


def test_a_new_block_changes_nothing() -> None:
    maps, masks = ragged(dtype=torch.float32)
    for name in BLOCKS:
        assert torch.equal(build_blocks(name, channels=CHANNELS, num_stacked=2)(maps, masks), maps)


def test_stacks_are_blocks_in_a_row() -> None:
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


# --- As released -----------------------------------------------------------------------------------------


def golden(shared: Path) -> tuple[dict, ModuleType]:
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    assert spec is not None
    assert spec.loader is not None
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    return json.loads((shared / "golden" / "heads_golden.json").read_text())["tsa_official"], inputs


def test_released_gives_the_authors_numbers(shared: Path) -> None:
    expected, inputs = golden(shared)
    geometry = PictureGeometry((640, 360))
    quads = [np.array(video, float).reshape(-1, 4, 2) for video in expected["boxes"]]
    clip_frames = np.add.outer(FR_FS_STARTS, np.arange(16))
    tubes = [union_of_frames(released_frame_masks(each[clip_frames], geometry, False)) for each in quads]
    masks = torch.from_numpy(np.stack(tubes))

    net = ReleasedTubeAttention(48).eval()
    state = {
        name: torch.from_numpy(inputs.weight(name, tuple(t.shape))) for name, t in net.state_dict().items()
    }
    assert {name.split(".")[0] for name in state} == {"NL_1D"}
    net.load_state_dict(state, strict=True)

    slots = torch.from_numpy(0.2 * inputs.features((2, 48, 28, 14, 14), 21))  # slot = 4 clip + step
    with torch.no_grad():
        attended = net(slots.unflatten(2, (7, 4)).movedim(2, 1), masks).movedim(1, 2).flatten(2, 3)
    assert attended.double().sum().item() == pytest.approx(expected["out_sum"], rel=1e-8)
    assert attended.double().abs().sum().item() == pytest.approx(expected["out_abs"], rel=1e-8)
    assert attended[0, :6, 0, 7, 4].tolist() == pytest.approx(expected["out_first"], abs=1e-7)
    assert int((attended != slots).any(dim=1).sum()) == expected["changed"]


def test_released_equals_its_formula() -> None:
    """softmax(x x^T), g, W with batch statistics of the one video, residual."""
    net, (maps, masks) = ReleasedTubeAttention(CHANNELS).double().train(), ragged()
    for parameter in net.parameters():
        nn.init.normal_(parameter)
    x = maps[0].movedim(1, -1)[masks[0]].numpy()
    g, conv, norm = net.NL_1D.g, *net.NL_1D.W
    values = x @ g.weight[:, :, 0].detach().numpy().T + g.bias.detach().numpy()
    scores = np.exp(x @ x.T)
    embedded = (scores / scores.sum(axis=1, keepdims=True)) @ values
    embedded = embedded @ conv.weight[:, :, 0].detach().numpy().T + conv.bias.detach().numpy()
    normed = (embedded - embedded.mean(axis=0)) / np.sqrt(embedded.var(axis=0) + norm.eps)
    expected = normed * norm.weight.detach().numpy() + norm.bias.detach().numpy() + x
    attended = net(maps, masks)
    np.testing.assert_allclose(attended[0].movedim(1, -1)[masks[0]].detach().numpy(), expected, atol=1e-10)
    assert torch.equal(attended[1:], maps[1:])  # none and one position: nothing to normalise


def test_the_fused_attention_of_gpus_is_the_plain_one() -> None:
    x, values = torch.randn(1, 9, 6, dtype=torch.float64), torch.randn(1, 9, 6, dtype=torch.float64)
    fused = nn.functional.scaled_dot_product_attention(x, x, values, scale=1.0)
    torch.testing.assert_close(attention(x, values), fused)


def test_the_clip_order_bug_deals_the_steps_out() -> None:
    """With 7 clips of 4 steps and slot = 4 clip + step, clip i gets the slots i, 7 + i, 14 + i, 21 + i."""
    slots = torch.arange(28.0)
    maps = slots.view(1, 7, 1, 4, 1, 1).expand(2, 7, CHANNELS, 4, 3, 2).clone()
    shuffled = released_clip_order(maps)
    assert shuffled.shape == maps.shape
    for clip in range(7):
        assert shuffled[1, clip, 2, :, 1, 1].tolist() == [clip, 7 + clip, 14 + clip, 21 + clip]
    # The released reshape, written as there.
    official = maps.movedim(1, 2).flatten(2, 3).view(2, CHANNELS, 4, 7, 3, 2).permute(0, 3, 1, 2, 4, 5)
    assert torch.equal(shuffled, official)
    masks = torch.zeros(2, 7, 4, 3, 2, dtype=torch.bool)
    assert torch.equal(ReleasedTubeAttention(CHANNELS, clip_order_bug=True)(maps, masks), official)
    assert torch.equal(ReleasedTubeAttention(CHANNELS)(maps, masks), maps)


# --- What it costs ---------------------------------------------------------------------------------------


def test_the_papers_count_is_two_of_the_convolutions() -> None:
    """2.2 G for NL-Net; its TSA-Net counts are multiples, and so are its stacks (2.025 and 3.037)."""
    assert paper_count(7840) == 7840 * 2 * 528 * 264
    assert paper_count(7840) / 1e9 == pytest.approx(2.2, abs=0.05)
    assert paper_positions(0.864e9) == 3099
    assert paper_count(paper_positions(1.012e9), stacked=2) / 1e9 == pytest.approx(2.025, abs=2e-3)
    assert paper_count(paper_positions(1.012e9), stacked=3) / 1e9 == pytest.approx(3.037, abs=2e-3)
    reductions = [1 - giga / 2.2 for giga in PAPER_GIGA[:6]]
    assert np.mean(reductions) == pytest.approx(0.687, abs=1e-3)  # as Table 3 prints it


def tube_of(positions: int) -> tuple[Tensor, Tensor]:
    masks = torch.zeros(1, 10 * 4 * 14 * 14, dtype=torch.bool)
    masks[:, :positions] = True
    return torch.zeros(1, 10, 16, 4, 14, 14), masks.view(1, 10, 4, 14, 14)


@pytest.mark.parametrize("positions", [1, 5, 12, 40, 1000])
@pytest.mark.parametrize("computation", ["as-written", "cheapest", "scores", "context", "moments"])
def test_formulas_count_what_torch_counts(positions: int, computation: str) -> None:
    maps, masks = tube_of(positions)
    order = {"as-written": "scores", "cheapest": cheapest(positions, 16, 8)}.get(computation, computation)
    expected = PRODUCTS[order].multiply_adds(positions, 16, 8)
    assert counted(TubeAttention(16, 8, computation=computation), maps, masks)["Global"] == expected


def test_the_papers_two_convolutions_are_those_of_the_module() -> None:
    maps, masks = tube_of(300)
    parts = counted(TubeAttention(16, 8, computation="as-written"), maps, masks)
    assert parts["TubeAttention.g"] + parts["TubeAttention.w_z"] == paper_count(300, channels=16, reduced=8)


def test_ours_costs_a_tenth_of_the_dense_block_at_most() -> None:
    saved = []
    for giga in PAPER_GIGA:
        size = [paper_positions(giga * 1e9)]
        dense, written, ours = (full_count(name, size) for name in ("nl-net", "tsa-as-written", "tsa"))
        assert ours < written < dense
        saved.append(1 - ours / dense)
    assert np.mean(saved) > 0.9
    sizes = [0, 100, 3000]
    assert full_count("tsa", sizes) == full_count("tsa", [100]) + full_count("tsa", [3000])


def test_the_order_grows_with_the_tube() -> None:
    orders = [cheapest(positions, 528, 264) for positions in range(1, 8000, 50)]
    assert [order for at, order in enumerate(orders) if order not in orders[:at]] == [
        "scores",
        "context",
        "moments",
    ]


def test_second_moments_are_those_of_rows_with_a_one() -> None:
    x = torch.randn(11, 7, dtype=torch.float64)  # an odd number of channels: unequal halves
    with_one = torch.cat([x, torch.ones(11, 1, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(second_moments(x), with_one.mT @ with_one)


def test_what_does_not_fit_is_refused() -> None:
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
