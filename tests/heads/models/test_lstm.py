"""Recurrent baselines against torch's own packed sequences."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from heads.models.lstm import BiLstm, Lstm, build_bi_lstm, build_lstm, last_real, reversed_steps

LENGTHS = torch.tensor([6, 4, 1])
MASK = torch.arange(6) < LENGTHS[:, None]


@pytest.fixture
def features() -> Tensor:
    return torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(0)) * MASK[:, :, None]


def test_reversing_keeps_padding_at_the_end() -> None:
    rows = torch.tensor([[1.0, 2, 3, 0]])[:, :, None]
    mask = torch.tensor([[True, True, True, False]])
    assert reversed_steps(rows, mask).flatten().tolist() == [3, 2, 1, 0]
    assert reversed_steps(reversed_steps(rows, mask), mask).equal(rows)


def test_the_last_real_step_is_taken_and_nothing_of_an_empty_video() -> None:
    rows = torch.arange(6.0).view(2, 3, 1)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert last_real(rows, mask).flatten().tolist() == [1, 0]


def test_both_directions_equal_torchs_packed_bidirectional_lstm(features: Tensor) -> None:
    module = BiLstm(5, 4)
    reference = nn.LSTM(5, 4, batch_first=True, bidirectional=True)
    state = dict(module.forwards.state_dict())
    state |= {f"{name}_reverse": value for name, value in module.backwards.state_dict().items()}
    reference.load_state_dict(state)
    outputs, last = module(features, MASK)
    packed = pack_padded_sequence(features, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, (hidden, _) = reference(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=True)
    torch.testing.assert_close(outputs * MASK[:, :, None], expected)
    torch.testing.assert_close(last, torch.cat([hidden[0], hidden[1]], dim=-1))


def test_one_direction_ends_at_the_last_real_step(features: Tensor) -> None:
    module = Lstm(5, 4)
    _, last = module(features, MASK)
    for video, length in enumerate(LENGTHS.tolist()):
        _, (hidden, _) = module.lstm(features[video : video + 1, :length])
        torch.testing.assert_close(last[video], hidden[0, 0])


@pytest.mark.parametrize("build", [build_lstm, build_bi_lstm])
def test_baselines_have_256_hidden_units_and_one_linear_layer(build) -> None:
    head = build({"frames": 5})
    assert head.recurrent.out_dim == 256
    assert [tuple(p.shape) for p in head.regressor.parameters()] == [(1, 256), (1,)]
