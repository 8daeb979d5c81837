"""The stack: its weights, and that it loads and scores as it was fitted."""

import numpy as np
import pytest
import torch

from heads.models.closed_form.kernel_regression import out_of_fold_means, rank_correlation
from heads.models.closed_form.regressors import inner_folds
from heads.models.closed_form.stack import (
    PARTS,
    TEMPERATURE,
    AttentionNetwork,
    Stack,
    above_chance,
    weights_of,
)

DIMS = {"segments": 4, "crops": 3}


def videos(num: int, *, seed: int = 0) -> tuple[dict, dict]:
    rng = np.random.default_rng(seed)
    features, masks = {}, {}
    for stream, dim in DIMS.items():
        lengths = torch.from_numpy(rng.integers(2, 8, size=num))
        masks[stream] = torch.arange(8) < lengths[:, None]
        features[stream] = (
            torch.from_numpy(rng.normal(size=(num, 8, dim))).float() * masks[stream][:, :, None]
        )
    return features, masks


@pytest.mark.parametrize("best", [0.2, 0.9])
def test_weights_fall_by_e_for_every_three_hundredths_and_end_at_zero(best: float) -> None:
    weights = weights_of(np.array([best, best - TEMPERATURE, best - 10 * TEMPERATURE]))
    assert weights.sum() == pytest.approx(1)
    assert weights[0] / weights[1] == pytest.approx(np.e)
    assert weights[2] == 0


def test_equal_parts_weigh_the_same() -> None:
    np.testing.assert_allclose(weights_of(np.zeros(4)), 0.25)


def test_a_correlation_that_chance_brings_about_counts_for_nothing() -> None:
    correlation = np.array([0.29, 0.31, -0.5, np.nan, 0.66])
    assert above_chance(correlation, 101).tolist() == [0, 0.31, 0, 0, 0.66]
    assert above_chance(correlation, 10).tolist() == [0, 0, 0, 0, 0.66]


def test_a_stack_of_parts_that_find_nothing_gives_every_video_the_mean_score() -> None:
    features, masks = videos(40)
    rng = np.random.default_rng(0)
    labels = rng.normal(size=40)
    stack = Stack(DIMS).eval()
    folds = inner_folds(40, num_folds=5, seed=0)
    experts = stack.fit_experts(features, masks, labels, folds=folds)
    out_of_fold = stack.weigh([*experts, rng.normal(size=40)], labels, folds=folds)
    np.testing.assert_allclose(out_of_fold, out_of_fold_means(labels, folds))
    np.testing.assert_allclose(stack(features, masks).scores.detach().numpy(), labels.mean(), rtol=1e-5)


def test_a_part_counts_by_what_it_adds_to_the_mean_of_the_other_folds() -> None:
    """Held-out groups differ in level: the mean of the others runs against them."""
    groups = np.repeat(np.arange(5), 4)
    labels = groups * 1.0 + np.tile([-0.3, -0.1, 0.1, 0.3], 5)
    folds = [np.flatnonzero(groups == group) for group in range(5)]
    means = out_of_fold_means(labels, folds)
    part = means + 0.1 * (labels - labels.mean())
    assert rank_correlation(part, labels) < 0
    stack = Stack(DIMS)
    out_of_fold = stack.weigh([part, *[means] * 3], labels, folds=folds)
    assert stack.get_buffer("correlation").tolist() == pytest.approx([1, 0, 0, 0])
    assert rank_correlation(out_of_fold - means, labels) == pytest.approx(1)


def fitted() -> tuple[Stack, dict, dict, np.ndarray]:
    features, masks = videos(30)
    labels = features["segments"].sum(dim=(1, 2)).double().numpy()
    labels = (labels - labels.mean()) / labels.std()
    stack = Stack(DIMS).eval()
    folds = inner_folds(30, num_folds=3, seed=0)
    experts = stack.fit_experts(features, masks, labels, folds=folds)
    stack.weigh([*experts, out_of_fold_means(labels, folds)], labels, folds=folds)
    return stack, features, masks, labels


def test_a_part_that_predicts_a_constant_counts_for_nothing() -> None:
    stack, features, masks, labels = fitted()
    of_part = dict(zip(PARTS, stack.get_buffer("weights").tolist(), strict=True))
    assert of_part["network"] == 0
    assert sum(of_part.values()) == pytest.approx(1)
    scores = stack(features, masks).scores.detach().numpy()
    assert np.corrcoef(scores, labels)[0, 1] > 0.6


def test_a_stack_loads_into_an_unfitted_one_and_scores_the_same() -> None:
    stack, features, masks, _ = fitted()
    other = Stack(DIMS).eval()
    other.load_state_dict(stack.state_dict())
    assert torch.equal(other(features, masks).scores, stack(features, masks).scores)


def test_padding_and_the_company_of_other_videos_change_no_score() -> None:
    stack, features, masks, _ = fitted()
    alone = stack({s: f[3:4] for s, f in features.items()}, {s: m[3:4] for s, m in masks.items()})
    padded = stack(
        {s: torch.nn.functional.pad(f, (0, 0, 0, 5)) for s, f in features.items()},
        {s: torch.nn.functional.pad(m, (0, 5)) for s, m in masks.items()},
    )
    together = stack(features, masks)
    torch.testing.assert_close(alone.scores[0], together.scores[3])
    torch.testing.assert_close(padded.scores, together.scores)


def test_attention_weights_of_real_steps_sum_to_one() -> None:
    features, masks = videos(5)
    masks["crops"][2] = False
    output = AttentionNetwork(DIMS)(features, masks)
    totals = output.attention["crops"].sum(dim=1)
    torch.testing.assert_close(totals, torch.tensor([1.0, 1.0, 0.0, 1.0, 1.0]))
    assert (output.attention["segments"][~masks["segments"]] == 0).all()
    assert output.scores.abs().max() == 0, "a new network predicts the mean"
