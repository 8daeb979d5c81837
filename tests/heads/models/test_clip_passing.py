"""Clips through a network: padding never enters it, orders, statistics, and activations computed twice."""

import copy

import pytest
import torch
from torch import Tensor, nn

from heads.models.clip_passing import ClipPassing

ORDERS = ["in-turn", "packed"]
RAGGED = torch.tensor([[True, True, True], [True, False, False], [False, False, True]])


class Small(nn.Module):
    """A convolution with BatchNorm, dropout where asked, and a mean; it notes the sizes of its batches."""

    def __init__(self, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv3d(3, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(inplace=True), nn.Dropout(dropout)
        )
        self.batches: list[int] = []

    def forward(self, clips: Tensor) -> Tensor:
        self.batches.append(len(clips))
        out: Tensor = self.layers(clips).mean(dim=(2, 3, 4))
        return out


def make(*, dropout: float = 0.0) -> Small:
    torch.manual_seed(0)
    return Small(dropout=dropout).double()


def clips_of(mask: Tensor) -> Tensor:
    clips = torch.randn(
        *mask.shape, 3, 2, 4, 4, dtype=torch.double, generator=torch.Generator().manual_seed(1)
    )
    clips[~mask] = torch.nan
    return clips


@pytest.mark.parametrize("order", ORDERS)
def test_padding_never_enters_the_network_and_stays_zero(order: str) -> None:
    network, clips = make().eval(), clips_of(RAGGED)
    passed = ClipPassing(order)(network, clips, RAGGED)
    assert passed.shape == (3, 3, 4)
    assert not passed[~RAGGED].any()
    torch.testing.assert_close(passed[RAGGED], network(clips[RAGGED]))


def test_a_call_has_one_position_or_all_of_them() -> None:
    for order, sizes in (("in-turn", [2, 1, 2]), ("packed", [5])):
        network = make()
        ClipPassing(order)(network, clips_of(RAGGED), RAGGED)
        assert network.batches == sizes


def test_statistics_are_those_of_a_position_in_turn() -> None:
    """BatchNorm normalizes each position by itself, and its running statistics take them in their order."""
    whole = torch.ones(2, 3, dtype=torch.bool)
    clips, in_turn, by_hand = clips_of(whole), make(), make()
    passed = ClipPassing("in-turn")(in_turn, clips, whole)
    expected = torch.stack([by_hand(clips[:, position]) for position in range(3)], dim=1)
    torch.testing.assert_close(passed, expected)
    torch.testing.assert_close(in_turn.state_dict(), by_hand.state_dict())
    packed = make()
    assert not torch.allclose(ClipPassing("packed")(packed, clips, whole), passed)
    assert packed.layers[1].num_batches_tracked == 1


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mask", [RAGGED, torch.ones(2, 3, dtype=torch.bool)], ids=["ragged", "whole"])
@pytest.mark.parametrize("in_training", [True, False])
def test_computing_activations_twice_changes_nothing(order: str, mask: Tensor, in_training: bool) -> None:
    """Outputs, gradients and running statistics; dropout drops the same again."""
    clips, results = clips_of(mask), []
    for twice in (False, True):
        network = make(dropout=0.5).train(in_training)
        torch.manual_seed(3)
        passed = ClipPassing(order, checkpoint_activations=twice)(network, clips, mask)
        passed.square().sum().backward()
        results.append(
            (passed.detach(), [p.grad for p in network.parameters()], copy.deepcopy(network.state_dict()))
        )
    kept, again = results
    if order == "packed" and not in_training:  # in other calls, so summed in another order
        torch.testing.assert_close(kept, again)
        return
    assert torch.equal(kept[0], again[0])
    assert all(torch.equal(*pair) for pair in zip(kept[1], again[1], strict=True))
    assert all(torch.equal(kept[2][name], again[2][name]) for name in kept[2])


def test_the_network_does_run_twice_and_clip_by_clip_where_it_may() -> None:
    whole = torch.ones(2, 3, dtype=torch.bool)
    for in_training, sizes in ((True, [6]), (False, [2, 2, 2])):
        network = make().train(in_training)
        passed = ClipPassing("packed", checkpoint_activations=True)(network, clips_of(whole), whole)
        assert network.batches == sizes
        passed.sum().backward()
        assert network.batches == 2 * sizes


def test_a_layer_of_batchnorm_is_left_as_it_was_after_an_error() -> None:
    network = make()
    norm = network.layers[1]
    passed = ClipPassing("in-turn", checkpoint_activations=True)(network, clips_of(RAGGED), RAGGED)
    network.layers[0].register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        passed.sum().backward()
    assert (norm.momentum, int(norm.num_batches_tracked)) == (0.1, 3)


def test_prepare_comes_first_and_each_time() -> None:
    network, mask = make().eval(), torch.ones(1, 2, dtype=torch.bool)
    clips = clips_of(mask)
    doubled = ClipPassing("in-turn")(network, clips, mask, prepare=lambda x: 2 * x)
    torch.testing.assert_close(doubled, ClipPassing("in-turn")(network, 2 * clips, mask))


@pytest.mark.parametrize("order", ORDERS)
def test_a_batch_without_any_clip_is_refused(order: str) -> None:
    nothing = torch.zeros(2, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match="a batch of videos without any clip"):
        ClipPassing(order)(make(), clips_of(nothing), nothing)
