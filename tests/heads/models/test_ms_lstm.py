"""Xu et al.'s network: its parts by the formulas of their papers."""

import pytest
import torch
from torch import Tensor

from heads.models.feature_scaling.masked_batch_norm import MaskedBatchNorm
from heads.models.ms_lstm import MultiScaleLstm, SkipLstmCell, redundancy

DIM = 16


def inputs(num_steps: int, *, extra: int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    steps = torch.rand(2, num_steps, DIM, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([steps, torch.zeros(2, extra, DIM)], dim=1)
    return {"segments": padded}, {"segments": torch.arange(num_steps + extra).expand(2, -1) < num_steps}


@pytest.mark.parametrize("num_steps", [1, 7, 8, 27])
def test_padding_changes_nothing(num_steps: int) -> None:
    torch.manual_seed(0)
    head = MultiScaleLstm({"segments": DIM}).eval()
    plain, padded = head(*inputs(num_steps)), head(*inputs(num_steps, extra=9))
    torch.testing.assert_close(padded.scores, plain.scores)
    torch.testing.assert_close(padded.attention["segments"][:, :num_steps], plain.attention["segments"])
    torch.testing.assert_close(padded.penalty, plain.penalty)
    assert plain.attention["segments"].sum(dim=1).tolist() == pytest.approx([1, 1])


def test_a_video_without_steps_is_scored_without_nan() -> None:
    head = MultiScaleLstm({"segments": DIM}).eval()
    features, masks = inputs(5)
    masks["segments"][0] = False
    assert torch.isfinite(head(features, masks).scores).all()


def test_sizes_are_the_authors() -> None:
    head = MultiScaleLstm({"segments": 4096})
    assert head.conv.weight.shape == (128, 4096)
    assert [(s.conv.kernel_size, s.conv.stride) for s in head.scales] == [
        ((2,), (1,)),
        ((4,), (2,)),
        ((8,), (4,)),
    ]
    assert head.attention.score[2].weight.shape == (50, 64)


def test_redundancy_is_zero_for_descriptions_of_different_steps() -> None:
    assert redundancy(torch.eye(4)[None]).tolist() == [0]
    same = torch.tensor([[[1.0, 0], [1, 0]]])
    assert redundancy(same).tolist() == [2]  # A A^T is all ones: two entries beside the diagonal


def test_the_skip_cell_follows_its_equations() -> None:
    """Campos et al., eq. 2-6, one number at a time; the gate's bias makes it skip some steps."""
    torch.manual_seed(1)
    cell = SkipLstmCell(3, 4)
    torch.nn.init.constant_(cell.gate.bias, -0.8)
    steps = torch.randn(1, 6, 3)
    hidden, memory, update, decisions = torch.zeros(1, 4), torch.zeros(1, 4), 1.0, []
    for step in steps[0]:
        decisions.append(round(update))
        if decisions[-1]:
            hidden, memory = cell.cell(step[None], (hidden, memory))
        increment = torch.sigmoid(cell.gate(memory)).item()
        update = increment if decisions[-1] else update + min(increment, 1 - update)
    assert 0 < sum(decisions) < 6
    torch.testing.assert_close(cell(steps, torch.ones(1, 6, dtype=torch.bool)), hidden)


def test_batch_normalisation_is_that_of_the_real_steps() -> None:
    """In training, on the way back, in what it remembers, and in testing."""
    torch.manual_seed(0)
    masked, picked = MaskedBatchNorm(2), torch.nn.BatchNorm1d(2)
    mask = torch.arange(4) < torch.tensor([4, 2, 1])[:, None]
    for training in (True, True, False):
        masked.train(training), picked.train(training)
        steps = (torch.randn(3, 4, 2) * 3 + 5).requires_grad_()
        seen = steps[mask].detach().requires_grad_()
        ours, theirs = masked(steps, mask), picked(seen)
        torch.testing.assert_close(ours[mask], theirs)
        assert not ours[~mask].any()
        wanted = torch.randn(theirs.shape)
        (ours[mask] * wanted).sum().backward(), (theirs * wanted).sum().backward()
        torch.testing.assert_close(steps.grad[mask], seen.grad, atol=1e-6, rtol=1e-4)
        assert not steps.grad[~mask].any()
    torch.testing.assert_close(masked.norm.state_dict(), picked.state_dict())
