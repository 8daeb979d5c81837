"""What TSA-Net has on top: score distributions by SciPy, and the MLP's tasks."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.models.score_distribution import (
    distribution_loss,
    execution_score,
    judge_distributions,
    likeliest_score,
    score_distribution,
)
from heads.models.score_mlp import TASKS, JudgePanel, ScoreMlp, clip_average

# --- Score distributions ---------------------------------------------------------------------------------


def test_targets_are_normal_densities_that_sum_to_one() -> None:
    """E4: N(score * 100/104.5, sigma 5) at the bins 0..100, renormalised."""
    raw = np.array([0.0, 46.2, 104.5])
    targets = score_distribution(torch.from_numpy(raw / 104.5))
    for score, target in zip(raw, targets.numpy(), strict=True):
        density = norm.pdf(np.arange(101), loc=score * 100 / 104.5, scale=5)
        np.testing.assert_allclose(target, density / density.sum(), atol=1e-12)


def test_judges_targets_have_half_point_bins() -> None:
    targets = judge_distributions(torch.tensor([[7.5, 0.0]], dtype=torch.float64))
    density = norm.pdf(np.arange(21), loc=15, scale=5)
    np.testing.assert_allclose(targets[0, 0].numpy(), density / density.sum(), atol=1e-12)
    assert targets.shape == (1, 2, 21)


@pytest.mark.parametrize("shape", [(3, 101), (3, 7, 21)])
def test_the_loss_is_torchs_default_per_video(shape: tuple[int, ...]) -> None:
    """`nn.KLDivLoss()` averages over all elements, and warns of it: hence the formula."""
    torch.manual_seed(0)
    scores = torch.rand(shape[:-1], dtype=torch.float64)
    logits, targets = torch.randn(shape, dtype=torch.float64), score_distribution(scores, num_bins=shape[-1])
    log_p = logits.log_softmax(dim=-1)
    whole = (targets * (targets.log() - log_p)).mean()
    losses = distribution_loss(logits, targets)
    assert losses.shape == (3,)
    torch.testing.assert_close(losses.mean(), whole)
    torch.testing.assert_close(
        distribution_loss(logits, targets, over_bins="sum"), losses * targets[0].numel()
    )


def test_a_perfect_prediction_costs_nothing_and_says_the_score() -> None:
    normalised = torch.tensor([0.0, 0.37, 1.0], dtype=torch.float64)
    targets = score_distribution(normalised)
    assert distribution_loss(targets.log(), targets).abs().max() < 1e-12
    torch.testing.assert_close(likeliest_score(targets.log()).double(), normalised)


def test_the_likeliest_bin_counts_not_the_mean() -> None:
    logits = torch.zeros(101)
    logits[80] = 1.0
    assert likeliest_score(logits).item() == pytest.approx(0.8)


def test_of_seven_judges_the_middle_three_count() -> None:
    scores = torch.tensor([[9.5, 3.0, 7.0, 7.5, 8.0, 0.5, 10.0]])
    logits = judge_distributions(scores).log()
    assert execution_score(logits).item() == pytest.approx(7.0 + 7.5 + 8.0, rel=1e-6)
    with pytest.raises(ValueError, match="6 judges have no middle three"):
        execution_score(logits[:, :6])


# --- The MLP ---------------------------------------------------------------------------------------------


def linear_sizes(net: nn.Module) -> list[tuple[int, int]]:
    return [(m.in_features, m.out_features) for m in net.modules() if isinstance(m, nn.Linear)]


@pytest.mark.parametrize(
    ("task", "num_outputs"), [("regression", 1), ("classification", 1), ("distribution", 101)]
)
def test_the_mlp_has_the_papers_sizes(task: str, num_outputs: int) -> None:
    net = ScoreMlp(task=task)
    assert linear_sizes(net) == [(1024, 256), (256, 128), (128, num_outputs)]
    outputs = net(torch.randn(2, 10, 1024))
    assert outputs.shape == (2, num_outputs)
    scores = TASKS[task].score(outputs)
    assert scores.shape == (2,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_losses_of_the_tasks_by_their_formulas() -> None:
    outputs, targets = torch.tensor([[0.3], [-1.2]]), torch.tensor([1.0, 0.0])
    p = torch.tensor([1 / (1 + np.exp(-0.3)), 1 / (1 + np.exp(1.2))], dtype=torch.float32)
    torch.testing.assert_close(TASKS["regression"].loss(outputs, targets), (p - targets) ** 2)
    cross_entropy = -torch.stack([p[0].log(), (1 - p[1]).log()])
    torch.testing.assert_close(TASKS["classification"].loss(outputs, targets), cross_entropy)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_learns_a_planted_score(task: str) -> None:
    torch.manual_seed(1)
    quality = torch.rand(64)
    targets = (quality > 0.5).float() if task == "classification" else quality
    features = torch.randn(64, 4, 16) * 0.3 + quality[:, None, None]
    net = JudgePanel(dim=16) if task == "judges" else ScoreMlp(task=task, dim=16)
    chosen, told = TASKS[task], targets[:, None].expand(64, 7) if task == "judges" else targets
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    first, last = (_train(net, chosen.loss, features, told, optimizer, steps) for steps in (1, 120))
    assert last < first / 2
    correlation = np.corrcoef(chosen.score(net(features)).detach().numpy(), targets.numpy())[0, 1]
    assert correlation > 0.8


def _train(net: nn.Module, loss, features: Tensor, targets: Tensor, optimizer, steps: int) -> float:
    for _ in range(steps):
        value = loss(net(features), targets).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return value.item()


def test_padded_clips_do_not_count() -> None:
    features = torch.randn(3, 5, 8)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=torch.bool)
    features[~mask] = torch.nan
    average = clip_average(features, mask)
    torch.testing.assert_close(average[0], features[0].mean(dim=0))
    torch.testing.assert_close(average[1], features[1, :2].mean(dim=0))
    assert not average[2].any()
    torch.testing.assert_close(clip_average(features[:1]), average[:1])


def test_unknown_tasks_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"task of a score 'regresion'. Did you mean 'regression'"):
        ScoreMlp(task="regresion")
