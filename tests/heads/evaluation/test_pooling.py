"""Out-of-fold predictions of a cross-validation, pooled: against scipy, and never of different tasks."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from heads.data.score_scale import ScoreScale
from heads.evaluation.bootstrap import fisher_z_interval, mean_interval
from heads.evaluation.compare import compare, format_comparison
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.evaluation.pooling import pool_folds
from heads.runs.config import write_config
from heads.runs.epoch import Epoch
from heads.runs.predictions import Predicted, read_predicted
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import TrainedCell, VideoScore, cell_folder, write_cell

FIVES = [[f"v{number:02d}" for number in range(fold, 20, 4)] for fold in range(4)]  # 4 folds of 5 videos
TENS = [[f"v{number:02d}" for number in range(fold, 40, 4)] for fold in range(4)]
MONTE_CARLO = 0.01

WriteRun = Callable[..., Path]


def label_of(video: str) -> float:
    return float(np.random.default_rng(int(video[1:])).normal())


def make_split(name: str, tested: Sequence[str], trained: Sequence[str], seeds: int = 1) -> Predicted:
    true = np.array([label_of(video) for video in tested])
    noise = np.random.default_rng(len(name)).normal(size=(seeds, len(tested)))
    return Predicted(name, tuple(range(seeds)), tuple(tested), true, true + noise, frozenset(trained))


def cross_validation(folds: Sequence[Sequence[str]], seeds: int = 1) -> list[Predicted]:
    return [
        make_split(f"fold-{at}", fold, [v for other in folds if other is not fold for v in other], seeds)
        for at, fold in enumerate(folds)
    ]


@pytest.fixture
def write_run(make_config: Callable[..., RunConfig]) -> WriteRun:
    """Write a cross-validated run whose predictions are the labels with noise, and the fold's own offset."""

    def write(
        run_dir: Path, folds: Mapping[str, list[str]], *, noise: float, seeds: tuple[int, ...] = (0,)
    ) -> Path:
        run_dir.mkdir()
        write_config(run_dir, make_config(folds, seeds=seeds))
        everything = [video for fold in folds.values() for video in fold]
        for offset, (name, fold) in enumerate(folds.items()):
            for seed in seeds:
                rng = np.random.default_rng([offset, seed, round(1000 * noise)])
                rows = [
                    VideoScore(
                        video,
                        "test" if video in fold else "train",
                        label_of(video),
                        label_of(video) + noise * rng.normal() + offset / 4,
                    )
                    for video in everything
                ]
                epochs = (Epoch(1, 0.1, 0.01, 0.05, math.nan, 0.5),)
                cell = TrainedCell(name, seed, 1, ScoreScale(0, 25), epochs, tuple(rows))
                write_cell(cell_folder(run_dir, split=name, seed=seed), cell, {})
        return run_dir

    return write


def of_names(folds: list[list[str]]) -> dict[str, list[str]]:
    return {f"fold-{at}-of-{len(folds)}": fold for at, fold in enumerate(folds, start=1)}


