"""Metrics and intervals against SciPy, NumPy and simulation, on random predictions with and without ties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap, norm, pearsonr, percentileofscore, spearmanr

from aqa_pipeline.metrics import fisher_z_mean, mse, relative_l2, spearman, wilson_interval
from heads.evaluation.bootstrap import (
    counted_accuracy,
    counted_mse,
    counted_spearman,
    difference_interval,
    fisher_z_over_splits,
    mean_interval,
)
from heads.evaluation.compare import difference, two_sided_p
from heads.evaluation.conformal_interval import half_width_of, percentile_among
from heads.runs.predictions import Predicted

scores = st.lists(st.integers(0, 6), min_size=4, max_size=14)  # few values: ties in almost every list


def predicted(true: object, told: object, *, split: str = "s", videos: tuple[str, ...] = ()) -> Predicted:
    told = np.atleast_2d(np.asarray(told, dtype=np.float64))
    names = videos or tuple(f"{split}{at:03d}" for at in range(told.shape[1]))
    return Predicted(split, tuple(range(len(told))), names, np.asarray(true, dtype=np.float64), told)


@given(st.data(), scores)
def test_spearman_with_ties_is_that_of_scipy(data: st.DataObject, true: list[int]) -> None:
    told = data.draw(st.lists(st.integers(0, 6), min_size=len(true), max_size=len(true)))
    found = float(spearman(told, true))
    if len(set(true)) == 1 or len(set(told)) == 1:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(told, true).statistic, abs=1e-12)


@given(scores, st.floats(0.1, 9), st.floats(-50, 50))
def test_a_rising_change_of_the_predictions_leaves_the_rank_correlation(
    true: list[int], factor: float, shift: float
) -> None:
    told = np.random.default_rng(len(true)).permutation(len(true)).astype(float)
    before = float(spearman(told, true))
    for changed in (factor * told + shift, np.exp(told / 20), told**3):
        assert float(spearman(changed, true)) == pytest.approx(before, abs=1e-12, nan_ok=True)
    assert float(spearman(-told, true)) == pytest.approx(-before, abs=1e-12, nan_ok=True)


@given(st.data(), scores)
def test_counting_videos_is_repeating_them(data: st.DataObject, true: list[int]) -> None:
    """A draw that takes a video three times is the metric of the list that holds it three times."""
    size = len(true)
    told = np.array(data.draw(st.lists(st.integers(0, 6), min_size=size, max_size=size)), dtype=float)
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    if counts.sum() < 2:
        return
    labels = np.array(true, dtype=float)
    long_told, long_true = np.repeat(told, counts), np.repeat(labels, counts)
    taken = counts[None].astype(float)
    if len(set(long_told)) > 1 and len(set(long_true)) > 1:
        expected = spearmanr(long_told, long_true).statistic
        assert counted_spearman(told, labels, taken)[0] == pytest.approx(expected, abs=1e-12)
    assert counted_mse(told, labels, taken)[0] == pytest.approx(((long_told - long_true) ** 2).mean())
    right = (long_told >= 0.5) == (long_true >= 0.5)
    assert counted_accuracy(told, labels, taken)[0] == pytest.approx(right.mean())


@given(st.lists(st.floats(-0.99, 0.99), min_size=1, max_size=8))
def test_the_fisher_mean_lies_among_its_correlations_and_is_odd(correlations: list[float]) -> None:
    mean = fisher_z_mean(correlations)
    assert min(correlations) - 1e-9 <= mean <= max(correlations) + 1e-9
    assert mean == pytest.approx(math.tanh(sum(map(math.atanh, correlations)) / len(correlations)), abs=1e-12)
    assert fisher_z_mean([-each for each in correlations]) == pytest.approx(-mean, abs=1e-12)
    over_splits = fisher_z_over_splits([np.array([each]) for each in correlations])
    assert over_splits[0] == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize(
    ("correlations", "message"),
    [([], "needs correlations in"), ([0.5, 1.2], r"not \[0.5, 1.2\]"), ([-1.0001], "not")],
)
def test_a_fisher_mean_of_no_correlations_is_refused(correlations: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fisher_z_mean(correlations)


def test_perfect_and_undefined_correlations_are_carried_through() -> None:
    assert fisher_z_mean([1.0, 0.2]) == 1.0
    assert math.isnan(fisher_z_mean([0.4, math.nan]))


@given(scores, st.floats(0.2, 5))
def test_r_l2_has_no_unit(true: list[int], unit: float) -> None:
    """Scores in points or in tenths of points have the same R-l2; their MSE differs by the square."""
    labels = np.array(true, dtype=float)
    if np.ptp(labels) == 0:
        return
    told = labels[::-1] + 0.5
    before = relative_l2(told, labels, score_range=float(np.ptp(labels)))
    after = relative_l2(unit * told, unit * labels, score_range=float(unit * np.ptp(labels)))
    assert float(after) == pytest.approx(float(before))
    assert float(mse(unit * told, unit * labels)) == pytest.approx(unit**2 * float(mse(told, labels)))


@pytest.mark.parametrize(("num_right", "num_videos"), [(0, 5), (14, 14), (7, 20), (1, 1), (35, 71)])
def test_wilsons_interval_is_its_formula(num_right: int, num_videos: int) -> None:
    z, share = norm.ppf(0.975), num_right / num_videos
    middle = (share + z**2 / (2 * num_videos)) / (1 + z**2 / num_videos)
    half = (
        z * math.sqrt(share * (1 - share) / num_videos + z**2 / (4 * num_videos**2)) / (1 + z**2 / num_videos)
    )
    found = wilson_interval(num_right, num_videos)
    assert found.low == pytest.approx(max(0, middle - half), abs=1e-9)
    assert found.high == pytest.approx(min(1, middle + half), abs=1e-9)
    assert found.covers(share)


def test_the_interval_of_an_error_is_scipys_percentile_bootstrap() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=40)
    told = true + rng.normal(scale=0.5, size=40)
    ours = mean_interval([predicted(true, told)], metric="mse", num_resamples=4000)
    theirs = bootstrap(
        ((told - true) ** 2,), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, rel=0.05)
    assert ours.high == pytest.approx(theirs.high, rel=0.05)


def test_the_interval_of_paired_differences_is_scipys() -> None:
    differences = np.random.default_rng(1).exponential(size=30) - 0.8
    ours = difference_interval(differences)
    theirs = bootstrap((differences,), np.mean, method="percentile", random_state=2).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_an_interval_of_a_correlation_covers_the_true_one_in_simulation() -> None:
    """Pairs of known correlation, drawn 120 times: about 95 % of the intervals hold it."""
    rng, rho = np.random.default_rng(3), 0.6
    true_spearman = 6 / math.pi * math.asin(rho / 2)  # of a bivariate normal
    covered = 0
    for _ in range(120):
        x = rng.normal(size=60)
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=60)
        covered += mean_interval([predicted(x, y)], num_resamples=300).covers(true_spearman)
    assert 0.88 <= covered / 120 <= 1.0


def test_two_sided_p_is_small_for_a_shift_and_one_for_none() -> None:
    draws = np.random.default_rng(0).normal(size=2000)
    assert two_sided_p(draws + 5) == pytest.approx(2 / 2001)
    assert two_sided_p(draws - 5) == two_sided_p(draws + 5)
    assert two_sided_p(np.zeros(50)) == 1.0
    assert math.isnan(two_sided_p(np.full(3, math.nan)))
    assert two_sided_p(np.append(draws + 5, [math.nan] * 100)) == two_sided_p(draws + 5)


@pytest.mark.parametrize("metric", ["spearman", "accuracy"])
def test_a_run_against_its_shuffle_is_found_better_and_against_itself_not(metric: str) -> None:
    rng = np.random.default_rng(0)
    true = rng.random(60) if metric == "spearman" else (rng.random(60) > 0.5).astype(float)
    good = true + 0.2 * rng.normal(size=(2, 60))
    bad = rng.permuted(good, axis=1)
    options = {"name": "s", "fisher_z": False, "metric": metric, "num_resamples": 500}
    found = difference([predicted(true, good)], [predicted(true, bad)], **options)
    assert found.interval.low > 0
    assert found.p < 0.05
    same = difference([predicted(true, good)], [predicted(true, good)], **options)
    assert same.difference == 0
    assert same.interval.covers(0)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0.5, 0.99))
def test_the_conformal_quantile_covers_its_share_of_the_residuals(
    residuals: list[float], coverage: float
) -> None:
    half, promised = half_width_of(residuals, coverage=coverage)
    inside = np.mean(np.abs(residuals) <= half)
    assert half in np.abs(residuals)
    assert inside >= min(promised, coverage) - 1e-9
    assert promised <= coverage


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(-1, 10))
def test_the_percentile_is_scipys_mean_rank(training: list[int], score: int) -> None:
    assert percentile_among(score, training) == pytest.approx(percentileofscore(training, score, kind="mean"))


def test_spearman_is_pearson_of_ranks_without_ties() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 25))
    ranks = [np.argsort(np.argsort(each)) for each in (x, y)]
    assert float(spearman(x, y)) == pytest.approx(pearsonr(*ranks).statistic)
