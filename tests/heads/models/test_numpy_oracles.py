"""Networks against the same formulas in plain NumPy, float64, one video at a time."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from heads.models.attention_pooling import find_aggregation
from heads.models.feature_scaling.whitening import Whitened, principal_components
from heads.models.lstm import build_bi_lstm, build_lstm
from heads.models.ms_lstm import SCALES, MultiScaleLstm, SelfAttention
from heads.models.score_distribution import distribution_loss, score_distribution
from heads.models.temporal_graph import VARIANTS

Floats = NDArray[np.float64]
DIM = 20


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def softmax(x: Floats) -> Floats:
    raised = np.exp(x - x.max())
    return raised / raised.sum()


def relu(x: Floats) -> Floats:
    return np.maximum(x, 0)


def linear(layer: nn.Linear) -> Callable[[Floats], Floats]:
    weight = layer.weight.detach().double().numpy()
    bias = 0 if layer.bias is None else layer.bias.detach().double().numpy()
    return lambda x: x @ weight.T + bias


def lstm(cell: nn.LSTM | nn.LSTMCell, steps: Floats) -> Floats:
    """Return the outputs (time, hidden) of an LSTM, gate by gate: input, forget, cell, output."""
    ending = "_l0" if isinstance(cell, nn.LSTM) else ""
    weights = {
        name: getattr(cell, f"{name}{ending}").detach().double().numpy()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    hidden = memory = np.zeros(cell.hidden_size)
    outputs = []
    for step in steps:
        gates = (
            weights["weight_ih"] @ step
            + weights["bias_ih"]
            + weights["weight_hh"] @ hidden
            + weights["bias_hh"]
        )
        take, forget, new, give = np.split(gates, 4)
        memory = sigmoid(forget) * memory + sigmoid(take) * np.tanh(new)
        hidden = sigmoid(give) * np.tanh(memory)
        outputs.append(hidden)
    return np.array(outputs)


def video(length: int = 6, *, dim: int = DIM, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor, Floats]:
    """Return a batch of one padded video, its mask, and its real steps for NumPy."""
    steps = torch.randn(length, dim, generator=torch.Generator().manual_seed(seed))
    padded = nn.functional.pad(steps, (0, 0, 0, 3))[None]
    mask = (torch.arange(length + 3) < length)[None]
    return padded, mask, steps.double().numpy()


@pytest.mark.parametrize("length", [1, 2, 6])
def test_the_lstm_baseline_is_a_linear_layer_on_the_last_state(length: int) -> None:
    torch.manual_seed(0)
    module = build_lstm({"segments": DIM}).eval()
    padded, mask, steps = video(length)
    last = lstm(module.recurrent.lstm, steps)[-1]
    expected = sigmoid(linear(module.regressor[0])(last))
    assert module({"segments": padded}, {"segments": mask}).scores.item() == pytest.approx(
        expected.item(), abs=1e-6
    )


@pytest.mark.parametrize("length", [1, 2, 6])
def test_the_bi_lstm_reads_the_real_steps_from_both_ends(length: int) -> None:
    torch.manual_seed(0)
    module = build_bi_lstm({"segments": DIM}).eval()
    padded, mask, steps = video(length)
    ahead = lstm(module.recurrent.forwards, steps)[-1]
    back = lstm(module.recurrent.backwards, steps[::-1])[-1]
    expected = sigmoid(linear(module.regressor[0])(np.concatenate([ahead, back])))
    assert module({"segments": padded}, {"segments": mask}).scores.item() == pytest.approx(
        expected.item(), abs=1e-6
    )


def embedded(module: nn.Module, steps: Floats) -> Floats:
    return relu(linear(module.embedding[2])(relu(linear(module.embedding[0])(steps))))


def attention(unit: nn.Module, steps: Floats) -> Floats:
    return softmax(linear(unit.score[2])(relu(linear(unit.score[0])(steps)))[:, 0])


def expected_pooling(name: str, module: nn.Module, steps: Floats) -> tuple[Floats, Floats]:
    """Return the pooled feature and the weights of a row of Table 3 of the paper."""
    instances = embedded(module, steps)
    if name == "average":
        weights = np.full(len(steps), 1 / len(steps))
    elif name == "sau":
        weights = attention(module.attention, instances)
    elif name == "rta":
        weights = np.mean([attention(unit, instances) for unit in module.filters], axis=0)
    elif name == "lstm-sau":
        instances = lstm(module.recurrent.lstm, instances)
        weights = attention(module.attention, instances)
    elif name == "bi-lstm-sau":
        ahead = lstm(module.recurrent.forwards, instances)
        back = lstm(module.recurrent.backwards, instances[::-1])[::-1]
        instances = np.concatenate([ahead, back], axis=1)
        weights = attention(module.attention, instances)
    else:
        distances = np.linalg.norm(instances[:, None] - instances[None], axis=-1)
        adjacency = np.exp(-distances) + np.eye(len(steps))
        degree = adjacency.sum(axis=1)
        normalized = adjacency / np.sqrt(degree[:, None] * degree[None])
        related = instances
        for layer in module.graph.layers:
            related = relu(linear(layer)(normalized @ related))
        instances = np.concatenate([instances, related], axis=1)
        weights = attention(module.attention, instances)
    return weights @ instances, weights


@pytest.mark.parametrize("name", ["average", "sau", "lstm-sau", "bi-lstm-sau", "rta", "caa"])
@pytest.mark.parametrize("length", [1, 5])
def test_every_aggregation_of_table_3_is_its_formula(name: str, length: int) -> None:
    torch.manual_seed(1)
    module = find_aggregation(name).build(DIM, variant=VARIANTS["paper"]).eval()
    padded, mask, steps = video(length)
    pooled, weights = module(padded, mask)
    expected, expected_weights = expected_pooling(name, module, steps)
    np.testing.assert_allclose(pooled[0].detach(), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(weights[0, :length].detach(), expected_weights, rtol=1e-4, atol=1e-6)
    assert not weights[0, length:].any()


def batch_norm(norm: nn.BatchNorm1d, rows: Floats) -> Floats:
    mean, variance, weight, bias = (
        getattr(norm, name).detach().double().numpy()
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    return (rows - mean) / np.sqrt(variance + norm.eps) * weight + bias


def skip_lstm(module: nn.Module, steps: Floats) -> Floats:
    """Return the last state of a skip LSTM: the gate says at every step whether the state is updated."""
    weights = {
        name: getattr(module.cell, name).detach().double().numpy()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    hidden = memory = np.zeros(module.cell.hidden_size)
    update = 1.0
    for step in steps:
        gates = (
            weights["weight_ih"] @ step
            + weights["bias_ih"]
            + weights["weight_hh"] @ hidden
            + weights["bias_hh"]
        )
        take, forget, new, give = np.split(gates, 4)
        if np.round(update) == 1:
            memory = sigmoid(forget) * memory + sigmoid(take) * np.tanh(new)
            hidden = sigmoid(give) * np.tanh(memory)
            update = sigmoid(linear(module.gate)(memory)).item()
        else:
            update = min(1.0, update + sigmoid(linear(module.gate)(memory)).item())
    return hidden


def expected_ms_lstm(module: MultiScaleLstm, steps: Floats) -> float:
    rows = batch_norm(module.norm.norm, relu(linear(module.conv)(steps)))
    logits = linear(module.attention.score[2])(np.tanh(linear(module.attention.score[0])(rows)))
    weights = np.stack([softmax(column) for column in logits.T])
    attended = lstm(module.attentive.lstm, batch_norm(module.attention.norm, weights @ rows))[-1]
    states = []
    for (kernel, stride), scale in zip(SCALES, module.scales, strict=True):
        filters = scale.conv.weight.detach().double().numpy()  # (hidden, dim, kernel)
        bias = scale.conv.bias.detach().double().numpy()
        filled = np.pad(rows, ((0, max(0, kernel - len(rows))), (0, 0)))
        starts = range(0, len(filled) - kernel + 1, stride)
        maps = np.array([np.einsum("hdk,kd->h", filters, filled[at : at + kernel]) + bias for at in starts])
        states.append(skip_lstm(scale.cell, batch_norm(scale.norm.norm, relu(maps))))
    merged = [
        relu(linear(branch)(state))
        for branch, state in zip(module.branches, [*states, attended], strict=True)
    ]
    hidden = relu(linear(module.regressor[0])(np.concatenate(merged)))
    return sigmoid(linear(module.regressor[2])(hidden)).item()


@pytest.mark.parametrize("length", [1, 3, 9, 14])
def test_ms_lstm_is_its_formula(length: int) -> None:
    torch.manual_seed(2)
    module = MultiScaleLstm({"segments": DIM}).eval()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.running_mean.normal_(std=0.2)
            layer.running_var.uniform_(0.5, 2)
    padded, mask, steps = video(length)
    score = module({"segments": padded}, {"segments": mask}).scores.item()
    assert score == pytest.approx(expected_ms_lstm(module, steps), abs=1e-5)


def test_self_attention_makes_fifty_weighted_sums() -> None:
    torch.manual_seed(0)
    module = SelfAttention(DIM).eval()
    padded, mask, steps = video(5)
    _, weights = module(padded, mask)
    assert weights.shape == (1, 50, 8)
    logits = linear(module.score[2])(np.tanh(linear(module.score[0])(steps)))
    np.testing.assert_allclose(
        weights[0, :, :5].detach(), [softmax(column) for column in logits.T], rtol=1e-4
    )


@pytest.mark.parametrize("num_steps", [4, 60])
def test_whitened_steps_have_unit_covariance(num_steps: int) -> None:
    """With fewer steps than dimensions only so many directions vary; the others stay zero."""
    steps = torch.randn(num_steps, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps = steps @ torch.randn(7, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 5
    mean, projection = principal_components(steps)
    white = ((steps - mean) @ projection).numpy()
    rank = min(num_steps - 1, 7)
    assert white.shape[1] == rank
    np.testing.assert_allclose(white.T @ white / num_steps, np.eye(rank), atol=1e-8)


def test_a_whitened_head_sees_what_was_fitted_and_padding_stays_zero() -> None:
    seen = {}

    class Spy(nn.Module):
        def forward(self, features, masks):
            seen.update(features)
            return "output"

    module = Whitened(Spy(), {"clips": 5}, {"clips": 3})
    draw = torch.Generator().manual_seed(0)
    features, lengths = torch.randn(6, 9, 5, generator=draw), torch.tensor([9, 4, 7, 9, 2, 5])
    mask = torch.arange(9) < lengths[:, None]
    module.fit({"clips": features}, {"clips": lengths})
    assert module({"clips": features}, {"clips": mask}) == "output"
    real = seen["clips"][mask].double().numpy()
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.cov(real.T, bias=True), np.eye(3), atol=1e-4)
    assert not seen["clips"][~mask].any()


@pytest.mark.parametrize("over_bins", ["sum", "mean"])
def test_the_loss_of_a_distribution_is_the_divergence(over_bins: str) -> None:
    logits = torch.randn(3, 101, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    targets = score_distribution(torch.tensor([0.0, 0.37, 1.0], dtype=torch.float64))
    p, q = targets.numpy(), np.array([softmax(row) for row in logits.numpy()])
    divergence = (p * np.log(p / q)).sum(axis=1)
    expected = divergence if over_bins == "sum" else divergence / 101
    np.testing.assert_allclose(distribution_loss(logits, targets, over_bins=over_bins), expected, rtol=1e-9)
    assert (divergence > 0).all()
    assert distribution_loss(targets.log(), targets).abs().max() < 1e-12