def out_of_fold(run_dir: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the labels `(video)` and the predictions `(seed, video)`, split after split."""
    splits = read_predicted(run_dir)
    return (
        np.concatenate([split.true for split in splits]),
        np.concatenate([split.predicted for split in splits], axis=1),
    )


def test_every_video_is_there_once_with_its_own_prediction() -> None:
    folds = cross_validation(FIVES, seeds=2)
    pooled = pool_folds(folds)
    assert pooled is not None
    assert pooled.videos == tuple(f"v{number:02d}" for number in range(20))
    for split in folds:
        for at, video in enumerate(split.videos):
            place = pooled.videos.index(video)
            assert pooled.true[place] == split.true[at]
            np.testing.assert_array_equal(pooled.predicted[:, place], split.predicted[:, at])


def test_only_seeds_of_all_folds_are_pooled() -> None:
    first, *others = cross_validation(FIVES, seeds=3)
    pooled = pool_folds([first.of_seeds([2, 0]), *others])
    assert pooled is not None
    assert pooled.seeds == (2, 0)
    assert pooled.predicted[:, 0].tolist() == [first.predicted[2, 0], first.predicted[0, 0]]
    assert pool_folds([first.of_seeds([1]), *(other.of_seeds([0]) for other in others)]) is None


@pytest.mark.parametrize(
    ("what", "splits"),
    [
        ("one split", [make_split("a", FIVES[0], FIVES[1])]),
        ("apparatus", [make_split("ball", FIVES[0], FIVES[1]), make_split("hoop", FIVES[2], FIVES[3])]),
        (
            "cross-validations of two apparatus",
            [
                *cross_validation([FIVES[0], FIVES[1]]),
                *cross_validation([FIVES[2], FIVES[3]]),
            ],
        ),
        (
            "a video that is tested twice",
            [make_split("a", FIVES[0], FIVES[1]), make_split("b", [*FIVES[1], FIVES[0][0]], FIVES[0][1:])],
        ),
        (
            "a video that is never tested",
            [make_split("a", FIVES[0], FIVES[1]), make_split("b", FIVES[1], [*FIVES[0], "v99"])],
        ),
        ("an unfinished cross-validation", cross_validation(FIVES)[:3]),
    ],
)
def test_other_splits_are_not_pooled(what: str, splits: list[Predicted]) -> None:
    assert pool_folds(splits) is None, what


def test_the_pooled_metric_is_that_of_all_videos(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", of_names(FIVES), noise=0.5, seeds=(0, 1, 2))
    pooled = evaluate(run).pooled
    assert pooled is not None
    true, predicted = out_of_fold(run)
    values = [spearmanr(scores, true).statistic for scores in predicted]
    assert pooled.mean == pytest.approx(np.mean(values))
    assert pooled.std == pytest.approx(np.std(values, ddof=1))
    mean = predicted.mean(axis=0)
    assert pooled.ensemble.num_videos == 20
    assert pooled.ensemble.spearman == pytest.approx(spearmanr(mean, true).statistic)
    assert pooled.ensemble.mean_error == pytest.approx(np.abs(mean - true).mean())
    error = 100 * np.mean(((mean - true) / np.ptp(true)) ** 2)
    assert pooled.ensemble.relative_l2 == pytest.approx(error)


@pytest.mark.parametrize("num_seeds", [1, 3])
def test_the_interval_resamples_videos_and_seeds(write_run: WriteRun, tmp_path: Path, num_seeds: int) -> None:
    """Draw videos and seeds one by one, with scipy's correlation."""
    run = write_run(tmp_path / "run", of_names(TENS), noise=1.0, seeds=tuple(range(num_seeds)))
    pooled = evaluate(run).pooled
    true, predicted = out_of_fold(run)
    rng = np.random.default_rng(3)
    means = [
        np.mean(
            [
                spearmanr(predicted[seed][draw], true[draw]).statistic
                for seed in rng.choice(num_seeds, num_seeds)
            ]
        )
        for draw in rng.integers(0, 40, size=(2000, 40))
    ]
    low, high = np.quantile(means, [0.025, 0.975])
    assert pooled is not None
    assert (pooled.interval.low, pooled.interval.high) == pytest.approx((low, high), abs=3 * MONTE_CARLO)


def test_the_text_and_the_summary_have_both_numbers(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", of_names(FIVES), noise=0.5, seeds=(0, 1))
    evaluation = evaluate(run)
    assert evaluation.pooled is not None
    text = format_evaluation(evaluation)
    assert f"mean over splits: {evaluation.overall.mean:.3f} [too few videos] ± " in text
    interval = evaluation.pooled.interval
    assert (
        f"pooled over folds: {evaluation.pooled.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}] ± "
        in text
    )
    scores = evaluation.pooled.ensemble
    assert (
        f"mean error {scores.mean_error:.3f}, R-l2 {scores.relative_l2:.3f} of the ensemble; "
        "20 videos, each tested once" in text
    )
    summary = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert summary["pooled"]["mean"] == evaluation.pooled.mean
    assert summary["overall"]["interval"]["low"] is None


def test_an_unfinished_cross_validation_has_no_pooled_number(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", of_names(FIVES), noise=0.5)
    (cell_folder(run, split="fold-2-of-4", seed=0) / "cell.json").unlink()
    evaluation = evaluate(run)
    assert evaluation.pooled is None
    assert evaluation.to_dict()["pooled"] is None
    assert "pooled" not in format_evaluation(evaluation)


def test_a_mean_over_splits_of_five_videos_has_no_interval() -> None:
    """Non-regression: the interval of the mean over splits of five videos was [-1, 1]."""
    folds = cross_validation(FIVES)
    assert mean_interval(folds).why_none == "too few videos"
    assert fisher_z_interval([[fold] for fold in folds]).why_none == "too few videos"
    assert mean_interval(folds, metric="mse").why_none == "", "an error needs no order within a fold"
    tens = cross_validation(TENS)
    assert mean_interval(tens).why_none == ""


def test_runs_are_compared_over_all_folds_together(write_run: WriteRun, tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", of_names(FIVES), noise=0.1, seeds=(0, 1))
    second = write_run(tmp_path / "b", of_names(FIVES), noise=3.0, seeds=(0, 1))
    comparison = compare(first, second)
    assert comparison.overall is not None
    assert comparison.overall.interval.why_none == "too few videos"
    pooled = comparison.pooled
    assert pooled is not None
    values = [
        np.mean([spearmanr(scores, true).statistic for scores in predicted])
        for true, predicted in map(out_of_fold, (first, second))
    ]
    assert (pooled.first, pooled.second) == pytest.approx(values)
    assert pooled.difference == pytest.approx(values[0] - values[1])
    assert pooled.num_videos == 20
    assert pooled.interval.low > 0
    text = format_comparison(comparison)
    assert "pooled: all folds together, each video tested once" in text
    assert text.endswith("A is better: the interval does not contain 0.")
    assert comparison.to_dict()["pooled"]["difference"] == pooled.difference


def test_a_run_does_not_differ_from_itself_pooled(write_run: WriteRun, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", of_names(FIVES), noise=1.0)
    pooled = compare(run, run).pooled
    assert pooled is not None
    assert (pooled.difference, pooled.interval.low, pooled.interval.high) == (0, 0, 0)


def test_splits_of_few_videos_that_are_no_folds_are_not_compared(write_run: WriteRun, tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path / name, {"one": FIVES[0], "two": [*FIVES[0][:2], *FIVES[1]]}, noise=noise)
        for name, noise in (("a", 0.1), ("b", 0.2))
    ]
    comparison = compare(*runs)
    assert comparison.pooled is None
    text = format_comparison(comparison)
    assert text.endswith("A comparison needs at least 10 test videos in each split.")
