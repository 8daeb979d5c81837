"""Tube attention as released: the authors' numbers, its formula, and its order of clips."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.athlete.tube_masks import PictureGeometry, released_frame_masks, union_of_frames
from heads.models.tube_attention import ReleasedTubeAttention
from heads.models.tube_attention.released import attention, released_clip_order

Ragged = Callable[..., tuple[Tensor, Tensor]]

CHANNELS = 6
FR_FS_STARTS = (0, 16, 32, 48, 64, 80, 87)


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


def test_released_equals_its_formula(ragged: Ragged) -> None:
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
