"""CoFInAl: the authors' numbers, its simplex, targets and loss, and whom its attention sees."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch

from aqa_pipeline.errors import UnknownName
from heads.models.likert.coarse_to_fine import coarse_and_fine, coarse_to_fine_loss, final_score, fine_outputs
from heads.models.likert.cofinal import GRADE_TABLES, CoFInAl
from heads.models.likert.simplex import simplex
from heads.models.likert.trunk import grade_embeddings
from heads.models.output import HeadOutput
from heads.recipes.likert import FIS_V_NETWORK, cofinal_recipe
from heads.registry import find_head
from heads.training.methods.losses import losses_of

STEPS = {"segments": [68]}
NEAR = {"rtol": 0, "atol": 3e-7}


def test_released_gives_the_authors_numbers(shared: Path, golden_inputs: ModuleType, fill) -> None:
    """The authors' numbers are of a batch of four in testing, whose videos attend to each other."""
    expected = json.loads((shared / "golden" / "more_heads_golden.json").read_text())["cofinal"]
    net = CoFInAl({"segments": 1024}, variant="released", grades="skewed").eval()
    assert {name: list(each.shape) for name, each in net.state_dict().items()} == expected["state"]
    assert sum(each.numel() for each in net.parameters()) == expected["params"]
    vertices = net.etf_vec1.clone()
    torch.testing.assert_close(vertices[0, :6], torch.tensor(expected["etf_first"]), **NEAR)
    assert (vertices[:, 0] @ vertices[:, 1]).item() == pytest.approx(expected["etf_gram01"], abs=3e-7)
    fill(net, expected["state"])
    net.etf_vec1.copy_(vertices)

    features = {"segments": torch.from_numpy(golden_inputs.features((4, 68, 1024), 61))}
    masks = {"segments": torch.ones(4, 68, dtype=torch.bool)}
    with torch.no_grad():
        output = net(features, masks)
        embeddings, _ = grade_embeddings(
            net.in_proj, net.transformer, net.prototype.weight, features["segments"], masks["segments"]
        )
        vectors = net.fine_vectors(embeddings, among="videos")
    positive, negative = output.logits[:, 0], output.logits[:, 1]
    torch.testing.assert_close(positive, torch.tensor(expected["positive"]), **NEAR)
    torch.testing.assert_close(negative, torch.tensor(expected["negative"]), **NEAR)
    torch.testing.assert_close((vectors @ vertices)[0, :6], torch.tensor(expected["dots_first"]), **NEAR)
    scores = final_score(positive, negative, vectors, vertices)
    torch.testing.assert_close(scores, torch.tensor(expected["scores"]), **NEAR)

    targets = torch.tensor([0.2, 0.4, 0.6, 0.8])
    assert coarse_and_fine(targets)[0].tolist() == pytest.approx(expected["target_coarse"])
    assert coarse_and_fine(targets)[1].tolist() == expected["fine_index"]
    supervised = coarse_to_fine_loss(fine_outputs(positive, negative, vectors, vertices), targets).mean()
    losses = (supervised + output.penalty.mean(), supervised, output.penalty.mean())
    assert [each.item() for each in losses] == pytest.approx(expected["loss"], abs=5e-7)


def test_vertices_of_the_simplex_are_at_equal_angles() -> None:
    products = (simplex(7, seed=3).T @ simplex(7, seed=3)).double()
    expected = torch.eye(7, dtype=torch.float64) * (1 + 1 / 6) - 1 / 6
    torch.testing.assert_close(products, expected, rtol=0, atol=1e-6)
    assert not torch.equal(simplex(7, seed=3), simplex(7, seed=4))


def test_scores_are_cut_into_hundredths_and_what_is_beyond() -> None:
    coarse, fine = coarse_and_fine(torch.tensor([0.8765, 0.0, 0.9999, 1.0, 0.05]))
    assert coarse.tolist() == pytest.approx([0.87, 0, 0.99, 1.0, 0.05])
    assert fine.tolist() == [65, 0, 99, 0, 0]


