"""GDLT: the authors' numbers, its formulas one number at a time, and what counts as a step."""

import json
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from heads.models.likert.gdlt import Gdlt
from heads.models.likert.triplet import triplet_losses
from heads.models.likert.trunk import attention_of, grade_transformer, likert_score
from heads.recipes.likert import gdlt_recipe
from heads.training.methods.losses import losses_of
from heads.training.methods.optimizer import make_optimizer

RECIPE = gdlt_recipe("rhythmic-gymnastics", "ball", "released", {"segments": [68]})


def without_dropout(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return network


def seen(features: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    return {"segments": features}, {"segments": torch.ones(features.shape[:2], dtype=torch.bool)}


def test_released_gives_the_authors_numbers(shared: Path, golden_inputs: ModuleType, fill) -> None:
    """Scores, loss and its parts, five SGD steps and what they leave behind."""
    expected = json.loads((shared / "golden" / "field_heads_golden.json").read_text())["gdlt"]
    net = without_dropout(Gdlt({"segments": 1024}, variant="released")).eval()
    fill(net, expected["state"])
    assert {name: list(each.shape) for name, each in net.state_dict().items()} == expected["state"]
    assert sum(each.numel() for each in net.parameters()) == expected["params"]
    four = seen(torch.from_numpy(golden_inputs.features((4, 68, 1024), 31)))
    one = seen(torch.from_numpy(golden_inputs.features((1, 75, 1024), 32)))
    targets = torch.tensor([0.2, 0.4, 0.6, 0.8])
    with torch.no_grad():
        output, longer = net(*four), net(*one)
    near = {"rtol": 0, "atol": 3e-7}
    torch.testing.assert_close(output.scores, torch.tensor(expected["scores"]), **near)
    torch.testing.assert_close(longer.scores, torch.tensor(expected["scores_t75"]), **near)
    squared = losses_of(output, targets, recipe=RECIPE).mean()
    assert squared.item() == pytest.approx(expected["mse"], abs=3e-7)
    assert output.penalty.mean().item() == pytest.approx(expected["triplet"], abs=3e-7)
    assert (squared + output.penalty.mean()).item() == pytest.approx(expected["loss"], abs=3e-7)

    optimizer, losses = make_optimizer(net.train(), RECIPE.optimization), []
    for _ in expected["train_losses"]:
        output = net(*four)
        loss = (losses_of(output, targets, recipe=RECIPE) + output.penalty).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(expected["train_losses"], abs=5e-7)
    with torch.no_grad():
        after = net.eval()(*four).scores
    torch.testing.assert_close(after, torch.tensor(expected["scores_after_5_steps"]), rtol=0, atol=1e-6)
    running = net.in_proj[1].running_mean[:6]
    torch.testing.assert_close(running, torch.tensor(expected["running_mean_after"]), rtol=0, atol=1e-6)


def test_the_trunk_is_torchs_transformer() -> None:
    """The decoder is written out for its attention; with padding it must agree with torch's own."""
    torch.manual_seed(0)
    transformer = grade_transformer(8, num_heads=2, dropout=0.0).eval()
    net = Gdlt({"segments": 6}).eval()
    net.transformer, net.prototype = transformer, nn.Embedding(4, 8)
    net.in_proj, net.regressor = nn.Sequential(nn.Conv1d(6, 8, 1)), nn.Linear(8, 4)
    features, mask = torch.randn(2, 5, 6), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    with torch.no_grad():
        output = net({"segments": features}, {"segments": mask})
        memory = transformer.encoder(net.in_proj(features.mT).mT, src_key_padding_mask=~mask)
        grades = transformer.decoder(
            net.prototype.weight.expand(2, -1, -1), memory, memory_key_padding_mask=~mask
        )
        expected, _ = likert_score(net.regressor(grades), torch.linspace(0, 1, 4))
    torch.testing.assert_close(output.scores, expected)


def test_a_likert_score_is_a_mean_of_grades_by_their_responses() -> None:
    outputs = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
    scores, shares = likert_score(outputs, torch.tensor([0, 1 / 3, 2 / 3, 1]))
    for video in range(3):
        responses = [1 / (1 + (-outputs[video, grade, grade]).exp()).item() for grade in range(4)]
        score = sum(r * g / 3 for g, r in enumerate(responses)) / sum(responses)
        assert scores[video].item() == pytest.approx(score, rel=1e-5)
        assert shares[video].tolist() == pytest.approx([r / sum(responses) for r in responses], rel=1e-5)
    weights = torch.rand(3, 4, 6).softmax(dim=-1)
    expected = sum(shares[:, grade, None] * weights[:, grade] for grade in range(4))
    torch.testing.assert_close(attention_of(shares, weights), expected)


@pytest.mark.parametrize("with_positives", [True, False])
def test_the_triplet_loss_follows_its_formula(with_positives: bool) -> None:
    embeddings = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(1))
    places = list(product(range(3), range(4)))

    def distance(a: tuple[int, int], b: tuple[int, int]) -> float:
        return 1 - nn.functional.cosine_similarity(embeddings[a], embeddings[b], dim=0).item()

    losses = [0.0] * 3
    for anchor in places:
        alike = [p for p in places if p != anchor and p[1] == anchor[1] and with_positives]
        others = [p for p in places if p != anchor and p not in alike]
        hardest = max((distance(anchor, p) for p in alike), default=0.0)
        losses[anchor[0]] += max(0, hardest - min(distance(anchor, p) for p in others) + 1) / 4
    found = triplet_losses(embeddings, with_positives=with_positives)
    assert found.tolist() == pytest.approx(losses, abs=1e-5)


@pytest.mark.parametrize(("variant", "counts"), [("released", True), ("paper", False), ("adapted", False)])
def test_padding_counts_in_the_training_of_the_released_code_alone(variant: str, counts: bool) -> None:
    torch.manual_seed(0)
    net = without_dropout(Gdlt({"segments": 6}, variant=variant)).train()
    features, masks = seen(torch.randn(3, 5, 6))
    padded = {"segments": nn.functional.pad(features["segments"], (0, 0, 0, 4))}
    real = {"segments": nn.functional.pad(masks["segments"], (0, 4))}
    plain, filled = net(features, masks), net(padded, real)
    differs = (plain.scores - filled.scores).abs().max().item()
    assert differs > 1e-4 if counts else differs < 1e-6
    before, after = (output.scores for output in (net.eval()(features, masks), net(padded, real)))
    torch.testing.assert_close(before, after)


def test_learning_rates_are_those_of_cosine_annealing() -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, RECIPE.epochs, eta_min=1e-4)
    for epoch in range(1, RECIPE.epochs + 1):
        assert 0.01 * RECIPE.optimization.decay(epoch) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(("split", "epochs"), [("Ball", 250), ("Clubs", 400), ("Hoop", 500), ("Ribbon", 150)])
def test_recipes_are_the_authors(split: str, epochs: int) -> None:
    recipe = gdlt_recipe("rhythmic-gymnastics", split, "released", {"segments": [67, 77, 70]})
    assert (recipe.epochs, recipe.batch_size, dict(recipe.num_steps)) == (epochs, 32, {"segments": 68})
    assert (recipe.windows, recipe.unit) == ("cropped", "25-points")
    paper = gdlt_recipe("rhythmic-gymnastics", split, "paper", {"segments": [67, 77, 70]})
    assert (paper.windows, paper.unit) == ("paper", "range")
    # Longer segments make fewer steps, which zeros would outnumber.
    short = gdlt_recipe("rhythmic-gymnastics", split, "released", {"segments": [28, 30, 30]})
    assert dict(short.num_steps) == {"segments": 27}
    assert dict(gdlt_recipe("folder", "all", "paper", {"clips": [100]}).num_steps) == {"clips": 90}
