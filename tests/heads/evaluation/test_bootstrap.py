"""The bootstrap over videos and seeds in closed cases: ties, one split, identical splits, a known normal."""

import math

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.metrics import Metric, accuracy, fisher_z_mean, mse, spearman
from heads.evaluation.bootstrap import (
    counted_ranks,
    counted_spearman,
    draw_counts,
    find_metric,
    fisher_z_interval,
    interval_of,
    mean_interval,
    per_seed,
    resample_seeds,
    resampled,
)
from heads.runs.predictions import Predicted

MONTE_CARLO = 0.02  # of a quantile of 10,000 draws of 40 to 50 videos: about 3 standard errors


def make_split(
    name: str, videos: list[str], true: dict[str, float], *, noise: float, num_seeds: int = 1, seed: int = 0
) -> Predicted:
    rng = np.random.default_rng(1000 + seed)
    labels = np.array([true[video] for video in videos])
    predicted = labels + noise * rng.normal(size=(num_seeds, len(videos)))
    return Predicted(name, tuple(range(num_seeds)), tuple(videos), labels, predicted)


def make_truth(num: int, seed: int = 0) -> dict[str, float]:
    values = np.random.default_rng(seed).normal(size=num)
    return {f"video-{number:03d}": value for number, value in enumerate(values.tolist())}


@pytest.mark.parametrize("num_values", [3, 100])
def test_counted_spearman_is_that_of_the_repeated_videos(num_values: int) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, num_values, size=25).astype(float), rng.normal(size=25).round(1)
    counts = rng.multinomial(25, [1 / 25] * 25, size=40).astype(float)
    for taken, found in zip(counts.astype(int), counted_spearman(x, y, counts), strict=True):
        repeated = np.repeat(x, taken), np.repeat(y, taken)
        assert found == pytest.approx(spearmanr(*repeated).statistic)


def test_counted_ranks_are_those_of_the_repeated_list() -> None:
    ranks = counted_ranks(np.array([5.0, 7.0, 7.0]), np.array([[2.0, 1.0, 1.0]]))
    np.testing.assert_array_equal(ranks, [[1.5, 3.5, 3.5]])
    np.testing.assert_array_equal(rankdata([5, 5, 7, 7]), [1.5, 1.5, 3.5, 3.5])


def test_a_draw_of_one_video_alone_is_undefined() -> None:
    found = counted_spearman(np.arange(3.0), np.arange(3.0), np.array([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]))
    assert math.isnan(found[0])
    assert found[1] == 1.0


def test_without_resampling_it_is_the_metric_itself() -> None:
    splits = [make_split("a", list(make_truth(30)), make_truth(30), noise=1.0, num_seeds=3)]
    wanted = [[float(spearman(scores, splits[0].true)) for scores in splits[0].predicted]]
    np.testing.assert_allclose(per_seed(splits), wanted)


@pytest.mark.parametrize("num_seeds", [1, 4])
def test_one_split_is_the_usual_bootstrap(num_seeds: int) -> None:
    """Draw pairs and seeds with replacement one by one, with scipy's correlation."""
    split = make_split("a", list(make_truth(50)), make_truth(50), noise=0.8, num_seeds=num_seeds)
    rng = np.random.default_rng(7)
    means = [
        np.mean(
            [
                spearmanr(split.predicted[seed][draw], split.true[draw]).statistic
                for seed in rng.integers(0, num_seeds, size=num_seeds)
            ]
        )
        for draw in rng.integers(0, 50, size=(2000, 50))
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    ours = mean_interval([split])
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=3 * MONTE_CARLO)


def test_the_width_is_that_of_theory() -> None:
    """Fieller: the z of Spearman's correlation has a standard error of 1.06 / sqrt(n - 3)."""
    interval = mean_interval([make_split("a", list(make_truth(300)), make_truth(300), noise=0.8)])
    width = np.arctanh(interval.high) - np.arctanh(interval.low)
    assert width == pytest.approx(2 * 1.96 * 1.06 / np.sqrt(297), rel=0.15)