def test_the_loss_follows_its_formula() -> None:
    draw = torch.Generator().manual_seed(0)
    vectors, vertices = torch.randn(2, 100, generator=draw), simplex()
    positive, negative = torch.tensor([0.3, 0.9]), torch.tensor([0.6, 0.2])
    outputs = fine_outputs(positive, negative, vectors, vertices)
    found = coarse_to_fine_loss(outputs, torch.tensor([0.2517, 0.8]))
    for video, (coarse, fine) in enumerate(((0.25, 17), (0.8, 0))):
        squared = (positive[video] - coarse) ** 2 + (negative[video] - (1 - coarse)) ** 2
        to_vertex = sum(abs(vectors[video, k] - vertices[k, fine]) for k in range(100)) / 100
        assert found[video].item() == pytest.approx((squared + to_vertex).item(), rel=1e-5)


def test_targets_in_standard_units_are_brought_to_the_unit_interval() -> None:
    """Three deviations below the mean are 0, three above are 1; what lies beyond counts as these."""
    recipe = find_head("cofinal").choose_recipe("folder", "all", "adapted", STEPS)
    outputs = torch.rand(4, 102, generator=torch.Generator().manual_seed(0))
    found = losses_of(
        HeadOutput(outputs[:, 0], {}, logits=outputs), torch.tensor([-3.0, 0, 1.5, 9]), recipe=recipe
    )
    torch.testing.assert_close(found, coarse_to_fine_loss(outputs, torch.tensor([0, 0.5, 0.75, 1])))


def test_the_released_attention_sees_the_batch_in_training_and_nothing_in_testing() -> None:
    torch.manual_seed(0)
    net = CoFInAl({"segments": 6}, variant="released").eval()
    embeddings = torch.randn(5, 4, 256)
    changed = torch.cat([embeddings[:4], torch.randn(1, 4, 256)])
    with torch.no_grad():
        for among, sees in (("videos", True), ("grades", False), ("itself", False)):
            first, second = (net.fine_vectors(each, among=among)[0] for each in (embeddings, changed))
            assert torch.allclose(first, second, atol=1e-6) != sees
        alone = net.fine_vectors(embeddings[:1], among="videos")
        assert torch.allclose(alone, net.fine_vectors(embeddings, among="itself")[:1], atol=1e-6)


@pytest.mark.parametrize(
    ("split", "epochs", "network"),
    [
        ("Ball", 250, {"grades": "skewed"}),
        ("Clubs", 400, {"grades": "signed"}),
        ("Hoop", 300, {"grades": "skewed", "with_positives": False}),
        ("Ribbon", 150, {"grades": "signed"}),
    ],
)
def test_recipes_are_the_authors(split: str, epochs: int, network: dict) -> None:
    recipe = cofinal_recipe("rhythmic-gymnastics", split, "released", STEPS)
    assert (recipe.epochs, recipe.network, recipe.loss) == (epochs, network, "coarse-to-fine")


def test_the_network_for_figure_skating_is_wider() -> None:
    assert cofinal_recipe("fis-v", "all", "paper", STEPS).network == FIS_V_NETWORK
    net = CoFInAl({"segments": 6}, **FIS_V_NETWORK).eval()
    features = {"segments": torch.rand(2, 3, 6)}
    output = net(features, {"segments": torch.ones(2, 3, dtype=torch.bool)})
    assert net.regressor.weight.shape == (4, 448)
    assert torch.isfinite(output.logits).all()


def test_grades_are_even_for_own_videos_and_unknown_tables_are_refused() -> None:
    even = find_head("cofinal").build({"segments": 6}, "adapted")
    assert even.values.tolist() == pytest.approx(GRADE_TABLES["even"][0])
    assert all(len(one) == len(two) == 4 for one, two in GRADE_TABLES.values())
    with pytest.raises(UnknownName, match=r"unknown table of grades 'evens'. Did you mean 'even'"):
        CoFInAl({"segments": 6}, grades="evens")
    with pytest.raises(ValueError, match="a width of 10 cannot be divided among 3 attention heads"):
        CoFInAl({"segments": 6}, width=10, num_heads=3)
