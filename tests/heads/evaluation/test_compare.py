"""Runs whose predictions are written by hand, compared: identical, better, noisy, and not comparable."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import fisher_z_mean
from heads.data.score_scale import ScoreScale
from heads.evaluation.compare import compare, difference, format_comparison, two_sided_p
from heads.runs.config import write_config
from heads.runs.epoch import Epoch
from heads.runs.predictions import Predicted, read_predicted
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import TrainedCell, VideoScore, cell_folder, write_cell

NUM_VIDEOS = 40

WriteRun = Callable[..., Path]


@pytest.fixture
def write_run(make_config: Callable[..., RunConfig]) -> WriteRun:
    """Write a run whose predictions are the labels with noise; a video's label follows from its name."""

    def write(
        run_dir: Path,
        splits: dict[str, list[str]],
        *,
        noise: float,
        seeds: tuple[int, ...] = (0,),
        **changes: Any,
    ) -> Path:
        run_dir.mkdir()
        write_config(run_dir, make_config(splits, seeds=seeds, **changes))
        for split, videos in splits.items():
            for seed in seeds:
                rng = np.random.default_rng([seed, round(1000 * noise)])
                test = [
                    VideoScore(video, "test", label_of(video), label_of(video) + noise * rng.normal())
                    for video in videos
                ]
                rows = (*test, VideoScore(f"training video of {split}", "train", 1.0, 5.0))
                epochs = (Epoch(1, 0.1, 0.01, 0.05, math.nan, 0.5),)
                cell = TrainedCell(split, seed, 1, ScoreScale(0, 25), epochs, rows)
                write_cell(cell_folder(run_dir, split=split, seed=seed), cell, {})
        return run_dir

    return write


def label_of(video: str) -> float:
    return float(np.random.default_rng(int(video.split("-")[1])).normal())


def videos(start: int = 0, stop: int = NUM_VIDEOS) -> list[str]:
    return [f"video-{number}" for number in range(start, stop)]


ONE = {"only": videos()}
DRAWS = {"random-0": videos(0, 30), "random-1": videos(10, 40)}
CLASSES = {"ball": videos(0, 30), "hoop": videos(30, 60)}


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_a_run_is_as_good_as_itself(write_run: WriteRun, tmp_path: Path, seeds: tuple[int, ...]) -> None:
    run = write_run(tmp_path / "run", DRAWS, noise=1.0, seeds=seeds)
    comparison = compare(run, run)
    for row in (*comparison.splits, comparison.overall):
        assert row.difference == 0
        assert row.p == pytest.approx(1.0, abs=0.02)
        assert row.interval.covers(0)
    assert "No clear difference: the interval contains 0." in format_comparison(comparison)


def test_a_clearly_better_run_is_found(write_run: WriteRun, tmp_path: Path) -> None:
    good = write_run(tmp_path / "good", ONE, noise=0.1, seeds=(0, 1))
    bad = write_run(tmp_path / "bad", ONE, noise=3.0, seeds=(0, 1))
    (row,) = compare(good, bad).splits
    assert row.difference > 0.4
    assert row.interval.low > 0
    assert row.p < 0.002
    assert "A is better" in format_comparison(compare(good, bad))
    assert "B is better" in format_comparison(compare(bad, good))