def test_below_ten_videos_there_is_no_interval() -> None:
    """A bootstrap of four videos in the right order would say [1, 1]."""
    four = Predicted("a", (0,), ("w", "x", "y", "z"), np.arange(4.0), np.arange(4.0)[None])
    assert mean_interval([four]).why_none == "too few videos"
    assert fisher_z_interval([[four]]).why_none == "too few videos"
    ten = Predicted("a", (0,), tuple("abcdefghij"), np.arange(10.0), np.arange(10.0)[None])
    assert mean_interval([ten]).why_none == ""
    twice = [Predicted(name, (0,), ten.videos[:5], ten.true[:5], ten.predicted[:, :5]) for name in "ab"]
    assert mean_interval(twice).why_none == "too few videos", "the same five videos twice are five"


def test_an_accuracy_has_wilsons_interval() -> None:
    right = Predicted("a", (0,), tuple("abcdefghijklmn"), np.ones(14), np.ones((1, 14)))
    interval = mean_interval([right], metric="accuracy")
    assert (interval.low, interval.high) == pytest.approx((0.7847, 1.0), abs=5e-5)


def test_the_same_split_five_times_is_no_more_evidence_than_once() -> None:
    once = make_split("a", list(make_truth(40)), make_truth(40), noise=1.0)
    five = [Predicted(f"copy-{k}", (0,), once.videos, once.true, once.predicted) for k in range(5)]
    alone, together = mean_interval([once]), mean_interval(five)
    assert together.low == pytest.approx(alone.low, abs=1e-12)
    assert together.high == pytest.approx(alone.high, abs=1e-12)


def test_splits_of_other_videos_narrow_the_interval_by_their_number() -> None:
    true = make_truth(160)
    videos = list(true)
    four = [make_split(f"{k}", videos[40 * k : 40 * k + 40], true, noise=1.0, seed=k) for k in range(4)]
    widths = [interval.high - interval.low for interval in map(mean_interval, [[s] for s in four])]
    together = mean_interval(four)
    assert together.high - together.low == pytest.approx(np.mean(widths) / 2, rel=0.15)


def test_overlapping_splits_share_their_draws() -> None:
    true = make_truth(30)
    videos = list(true)
    splits = [make_split("a", videos[:20], true, noise=1.0), make_split("b", videos[10:], true, noise=1.0)]
    first, second = draw_counts(splits, num=50, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(first[:, 10:], second[:, :10])
    np.testing.assert_array_equal(first.sum(axis=1) + second[:, 10:].sum(axis=1), 30)


def test_seeds_widen_the_interval_by_their_spread() -> None:
    true = make_truth(50)
    lucky = make_split("a", list(true), true, noise=0.1)
    reversed_scores = np.vstack([lucky.predicted, -lucky.predicted])
    both = Predicted("a", (0, 1), lucky.videos, lucky.true, reversed_scores)
    interval = mean_interval([both])
    # A quarter of the draws takes the good seed twice, a quarter the bad one twice: both ends are reached.
    assert interval.low < -0.9
    assert interval.high > 0.9


def test_a_seed_that_is_not_drawn_does_not_matter() -> None:
    values = np.array([[0.5] * 4000, [math.nan] * 4000])
    drawn = resample_seeds(values, rng=np.random.default_rng(0))
    assert set(drawn[~np.isnan(drawn)]) == {0.5}
    assert np.isnan(drawn).mean() == pytest.approx(0.75, abs=0.03)


def test_constant_predictions_have_no_interval() -> None:
    split = Predicted("a", (0,), tuple("abcdefghijkl"), np.arange(12.0), np.zeros((1, 12)))
    interval = mean_interval([split], num_resamples=100)
    assert interval.why_none == "undefined"
    assert interval.num_undefined == 100


def test_one_split_is_its_own_fisher_z_mean_and_four_narrow_it() -> None:
    true = make_truth(200)
    videos = list(true)
    splits = [make_split(str(k), videos[50 * k : 50 * k + 50], true, noise=1.0, seed=k) for k in range(4)]
    alone = mean_interval(splits[:1])
    single = fisher_z_interval([splits[:1]])
    assert single.low == pytest.approx(alone.low, abs=MONTE_CARLO)
    together = fisher_z_interval([[split] for split in splits])
    middle = fisher_z_mean([float(per_seed([split])[0, 0]) for split in splits])
    assert together.low < middle < together.high
    assert together.high - together.low < 0.65 * (alone.high - alone.low)


@pytest.mark.parametrize("num_splits", [1, 5])
def test_the_interval_covers_the_truth_about_95_times_in_100(num_splits: int) -> None:
    """A bivariate normal of correlation r has Spearman's correlation 6/pi asin(r/2) (Pearson 1907).

    With five splits, each tests on a random third of the videos, as MIT-Skating's do.
    """
    rho, num_videos, repeats = 0.6, 50 if num_splits == 1 else 150, 300
    expected = 6 / math.pi * math.asin(rho / 2)
    rng = np.random.default_rng(5)
    ids = np.array([f"v{number:03d}" for number in range(num_videos)])
    covered = 0
    for repeat in range(repeats):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=num_videos).T
        tests = [np.sort(rng.permutation(num_videos)[:50]) for _ in range(num_splits)]
        splits = [
            Predicted(str(k), (0,), tuple(ids[test]), y[test], x[None, test]) for k, test in enumerate(tests)
        ]
        covered += mean_interval(splits, num_resamples=400, seed=repeat).covers(expected)
    assert 0.90 <= covered / repeats <= 0.98


