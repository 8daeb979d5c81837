"""CoRe: the authors' numbers, the groups by their definition, and the choice of exemplars."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from heads.data.batches import video_key
from heads.data.streams import VIDEO_DIFFICULTIES, VIDEO_KEYS
from heads.models.mean_vector.core import ContrastiveHead
from heads.models.mean_vector.exemplars import NUM_VOTERS
from heads.models.mean_vector.leaves import difference_at, divide_into_leaves, leaf_losses, place
from heads.models.mean_vector.regression_tree import RegressionTree
from heads.models.output import Pairs
from heads.recipes.field import core_recipe
from heads.training.methods.losses import LOSSES_OF_PAIRS
from heads.training.methods.optimizer import make_optimizer

FIRST, SECOND = (
    torch.tensor([55.0, 82.5, 31.0]),
    torch.tensor([60.0, 40.0, 31.0]),
)  # scores of the golden pairs


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict:
    return json.loads((shared / "golden" / "field_heads_golden.json").read_text())["core"]


@pytest.fixture
def tree(expected: dict, fill) -> RegressionTree:
    tree = RegressionTree(2 * 1024 + 1)
    fill(tree, expected["state"])
    assert sum(each.numel() for each in tree.parameters()) == expected["params"]
    return tree


@pytest.fixture(scope="module")
def leaves(expected: dict) -> Tensor:
    scores = torch.tensor(expected["scores"], dtype=torch.double)
    one, other = torch.triu_indices(30, 30, offset=1)
    return divide_into_leaves(scores[one] - scores[other], num_leaves=16, largest=100.0)


def both_orders(inputs: ModuleType) -> Tensor:
    """Return the golden rows: the first video as the exemplar of the second, then the other way."""
    first, second = (torch.from_numpy(inputs.features((3, 1024), seed)) for seed in (41, 42))
    return torch.cat(
        [
            torch.cat([first, second, FIRST[:, None] / 100], dim=1),
            torch.cat([second, first, SECOND[:, None] / 100], dim=1),
        ]
    )


def relative(tree: RegressionTree, rows: Tensor, leaves: Tensor) -> Tensor:
    with torch.no_grad():
        log_probabilities, positions = tree(rows)
    leaf = log_probabilities.argmax(dim=1)
    return difference_at(leaf, positions.gather(1, leaf[:, None]).squeeze(1), leaves)


def test_groups_are_the_authors(expected: dict, leaves: Tensor) -> None:
    torch.testing.assert_close(
        leaves, torch.tensor(expected["group"], dtype=torch.double), rtol=0, atol=1e-12
    )


def test_the_tree_gives_the_authors_numbers(
    expected: dict, tree: RegressionTree, leaves: Tensor, golden_inputs: ModuleType
) -> None:
    rows = both_orders(golden_inputs)
    log_probabilities, positions = tree(rows)
    close = {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(log_probabilities, torch.tensor(expected["leaf_log_prob"]), **close)
    torch.testing.assert_close(positions, torch.tensor(expected["delta"]), **close)
    found = relative(tree, rows, leaves.float())
    torch.testing.assert_close(found, torch.tensor(expected["relative"]), **close)


def test_five_steps_are_those_of_the_authors(
    expected: dict, tree: RegressionTree, leaves: Tensor, golden_inputs: ModuleType
) -> None:
    """Adam divides by gradients near 0, so that the last bits of float32 grow from step to step."""
    rows, losses = both_orders(golden_inputs), []
    recipe = core_recipe("mtl-aqa", "all", "released", {"clips": [10]})
    optimizer = make_optimizer(tree, recipe.optimization)
    for _ in range(5):
        (first, second), (at_first, at_second) = (each.split(3) for each in tree(rows))
        pairs = Pairs(
            torch.stack([second, first]), torch.stack([at_second, at_first]), SECOND, leaves.float()
        )
        loss = leaf_losses(pairs, FIRST, in_batch=True, released=True).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[0] == pytest.approx(expected["loss"], rel=1e-6)
    assert losses == pytest.approx(expected["losses"], rel=1e-5)
    after = relative(tree, rows, leaves.float())
    torch.testing.assert_close(after, torch.tensor(expected["relative_after_5_steps"]), rtol=1e-4, atol=1e-4)


def test_places_are_the_authors_with_their_fault(expected: dict, leaves: Tensor) -> None:
    differences = torch.tensor(expected["label_in"], dtype=torch.double)
    places = place(differences, leaves, released=True)
    rows = torch.tensor(expected["label_leaf"])
    assert torch.equal(places.leaf, rows.argmax(dim=1))
    assert torch.equal(places.counted, rows.any(dim=1))
    positions = torch.tensor(expected["label_position"], dtype=torch.double).max(dim=1).values
    torch.testing.assert_close(
        places.position[places.counted], positions[places.counted], rtol=1e-6, atol=1e-7
    )


def test_without_the_fault_the_range_lies_at_the_outer_ends(leaves: Tensor) -> None:
    places = place(torch.tensor([100.0, -100.0, 130.0], dtype=torch.double), leaves, released=False)
    assert places.leaf.tolist() == [15, 0, 15]
    assert places.position.tolist() == [1, 0, 1]
    assert places.counted.all()


def test_a_place_and_its_difference_are_inverse(leaves: Tensor) -> None:
    differences = torch.linspace(-99, 99, 397, dtype=torch.double)
    leaf, position, _ = place(differences, leaves, released=False)
    assert ((position >= 0) & (position <= 1)).all()
    torch.testing.assert_close(difference_at(leaf, position, leaves), differences)


def test_positive_groups_hold_equally_many_differences() -> None:
    differences = torch.randn(800, generator=torch.Generator().manual_seed(0))
    leaves = divide_into_leaves(differences, num_leaves=16, largest=50.0)
    sizes = place(differences.abs(), leaves, released=False).leaf.bincount(minlength=16)[8:]
    assert sizes.max() - sizes.min() <= 2


def test_a_pair_alone_and_the_batch_differ_where_pairs_share_a_leaf(leaves: Tensor) -> None:
    """In a batch, errors of one leaf are averaged: two pairs of the same leaf count half each."""
    pairs = Pairs(torch.zeros(2, 2, 16), torch.ones(2, 2, 16), torch.zeros(2), leaves.float())
    targets = torch.tensor([1.0, 2.0])  # both in the first positive leaf, or mirrored
    alone = LOSSES_OF_PAIRS["leaves"](pairs, targets)
    together = LOSSES_OF_PAIRS["leaves-in-batch"](pairs, targets)
    torch.testing.assert_close(together.mean(), alone.mean())
    apart = torch.tensor([1.0, 99.0])
    alone = LOSSES_OF_PAIRS["leaves"](pairs, apart)
    torch.testing.assert_close(LOSSES_OF_PAIRS["leaves-in-batch"](pairs, apart).mean(), alone.sum())


NUM, DIM = 30, 6


def head_of(difficulties: Tensor | None = None) -> ContrastiveHead:
    torch.manual_seed(0)
    head = ContrastiveHead({"clips": DIM}).eval()
    keys = torch.tensor([video_key(f"video-{number}") for number in range(NUM)])
    vectors, scores = torch.randn(NUM, DIM), torch.rand(NUM)
    head.remember(vectors, scores, keys=keys, difficulties=difficulties, seed=3, score_range=1.0)
    return head


def inputs_of(names: list[str]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    steps = torch.randn(len(names), 4, DIM, generator=torch.Generator().manual_seed(1))
    keys = torch.tensor(list(map(video_key, names)))
    return {"clips": steps, VIDEO_KEYS: keys}, {"clips": torch.ones(len(names), 4, dtype=torch.bool)}


def test_voters_are_the_same_each_time_and_differ_between_videos_and_seeds() -> None:
    head, (features, masks) = head_of(), inputs_of(["new", "other"])
    admissible = head.exemplars.admissible(features[VIDEO_KEYS], None)
    voters, counted = head.exemplars.voters(features[VIDEO_KEYS], admissible)
    assert voters.shape == (2, NUM_VOTERS)
    assert counted.all()
    assert all(len(set(row)) == NUM_VOTERS for row in voters.tolist())
    assert set(voters[0].tolist()) != set(voters[1].tolist())
    assert torch.equal(head(features, masks).scores, head(features, masks).scores)
    head.exemplars.seed.fill_(4)
    again, _ = head.exemplars.voters(features[VIDEO_KEYS], admissible)
    assert set(again[0].tolist()) != set(voters[0].tolist())


def test_all_exemplars_vote_about_equally_often() -> None:
    head = head_of()
    keys = torch.tensor([video_key(str(number)) for number in range(3000)])
    voters, _ = head.exemplars.voters(keys, head.exemplars.admissible(keys, None))
    shares = voters.flatten().bincount(minlength=NUM) / len(keys)
    assert (shares - NUM_VOTERS / NUM).abs().max() < 0.04


def test_a_video_is_never_its_own_exemplar() -> None:
    head, (features, _) = head_of(), inputs_of(["video-7", "video-0"])
    admissible = head.exemplars.admissible(features[VIDEO_KEYS], None)
    voters, _ = head.exemplars.voters(features[VIDEO_KEYS], admissible)
    assert 7 not in voters[0]
    assert 0 not in voters[1]
    drawn = {int(head.exemplars.draw(admissible)[0]) for _ in range(400)}
    assert drawn == set(range(NUM)) - {7}


def test_exemplars_have_the_videos_difficulty_or_the_nearest_one() -> None:
    difficulties = torch.tensor([2.0, 2.5, 3.0]).repeat(10)
    head, (features, masks) = head_of(difficulties), inputs_of(["new", "video-1", "rare"])
    asked = torch.tensor([3.0, 2.5, 9.9])
    admissible = head.exemplars.admissible(features[VIDEO_KEYS], asked)
    assert [set(difficulties[row].tolist()) for row in admissible] == [{3.0}, {2.5}, {3.0}]
    voters, counted = head.exemplars.voters(features[VIDEO_KEYS], admissible)
    assert counted.sum(dim=1).tolist() == [10, 9, 10]
    assert all(difficulties[voters[row]][counted[row]].unique().numel() == 1 for row in range(3))
    scores = head({**features, VIDEO_DIFFICULTIES: asked}, masks).scores
    assert not torch.equal(scores, head(features, masks).scores)


def test_the_score_is_the_mean_of_the_voters_scores_plus_the_differences() -> None:
    head, (features, masks) = head_of(), inputs_of(["new"])
    voters, _ = head.exemplars.voters(
        features[VIDEO_KEYS], head.exemplars.admissible(features[VIDEO_KEYS], None)
    )
    target, scores = features["clips"].mean(dim=1)[0], []
    for voter in voters[0]:
        exemplar, score = head.exemplars.vectors[voter], head.exemplars.scores[voter]
        with torch.no_grad():
            log_probabilities, positions = head.regressor(torch.cat([exemplar, target, score[None]])[None])
        leaf = int(log_probabilities.argmax())
        left, right = head.leaves[leaf]
        scores.append(score + left + (right - left) * positions[0, leaf])
    torch.testing.assert_close(head(features, masks).scores[0], torch.stack(scores).mean())


def test_groups_come_from_pairs_of_one_difficulty() -> None:
    difficulties = torch.tensor([1.0, 2.0]).repeat(NUM // 2)
    head = head_of(difficulties)
    scores = head.exemplars.scores
    pairs = [
        scores[one] - scores[other]
        for one in range(NUM)
        for other in range(one + 1, NUM)
        if difficulties[one] == difficulties[other]
    ]
    torch.testing.assert_close(
        head.leaves, divide_into_leaves(torch.stack(pairs), num_leaves=16, largest=1.0)
    )


def test_training_compares_both_ways_with_the_scores_of_both() -> None:
    head, (features, masks) = head_of().train(), inputs_of(["video-3", "video-4"])
    pairs = head(features, masks).pairs
    assert pairs.log_probabilities.shape == pairs.positions.shape == (2, 2, 16)
    known = head.exemplars.scores_of(features[VIDEO_KEYS])
    assert torch.equal(known, head.exemplars.scores[[3, 4]])
    exemplar = head.exemplars.vectors[head.exemplars.scores == pairs.exemplar_scores[0]][0]
    target = features["clips"].mean(dim=1)[0]
    backwards = torch.cat([target, exemplar, known[:1]])[None]
    torch.testing.assert_close(head.regressor(backwards)[0][0], pairs.log_probabilities[1, 0])
