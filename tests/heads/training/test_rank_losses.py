"""Rank losses: by their formulas, for every head that is trained by gradient, and as options of a fit."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from scipy.stats import spearmanr
from torch import Tensor, nn

import cli
from aqa_pipeline.errors import RunError
from heads.models.output import HeadOutput
from heads.models.score_distribution import expected_score
from heads.recipes import Optimization, RankLoss, Recipe
from heads.registry import OURS
from heads.runs.config import read_config
from heads.runs.trained_cell import cell_folder, read_cell, read_state
from heads.training.fit import fit
from heads.training.rank_losses import pairwise_hinge, rank_loss_of, soft_spearman

KINDS = ("hinge", "spearman")


def drawn(number: int, seed: int) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(seed)
    scores, labels = torch.randn(2, number, generator=draw, dtype=torch.double)
    labels[1] = labels[0]  # judges give equal scores
    return scores, labels


@pytest.mark.parametrize("seed", range(3))
def test_the_hinge_is_torchs_ranking_loss_of_each_pair(seed: int) -> None:
    scores, labels = drawn(7, seed)
    losses = [
        nn.functional.margin_ranking_loss(
            scores[i : i + 1], scores[j : j + 1], torch.ones(1), margin=float(labels[i] - labels[j])
        )
        for i, j in product(range(7), repeat=2)
        if labels[i] > labels[j]
    ]
    torch.testing.assert_close(pairwise_hinge(scores, labels), torch.stack(losses).mean())


def test_the_hinge_is_0_for_the_labels_themselves_and_for_equal_labels() -> None:
    scores, labels = drawn(7, 0)
    assert pairwise_hinge(labels, labels) == 0
    assert pairwise_hinge(scores, torch.ones(7)) == 0


@pytest.mark.parametrize("seed", range(3))
def test_soft_ranks_become_spearmans_correlation(seed: int) -> None:
    scores, labels = drawn(12, seed)
    expected = 1 - spearmanr(scores, labels).statistic
    assert soft_spearman(scores, labels, temperature=1e-5).item() == pytest.approx(expected, abs=1e-4)


def test_soft_spearman_is_its_formula() -> None:
    scores, labels = drawn(5, 1)
    unit = 0.3 * float(np.std(labels.numpy()))
    soft = [sum(1 / (1 + np.exp(-float(s - other) / unit)) for other in scores) for s in scores]
    ranks = [sum(float(y > other) + float(y == other) / 2 for other in labels) for y in labels]
    expected = 1 - np.corrcoef(soft, ranks)[0, 1]
    assert soft_spearman(scores, labels, temperature=0.3).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("loss", [pairwise_hinge, soft_spearman])
def test_gradients_are_finite_for_equal_scores_equal_labels_and_one_video(loss) -> None:
    for labels in (torch.arange(4.0), torch.ones(4), torch.ones(1)):
        scores = torch.zeros(len(labels), requires_grad=True)
        loss(scores, labels).backward()
        assert torch.isfinite(scores.grad).all()
        assert scores.grad.abs().max() < 1e3


@pytest.mark.parametrize("loss", [pairwise_hinge, soft_spearman])
def test_descent_puts_scores_in_order(loss) -> None:
    scores, labels = drawn(8, 2)
    scores.requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss(scores, labels).backward()
        optimizer.step()
    different = np.r_[0, 2:8]
    order = scores.detach().numpy()[different].argsort()
    assert np.array_equal(order, labels.numpy()[different].argsort())


def test_distributions_count_by_their_means_and_marks_by_the_mean_over_judges() -> None:
    logits = torch.randn(4, 7, 21, requires_grad=True)
    recipe = Recipe(1, 4, {"tubes": 1}, Optimization("adam", lr=1, head_lr=1), loss="judges")
    recipe = recipe.with_rank_loss(RankLoss("hinge", 2.0))
    marks = torch.rand(4, 7)
    found = rank_loss_of(HeadOutput(torch.zeros(4), {}, logits=logits), marks, recipe=recipe)
    expected = 2 * pairwise_hinge(expected_score(logits).mean(dim=1), marks.mean(dim=1))
    torch.testing.assert_close(found, expected)
    found.backward()
    assert (logits.grad != 0).any()


def test_the_expected_score_is_the_mean_of_the_distribution() -> None:
    probabilities = torch.tensor([[0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    assert expected_score(probabilities.log()).tolist() == pytest.approx([0.5, 1.0])


BY_GRADIENT = [
    name
    for name, head in OURS.items()
    if not head.reads_maps
    and name != "stack"  # its network is trained as `action-net` is
    and not head.choose_recipe(
        "folder", "all", head.variants[0], {s: [9] for s in head.streams}
    ).is_closed_form
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BY_GRADIENT)
def test_every_head_that_is_trained_by_gradient_learns_by_it(name: str, kind: str) -> None:
    head = OURS[name]
    torch.manual_seed(0)
    module = head.build(dict.fromkeys(head.streams, 12), "adapted").train()
    recipe = head.choose_recipe("folder", "all", "adapted", {s: [16] for s in head.streams})
    features = {stream: torch.randn(8, 16, 12) for stream in head.streams}
    output = module(features, {s: torch.ones(8, 16, dtype=torch.bool) for s in head.streams})
    loss = rank_loss_of(output, torch.randn(8), recipe=recipe.with_rank_loss(RankLoss(kind)))
    loss.backward()
    gradients = [each.grad for each in module.parameters() if each.grad is not None]
    assert any((each != 0).any() for each in gradients)
    assert all(torch.isfinite(each).all() for each in gradients)


def weights_of(run: Path) -> dict[str, Tensor]:
    return read_state(cell_folder(run, split="first", seed=0))


def test_a_rank_loss_changes_the_training_and_its_absence_changes_nothing(world, tmp_path: Path) -> None:
    plain = {"head": "lstm", "streams": ("segments",), "epochs": 2}
    fit(world.request(tmp_path / "plain", **plain))
    fit(world.request(tmp_path / "none", **plain, rank_loss=None))
    fit(world.request(tmp_path / "rank", **plain, rank_loss=RankLoss("spearman", 0.5)))
    before, same, other = (weights_of(tmp_path / name) for name in ("plain", "none", "rank"))
    assert all(torch.equal(before[name], same[name]) for name in before)
    assert not all(torch.equal(before[name], other[name]) for name in before)
    losses = [read_cell(tmp_path / n, split="first", seed=0).epochs[0].loss for n in ("plain", "rank")]
    assert losses[1] > losses[0]


@pytest.mark.parametrize(
    ("head", "kind", "message"),
    [
        (
            "svr-average",
            "hinge",
            r"svr-average \(paper\) takes no such rank loss: the head is fitted at once",
        ),
        ("wd", "spearman", r"wd \(paper\) takes .*: batches have 2 videos, and spearman compares 3\."),
    ],
)
def test_what_cannot_use_a_rank_loss_is_refused(
    world, tmp_path: Path, head: str, kind: str, message: str
) -> None:
    request = world.request(
        tmp_path / "run", head=head, streams=("segments",), epochs=None, rank_loss=RankLoss(kind)
    )
    with pytest.raises(RunError, match=message):
        fit(request)


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_takes_a_rank_loss_and_repeats_it(club, tmp_path: Path) -> None:
    words = (
        "fit",
        *club.options,
        "--head",
        "wd-average",
        "--split",
        "given",
        "--seeds",
        "0",
        "--epochs",
        "2",
    )
    given = ("--variant", "paper", "--device", "cpu", "--threads", "1", "--no-baselines")
    run, again = tmp_path / "run", tmp_path / "again"
    fitted = aqa(*words, *given, "--rank-loss", "hinge", "--rank-loss-weight", "0.3", "--out", run)
    assert fitted.exit_code == 0, fitted.output
    config = read_config(run)
    assert config.training.rank_loss == config.splits["given"].recipe.rank_loss == RankLoss("hinge", 0.3)
    assert aqa("fit", "--repeat", run, "--out", again).exit_code == 0
    first, second = ((each / "split-given/seed-0/model.safetensors").read_bytes() for each in (run, again))
    assert first == second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rank-loss-weight", "2"), "--rank-loss-weight goes with --rank-loss only."),
        (
            ("--rank-loss", "hinge", "--rank-loss-weight", "inf"),
            "has the weight inf: expected a number above 0",
        ),
        (("--rank-loss", "hinge", "--rank-loss-weight", "0"), "0 is not in the range x>0"),
    ],
)
def test_wrong_words_are_explained(club, options: tuple[str, ...], message: str) -> None:
    result = aqa("fit", *club.options, "--head", "wd-average", *options)
    assert result.exit_code == 2
    assert message in result.output
