"""What every metric promises whatever the scores are, against scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.metrics import accuracy_score, mean_squared_error

from aqa_pipeline.metrics import accuracy, fisher_z_mean, mse, relative_l2, spearman, wilson_interval

PAIRS = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=20)


def split(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    predicted, true = np.array(pairs).T
    return predicted, true


@given(PAIRS)
def test_errors_are_those_of_scikit_learn(pairs):
    predicted, true = split(pairs)
    assert mse(predicted, true) == pytest.approx(mean_squared_error(true, predicted))
    assert mse(true, true) == 0


@given(PAIRS, st.floats(-50, 50))
def test_accuracy_is_that_of_scikit_learn_on_both_sides_of_a_threshold(pairs, threshold):
    predicted, true = split(pairs)
    expected = accuracy_score(true >= threshold, predicted >= threshold)
    assert accuracy(predicted, true, threshold=threshold) == pytest.approx(expected)


def test_a_score_on_the_threshold_is_above_it():
    assert accuracy([0.5], [0.5]) == 1
    assert accuracy([0.5], [0.4999]) == 0


@given(PAIRS, st.floats(0.1, 100), st.floats(-100, 100))
def test_relative_l2_does_not_depend_on_the_unit_of_scores(pairs, scale, shift):
    predicted, true = split(pairs)
    score_range = float(np.ptp(true))
    assume(score_range > 1e-3)
    first = relative_l2(predicted, true, score_range=score_range)
    scaled = relative_l2(scale * predicted + shift, scale * true + shift, score_range=scale * score_range)
    assert scaled == pytest.approx(float(first), rel=1e-6, abs=1e-9)


@given(PAIRS)
def test_spearman_sees_only_the_order(pairs):
    predicted, true = split(pairs)
    first = spearman(predicted, true)
    ranks = spearman(rankdata(predicted), rankdata(true) ** 3)
    np.testing.assert_allclose(ranks, first, atol=1e-12)
    np.testing.assert_allclose(spearman(-predicted, true), -first, atol=1e-12)
    np.testing.assert_allclose(spearman(true, predicted), first, atol=1e-12)
    assert np.isnan(first) == (len(set(predicted)) == 1 or len(set(true)) == 1)
    assert np.isnan(first) or -1 <= first <= 1


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=20, unique=True))
def test_a_perfect_order_is_exactly_1_and_its_reverse_exactly_minus_1(scores):
    true = np.array(scores, float)
    assert spearman(true / 7, true) == 1
    assert spearman(-true, true) == -1


CORRELATIONS = st.lists(st.floats(-0.999, 0.999), min_size=1, max_size=7)


@given(CORRELATIONS, st.randoms())
def test_a_fisher_z_mean_lies_between_its_correlations_whatever_their_order(values, random):
    mean = fisher_z_mean(values)
    assert min(values) - 1e-12 <= mean <= max(values) + 1e-12
    shuffled = random.sample(values, len(values))
    assert fisher_z_mean(shuffled) == pytest.approx(mean, abs=1e-12)
    assert fisher_z_mean([-value for value in values]) == pytest.approx(-mean, abs=1e-12)


@given(st.integers(1, 300), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_wilson_interval_holds_its_share_and_grows_with_the_confidence(num, data, confidence):
    right = data.draw(st.integers(0, num))
    interval = wilson_interval(right, num, confidence=confidence)
    assert 0 <= interval.low <= right / num <= interval.high <= 1
    assert interval.high - interval.low > 0, "never a single point"
    mirrored = wilson_interval(num - right, num, confidence=confidence)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-12)
    wider = wilson_interval(right, num, confidence=0.999)
    assert wider.low <= interval.low + 1e-12
    assert wider.high >= interval.high - 1e-12


@pytest.mark.parametrize("metric", [spearman, mse, accuracy])
def test_leading_axes_are_kept_and_computed_one_by_one(metric):
    predicted, true = np.random.default_rng(0).normal(size=(2, 3, 4, 15))
    together = metric(predicted, true)
    assert together.shape == (3, 4)
    for row in range(3):
        for column in range(4):
            alone = metric(predicted[row, column], true[row, column])
            np.testing.assert_allclose(together[row, column], alone, atol=1e-12)


@pytest.mark.parametrize("metric", [mse, accuracy])
@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([1.0, 2.0], [1.0], r"expected one prediction per label, got shapes \(2,\) and \(1,\)"),
        (1.0, 1.0, r"expected one prediction per label, got shapes \(\) and \(\)"),
        ([[1.0]], [1.0], "expected one prediction per label"),
        ([], [], "expected one prediction per label"),
        ([float("nan")], [1.0], "predictions and labels must be finite numbers"),
        ([1.0], [float("-inf")], "predictions and labels must be finite numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, predicted, true, message):
    with pytest.raises(ValueError, match=message):
        metric(predicted, true)