def test_resampled_is_the_mean_over_splits() -> None:
    true = make_truth(30)
    videos = list(true)
    splits = [
        make_split("a", videos[:20], true, noise=1.0, num_seeds=2),
        make_split("b", videos[10:], true, noise=1.0, num_seeds=2),
    ]
    counts = draw_counts(splits, num=3, rng=np.random.default_rng(0))
    naive = np.empty((2, 3))
    for seed in range(2):
        for draw in range(3):
            naive[seed, draw] = np.mean(
                [
                    spearmanr(
                        np.repeat(s.predicted[seed], c[draw].astype(int)),
                        np.repeat(s.true, c[draw].astype(int)),
                    ).statistic
                    for s, c in zip(splits, counts, strict=True)
                ]
            )
    np.testing.assert_allclose(resampled(splits, counts), naive)


@pytest.mark.parametrize(("name", "metric"), [("mse", mse), ("accuracy", accuracy)])
def test_counted_means_are_those_of_the_repeated_videos(name: str, metric: Metric) -> None:
    rng = np.random.default_rng(2)
    scores, labels = rng.uniform(size=20), rng.integers(0, 2, size=20).astype(float)
    counts = rng.multinomial(20, np.full(20, 0.05), size=30).astype(np.float64)
    naive = [metric(*(np.repeat(values, row.astype(int)) for values in (scores, labels))) for row in counts]
    np.testing.assert_allclose(find_metric(name)(scores, labels, counts), naive)
    assert math.isnan(find_metric(name)(scores, labels, np.zeros((1, 20)))[0])


def test_the_same_seed_gives_the_same_interval() -> None:
    split = make_split("a", list(make_truth(30)), make_truth(30), noise=1.0)
    assert mean_interval([split], seed=3) == mean_interval([split], seed=3)
    assert mean_interval([split], seed=3) != mean_interval([split], seed=4)


def test_percentiles_leave_out_what_is_undefined() -> None:
    interval = interval_of(np.array([math.nan, *np.linspace(0, 1, 101)]))
    assert (interval.low, interval.high) == pytest.approx((0.025, 0.975))
    assert (interval.num_resamples, interval.num_undefined) == (102, 1)


def test_an_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown metric 'spearmn'. Did you mean 'spearman'"):
        find_metric("spearmn")


def test_predictions_must_fit_their_videos() -> None:
    with pytest.raises(ValueError, match=r"split 'a': expected scores of \(1, 2\)"):
        Predicted("a", (0,), ("x", "y"), np.zeros(2), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must be finite"):
        Predicted("a", (0,), ("x", "y"), np.zeros(2), np.array([[0.0, math.nan]]))
