"""Metrics against formulas written out, and against scipy."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from aqa_pipeline.metrics import bootstrap_interval, fisher_z_mean, mse, relative_l2, spearman

RHYTHMIC_GYMNASTICS = [0.528, 0.657, 0.708, 0.578]
TSA_NET_AQA7 = [0.8379, 0.8004, 0.6657, 0.6962, 0.9493, 0.9334]


def naive_ranks(values: list[float]) -> list[float]:
    """1 + how many are smaller, + half of the others that are equal: ties share their average rank."""
    return [
        1 + sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def naive_spearman(predicted: list[float], true: list[float]) -> float:
    x, y = naive_ranks(predicted), naive_ranks(true)
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    spread_x = sum((a - mean_x) ** 2 for a in x)
    spread_y = sum((b - mean_y) ** 2 for b in y)
    return covariance / math.sqrt(spread_x * spread_y)


def scores(num: int, *, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    true = rng.normal(size=num)
    return true + noise * rng.normal(size=num), true


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=12))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_spearman_with_ties_equals_the_formula_and_scipy(pairs: list[tuple[int, int]]) -> None:
    predicted, true = [float(p) for p, _ in pairs], [float(t) for _, t in pairs]
    if len(set(predicted)) == 1 or len(set(true)) == 1:
        assert np.isnan(spearman(predicted, true))
        return
    assert spearman(predicted, true) == pytest.approx(naive_spearman(predicted, true), abs=1e-12)
    assert spearman(predicted, true) == pytest.approx(spearmanr(predicted, true).statistic, abs=1e-12)


def test_spearman_keeps_leading_axes() -> None:
    predicted, true = np.random.default_rng(1).integers(0, 9, (2, 4, 20)).astype(float)
    expected = [spearmanr(p, t).statistic for p, t in zip(predicted, true, strict=True)]
    np.testing.assert_allclose(spearman(predicted, true), expected, atol=1e-12)


def test_spearman_of_a_constant_or_a_single_video_is_undefined() -> None:
    assert np.isnan(spearman([0.3, 0.3, 0.3], [1, 2, 3]))
    assert np.isnan(spearman([1, 2, 3], [5, 5, 5]))
    assert np.isnan(spearman([1], [2]))


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([1, 2], [1, 2, 3], r"one prediction per label, got shapes \(2,\) and \(3,\)"),
        ([], [], "one prediction per label"),
        ([1, math.nan], [1, 2], "must be finite"),
        ([1, 2], [1, math.inf], "must be finite"),
    ],
)
def test_bad_scores_are_refused(predicted: list[float], true: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spearman(predicted, true)


def test_mse_and_relative_l2_by_hand() -> None:
    assert mse([1, 2, 3], [1, 0, 0]) == pytest.approx((0 + 4 + 9) / 3)
    # Errors of 2 and 3 points on a range of 10: (0.04 + 0.09) / 3 of the squared range, times 100.
    assert relative_l2([1, 2, 3], [1, 0, 0], score_range=10) == pytest.approx(100 * (0.2**2 + 0.3**2) / 3)


def test_relative_l2_without_a_range_is_refused() -> None:
    with pytest.raises(ValueError, match="a score range above 0, not 0"):
        relative_l2([1, 2], [5, 5], score_range=0)


def test_fisher_z_mean_gives_the_averages_of_the_literature() -> None:
    assert fisher_z_mean(TSA_NET_AQA7) == pytest.approx(0.8476, abs=5e-5)
    assert np.mean(TSA_NET_AQA7) == pytest.approx(0.8138, abs=5e-5), "the plain mean is another number"
    assert fisher_z_mean(RHYTHMIC_GYMNASTICS) == pytest.approx(0.623, abs=5e-4)


def test_fisher_z_mean_at_its_borders() -> None:
    assert fisher_z_mean([1.0, 0.2]) == 1.0
    assert math.isnan(fisher_z_mean([math.nan, 0.2]))
    assert math.isnan(fisher_z_mean([1.0, -1.0]))
    with pytest.raises(ValueError, match=r"correlations in \[-1, 1\]"):
        fisher_z_mean([1.1])
    with pytest.raises(ValueError, match="correlations in"):
        fisher_z_mean([])


def test_bootstrap_is_the_percentile_bootstrap() -> None:
    """The same draws, one by one through scipy."""
    predicted, true = scores(20)
    interval = bootstrap_interval(spearman, predicted, true, num_resamples=200, seed=5)
    draws = np.random.default_rng(5).integers(0, 20, size=(200, 20))
    one_by_one = [spearmanr(predicted[draw], true[draw]).statistic for draw in draws]
    low, high = np.quantile(one_by_one, [0.025, 0.975])
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
    assert interval.num_undefined == 0


def test_bootstrap_width_is_that_of_theory() -> None:
    """Fieller: the z of Spearman's correlation has a standard error of 1.06 / sqrt(n - 3)."""
    predicted, true = scores(300)
    interval = bootstrap_interval(spearman, predicted, true)
    width = np.arctanh(interval.high) - np.arctanh(interval.low)
    assert width == pytest.approx(2 * 1.96 * 1.06 / np.sqrt(297), rel=0.15)