def test_the_order_of_the_runs_turns_the_sign_alone(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", DRAWS, noise=0.8)
    b = write_run(tmp_path / "b", DRAWS, noise=1.2)
    there, back = compare(a, b).overall, compare(b, a).overall
    assert there is not None
    assert back is not None
    assert there.difference == -back.difference
    assert (there.interval.low, there.interval.high) == pytest.approx(
        (-back.interval.high, -back.interval.low)
    )
    assert there.p == back.p


def test_values_are_those_of_scipy_on_the_test_videos(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", CLASSES, noise=0.8)
    b = write_run(tmp_path / "b", CLASSES, noise=1.2)
    comparison = compare(a, b)
    rho = {}
    for split, names in CLASSES.items():
        rows = sorted((video, label_of(video)) for video in names)
        rng = np.random.default_rng([0, 800])
        predicted = {video: label_of(video) + 0.8 * rng.normal() for video in names}
        rho[split] = spearmanr([predicted[v] for v, _ in rows], [label for _, label in rows]).statistic
    assert [row.first for row in comparison.splits] == pytest.approx(list(rho.values()))
    assert comparison.overall_kind == "Fisher-z mean over splits"
    assert comparison.overall is not None
    assert comparison.overall.first == pytest.approx(fisher_z_mean(list(rho.values())))
    assert comparison.overall.num_videos == 60


def test_only_splits_and_seeds_of_both_are_compared(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", DRAWS, noise=0.8, seeds=(0, 1, 2))
    b = write_run(tmp_path / "b", {"random-1": DRAWS["random-1"]}, noise=0.8, seeds=(2, 1, 7))
    comparison = compare(a, b)
    assert [row.name for row in comparison.splits] == ["random-1"]
    assert comparison.splits[0].difference == 0  # seeds 1 and 2 predicted the same
    assert comparison.first.num_seeds == comparison.second.num_seeds == 2
    assert comparison.overall is None


def test_classes_are_told_apart_by_accuracy(write_run: WriteRun, tmp_path: Path) -> None:
    """Labels of either sign as classes 1 and 0; the same scores as plain ones are compared by rank."""
    sides, accuracies = {}, []
    for name, noise in (("a", 0.3), ("b", 2.0)):
        sides[name] = write_run(tmp_path / name, ONE, noise=noise, seeds=(0, 1), loss="cross-entropy")
        (split,) = read_predicted(sides[name])
        right = (split.predicted >= 0.5) == (split.true >= 0.5)
        accuracies.append(float(right.mean()))
    comparison = compare(sides["a"], sides["b"])
    (row,) = comparison.splits
    assert comparison.metric == "accuracy"
    assert (row.first, row.second) == pytest.approx(tuple(accuracies))
    assert row.difference == pytest.approx(accuracies[0] - accuracies[1])
    assert row.interval.low < row.difference < row.interval.high
    assert row.interval.low > 0
    text = format_comparison(comparison)
    assert "A and B are compared by accuracy." in text
    assert "A is better: the interval does not contain 0." in text


def test_the_same_draws_serve_both_runs() -> None:
    """Without pairing, two good runs with the same errors would seem to differ by chance."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=NUM_VIDEOS)
    scores = true + rng.normal(size=NUM_VIDEOS)
    a = Predicted("s", (0,), tuple(videos()), true, scores[None])
    b = Predicted("s", (0,), tuple(videos()), true, (scores + 0.05 * rng.normal(size=NUM_VIDEOS))[None])
    row = difference([a], [b], name="s", fisher_z=False)
    assert row.interval.high - row.interval.low < 0.1


def test_p_is_small_one_time_in_twenty_where_nothing_differs() -> None:
    repeats, hits = 400, 0
    rng = np.random.default_rng(3)
    names = tuple(videos())
    for repeat in range(repeats):
        true = rng.normal(size=NUM_VIDEOS)
        a, b = (
            Predicted("s", (0,), names, true, (true + rng.normal(size=NUM_VIDEOS))[None]) for _ in range(2)
        )
        row = difference([a], [b], name="s", fisher_z=False, num_resamples=400, seed=repeat)
        hits += row.p < 0.05
    assert 0.02 <= hits / repeats <= 0.09


def test_p_by_hand() -> None:
    assert two_sided_p(np.array([1.0, 2, 3, 4])) == pytest.approx(2 * 1 / 5)
    assert two_sided_p(np.array([-1.0, 2, 3, 4])) == pytest.approx(2 * 2 / 5)
    assert two_sided_p(np.array([0.0, 0.0])) == 1.0
    assert two_sided_p(np.array([math.nan, 1.0])) == 1.0
    assert math.isnan(two_sided_p(np.array([math.nan])))


def test_flags_are_shown(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", ONE, noise=0.8, facts={"weights": "random:0", "simulated": True})
    b = write_run(tmp_path / "b", ONE, noise=0.8, select="best-on-test", shuffle_labels=True)
    text = format_comparison(compare(a, b))
    assert "SIMULATED  RANDOM WEIGHTS" in text.splitlines()[0]
    assert "SHUFFLED LABELS  NOT MODEL SELECTION" in text.splitlines()[1]
    assert compare(a, b).to_dict()["first"]["flags"] == ["SIMULATED", "RANDOM WEIGHTS"]


def test_constant_predictions_say_nothing(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", ONE, noise=0.5)
    b = write_run(tmp_path / "b", ONE, noise=0.5)
    folder = cell_folder(b, split="only", seed=0)
    lines = (folder / "predictions.csv").read_text().splitlines()
    flat = [lines[0], *(line.rsplit(",", 1)[0] + ",1.0" for line in lines[1:])]
    (folder / "predictions.csv").write_text("\n".join(flat) + "\n")
    comparison = compare(a, b)
    assert "undefined" in format_comparison(comparison)
    assert comparison.to_dict()["splits"][0]["p"] is None


@pytest.mark.parametrize(
    ("splits", "changes", "message"),
    [
        (ONE, {"dataset": "gymnastics"}, r"no dataset in common \(skating and gymnastics\)"),
        (ONE, {"target": "tes"}, r"no target in common \(total and tes\)"),
        ({"other": videos()}, {}, r"no split in common: \['only'\] and \['other'\]"),
        (
            {"only": videos(1, 41)},
            {},
            "not tested on the same videos: 2 are in one run only, such as .*video-0",
        ),
        (ONE, {"seeds": (5,)}, r"no seed in common: \[0\] and \[5\]"),
    ],
)
def test_runs_of_different_tasks_are_refused(
    write_run: WriteRun, tmp_path: Path, splits: dict[str, list[str]], changes: dict[str, Any], message: str
) -> None:
    a = write_run(tmp_path / "a", ONE, noise=0.5)
    b = write_run(tmp_path / "b", splits, noise=0.5, **changes)
    with pytest.raises(RunError, match=message):
        compare(a, b)


def test_other_labels_for_the_same_videos_are_refused(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", ONE, noise=0.5)
    b = write_run(tmp_path / "b", ONE, noise=0.5)
    path = cell_folder(b, split="only", seed=0) / "predictions.csv"
    path.write_text(path.read_text().replace(f"test,{label_of('video-3')!r}", "test,9.5"))
    with pytest.raises(RunError, match="different labels for the same videos"):
        compare(a, b)


def test_an_unfinished_run_is_refused(write_run: WriteRun, tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", ONE, noise=0.5)
    (cell_folder(a, split="only", seed=0) / "cell.json").unlink()
    with pytest.raises(RunError, match="is not complete"):
        compare(a, a)
