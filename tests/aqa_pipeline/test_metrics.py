"""Metrics against formulas written out, and against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from aqa_pipeline.metrics import Interval, fisher_z_mean, mse, relative_l2, spearman, wilson_interval

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


@pytest.mark.parametrize(("right", "num"), [(0, 208), (1, 208), (205, 208), (208, 208), (14, 14), (3, 4)])
def test_wilson_is_the_published_formula(right: int, num: int) -> None:
    """Wilson 1927: the shares p with |p - right / num| <= z sqrt(p (1 - p) / num), solved for p."""
    z, share = 1.959963984540054, right / num
    middle = (share + z**2 / (2 * num)) / (1 + z**2 / num)
    half = z / (1 + z**2 / num) * math.sqrt(share * (1 - share) / num + z**2 / (4 * num**2))
    interval = wilson_interval(right, num)
    assert (interval.low, interval.high) == pytest.approx((middle - half, middle + half), abs=1e-12)


def test_an_interval_says_why_it_has_no_ends() -> None:
    assert Interval.of_too_few().why_none == "too few videos"
    assert Interval.undefined().why_none == "undefined"
    assert Interval(0.1, 0.2, 0.95, 10).why_none == ""
    assert not Interval.of_too_few().covers(0.0)