def test_bootstrap_repeats_and_depends_on_its_seed() -> None:
    predicted, true = scores(30)
    first, again, other = (
        bootstrap_interval(mse, predicted, true, num_resamples=500, seed=s) for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_bootstrap_takes_other_confidences_and_metrics() -> None:
    predicted, true = scores(30)
    metric = functools.partial(relative_l2, score_range=4.0)
    wide = bootstrap_interval(metric, predicted, true, confidence=0.99)
    narrow = bootstrap_interval(metric, predicted, true, confidence=0.5)
    assert wide.low < narrow.low < metric(predicted, true) < narrow.high < wide.high


def test_degenerate_resamples_are_counted_and_left_out() -> None:
    # Of three videos, a third of the draws see two equal labels or one video only.
    interval = bootstrap_interval(spearman, [1, 2, 3], [1, 2, 3], num_resamples=3000)
    assert 0 < interval.num_undefined < 3000
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_a_constant_prediction_has_no_interval() -> None:
    interval = bootstrap_interval(spearman, [1, 1, 1], [1, 2, 3], num_resamples=50)
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)
    assert interval.num_undefined == 50
    assert not interval.covers(0.0)


def test_interval_over_seeds_covers_the_seeds_spread() -> None:
    """Two seeds that rank the videos right and wrong: their mean is 0, and that is not sure at all."""
    true = np.arange(40.0)
    interval = bootstrap_interval(spearman, np.stack([true, -true]), true)
    assert (interval.low, interval.high) == pytest.approx((-1, 1))
    same = bootstrap_interval(spearman, np.stack([true, true]), true)
    assert (same.low, same.high) == pytest.approx((1, 1))


def test_interval_over_seeds_by_the_same_draws_one_by_one() -> None:
    predicted, true = np.stack([scores(15)[0], scores(15, noise=0.3)[0]]), scores(15)[1]
    interval = bootstrap_interval(spearman, predicted, true, num_resamples=100, seed=3)
    rng = np.random.default_rng(3)
    videos, seeds = rng.integers(0, 15, size=(100, 15)), rng.integers(0, 2, size=(2, 100))
    means = [
        np.mean([spearmanr(predicted[s][videos[r]], true[videos[r]]).statistic for s in seeds[:, r]])
        for r in range(100)
    ]
    assert (interval.low, interval.high) == pytest.approx(
        tuple(np.quantile(means, [0.025, 0.975])), abs=1e-12
    )


def test_bootstrap_refuses_impossible_settings() -> None:
    with pytest.raises(ValueError, match="0 < confidence < 1"):
        bootstrap_interval(mse, [1, 2], [1, 2], confidence=95)
    with pytest.raises(ValueError, match="resamples"):
        bootstrap_interval(mse, [1, 2], [1, 2], num_resamples=0)


def test_ten_thousand_resamples_take_a_few_calls_of_the_metric() -> None:
    predicted, true = scores(50)
    shapes = []

    def told(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        shapes.append(one.shape)
        return spearman(one, other)

    assert bootstrap_interval(told, predicted, true) == bootstrap_interval(spearman, predicted, true)
    assert shapes == [(2000, 50)] * 5
