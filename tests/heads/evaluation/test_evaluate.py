"""The evaluation of runs whose predictions are written by hand, so that every number is known."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import fisher_z_mean, wilson_interval
from heads.data.score_scale import ScoreScale
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.evaluation.metric import metric_of_run
from heads.registry import find_head
from heads.runs.config import write_config
from heads.runs.epoch import Epoch
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import TrainedCell, VideoScore, cell_folder, write_cell

WriteRun = Callable[..., None]

TRUE = {
    "ball": np.array([10.0, 12, 14, 16, 18, 20]),
    "hoop": np.array([1.0, 2, 3, 4, 5, 6]),
}


@pytest.fixture
def write_run(make_config: Callable[..., RunConfig]) -> WriteRun:
    """Write a run whose cells predicted exactly that for the test videos.

    With `same_videos` all splits share ids.
    """

    def write(
        run_dir: Path,
        predicted: dict[tuple[str, int], list[float]],
        *,
        same_videos: bool = False,
        **changes: object,
    ) -> None:
        run_dir.mkdir()
        splits = dict.fromkeys(split for split, _ in predicted)
        seeds = tuple(sorted({seed for _, seed in predicted}))
        config = make_config(splits, **({"dataset": "gymnastics", "seeds": seeds} | changes))
        write_config(run_dir, config)
        for (split, seed), scores in predicted.items():
            prefix = "video" if same_videos else split
            test = [
                VideoScore(f"{prefix}-{n}", "test", true, score)
                for n, (true, score) in enumerate(zip(TRUE[split].tolist(), scores, strict=True))
            ]
            train = [VideoScore(f"{prefix}-train", "train", 3.0, 99.0)]
            metric = metric_of_run(config)
            epochs = tuple(
                Epoch(number, 0.1, 0.01, 0.05, math.nan, on_test, metric)
                for number, on_test in enumerate([math.nan, 0.9, 0.4], start=1)
            )
            cell = TrainedCell(split, seed, 3, ScoreScale(0, 25), epochs, (*train, *test))
            write_cell(cell_folder(run_dir, split=split, seed=seed), cell, {})

    return write


BALL = {
    ("ball", 0): [11.0, 12, 15, 14, 19, 20],
    ("ball", 1): [20.0, 12, 15, 14, 19, 10],
}
HOOP = {("hoop", 0): [1.0, 2, 3, 4, 6, 5], ("hoop", 1): [6.0, 5, 4, 3, 2, 1]}


def test_cells_are_scored_on_test_videos_alone(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL)
    cell = evaluate(tmp_path / "run").cells[0]
    predicted = np.array(BALL["ball", 0])
    assert cell.scores.num_videos == 6
    assert cell.scores.spearman == pytest.approx(spearmanr(predicted, TRUE["ball"]).statistic)
    assert cell.scores.interval.why_none == "too few videos"
    assert cell.scores.mean_error == pytest.approx(5 / 6)
    # Errors 1, 0, 1, 2, 1, 0 points; the labels range over 10.
    assert cell.scores.mse == pytest.approx(7 / 6)
    assert cell.scores.relative_l2 == pytest.approx(100 * 7 / 6 / 10**2)


def test_seeds_are_averaged_and_put_together(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL)
    (split,) = evaluate(tmp_path / "run").splits
    by_seed = [spearmanr(scores, TRUE["ball"]).statistic for scores in BALL.values()]
    assert split.mean == pytest.approx(np.mean(by_seed))
    assert split.std == pytest.approx(np.std(by_seed, ddof=1))
    ensemble = np.mean(list(BALL.values()), axis=0)
    assert split.ensemble.spearman == pytest.approx(spearmanr(ensemble, TRUE["ball"]).statistic)
    assert split.interval.why_none == "too few videos"


def test_classes_are_averaged_by_fisher_z(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL | HOOP)
    evaluation = evaluate(tmp_path / "run")
    rho = {key: spearmanr(scores, TRUE[key[0]]).statistic for key, scores in (BALL | HOOP).items()}
    per_seed = [fisher_z_mean([rho["ball", seed], rho["hoop", seed]]) for seed in (0, 1)]
    assert evaluation.overall.kind == "Fisher-z mean over splits"
    assert evaluation.overall.mean == pytest.approx(np.mean(per_seed))
    assert evaluation.overall.std == pytest.approx(np.std(per_seed, ddof=1))


def test_draws_from_the_same_videos_are_averaged_plainly(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL | HOOP, same_videos=True)
    evaluation = evaluate(tmp_path / "run")
    assert evaluation.overall.kind == "mean over splits"
    rho = [spearmanr(scores, TRUE[key[0]]).statistic for key, scores in (BALL | HOOP).items()]
    assert evaluation.overall.mean == pytest.approx(np.mean(rho))


def test_what_the_best_epoch_on_test_would_flatter(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL)
    evaluation = evaluate(tmp_path / "run")
    cell = evaluation.cells[0]
    assert (cell.last_on_test, cell.best_on_test, cell.best_epoch) == (0.4, 0.9, 2)
    assert evaluation.mean_gap == pytest.approx(0.5)
    assert "would report +0.500 more than the last epoch (not model selection)" in format_evaluation(
        evaluation
    )


def test_epochs_of_a_part_of_the_score_flatter_nothing(write_run: WriteRun, tmp_path: Path) -> None:
    recipe = find_head("wd").choose_recipe("folder", "ball", "adapted", {"clips": [4, 4]})
    write_run(tmp_path / "run", BALL, recipe=recipe)
    evaluation = evaluate(tmp_path / "run")
    assert (evaluation.has_epochs, evaluation.has_gap) == (True, False)
    assert "best epoch" not in format_evaluation(evaluation)


def test_constant_predictions_are_undefined_not_zero(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", {("ball", 0): [5.0] * 6})
    evaluation = evaluate(tmp_path / "run")
    assert math.isnan(evaluation.cells[0].scores.spearman)
    assert evaluation.to_dict()["cells"][0]["scores"]["spearman"] is None
    json.dumps(evaluation.to_dict(), allow_nan=False)
    assert "nan" in format_evaluation(evaluation)


def test_flags_are_printed(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(
        tmp_path / "run", BALL, facts={"weights": "random:0"}, shuffle_labels=True, select="best-on-test"
    )
    evaluation = evaluate(tmp_path / "run")
    assert evaluation.flags == ("RANDOM WEIGHTS", "SHUFFLED LABELS", "NOT MODEL SELECTION")
    text = format_evaluation(evaluation)
    for flag in evaluation.flags:
        assert flag in text


def test_the_table(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL | HOOP)
    lines = format_evaluation(evaluate(tmp_path / "run", num_resamples=200)).splitlines()
    assert lines[:2] == ["action-net (paper) on segments of gymnastics, target total", "kept: last epoch"]
    table = [line.split() for line in lines if line.startswith(("ball", "hoop"))]
    assert [row[:2] for row in table] == [
        [split, row] for split in ("ball", "hoop") for row in ("0", "1", "ensemble", "mean")
    ]
    assert {row[2] for row in table} == {"6"}
    assert any(line.startswith("Fisher-z mean over splits: ") for line in lines)


def test_an_unfinished_run_is_evaluated_as_far_as_it_is(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL, seeds=(0, 1, 2))
    evaluation = evaluate(tmp_path / "run")
    assert evaluation.num_unfinished == 1
    assert (
        "1 trained cell (split and seed) is missing: run the same `aqa fit` command again."
        in format_evaluation(evaluation)
    )


def test_a_run_without_any_cell_cannot_be_evaluated(write_run: WriteRun, tmp_path: Path) -> None:
    write_run(tmp_path / "run", BALL, seeds=(7,))
    with pytest.raises(
        RunError,
        match=r"has no finished trained cell \(split and seed\) of 1: run the same `aqa fit` command again",
    ):
        evaluate(tmp_path / "run")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RunError, match=r"is not a run directory .*expected the folder that `aqa fit --out` wrote"
    ):
        evaluate(tmp_path)


def test_classes_in_several_splits_have_a_plain_mean(
    write_run: WriteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fisher's z is for correlations: no accuracy of 1 may carry a mean to 1."""
    labels = np.array([1.0, 1, 1, 0, 0, 0])
    monkeypatch.setitem(TRUE, "a", labels)
    monkeypatch.setitem(TRUE, "b", labels)
    scores = {("a", 0): [0.9, 0.9, 0.9, 0.1, 0.1, 0.1], ("b", 0): [0.9, 0.1, 0.1, 0.1, 0.1, 0.9]}
    write_run(tmp_path / "run", scores, loss="cross-entropy")
    evaluation = evaluate(tmp_path / "run", num_resamples=50)
    assert evaluation.overall.kind == "mean over splits"
    assert evaluation.overall.mean == pytest.approx((1 + 3 / 6) / 2)


def test_classes_have_an_accuracy_and_scores_have_none(
    write_run: WriteRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clean (1) from a score of 1/2 on: with seed 0 wrong once of six, with seed 1 three times."""
    monkeypatch.setitem(TRUE, "jumps", np.array([1.0, 1, 1, 0, 0, 0]))
    scores = {("jumps", 0): [0.9, 0.5, 0.49, 0.1, 0.2, 0.3], ("jumps", 1): [0.1, 0.2, 0.9, 0.5, 0.1, 0.2]}
    write_run(tmp_path / "run", scores, loss="cross-entropy")
    evaluation = evaluate(tmp_path / "run", num_resamples=100)
    assert [cell.scores.accuracy for cell in evaluation.cells] == pytest.approx([5 / 6, 3 / 6])
    assert [row["accuracy"] for row in evaluation.rows()] == pytest.approx([5 / 6, 3 / 6])
    interval = evaluation.cells[0].scores.accuracy_interval
    assert interval is not None
    assert interval.low < 5 / 6 <= interval.high
    text = format_evaluation(evaluation)
    mean = next(line for line in text.splitlines() if line.startswith("jumps  mean"))
    assert mean.split() == ["jumps", "mean", "6", "0.667", "±", "0.236", "[0.300,", "0.903]"]
    # The mean of both seeds is wrong of the second video alone.
    assert evaluation.splits[0].ensemble.accuracy == pytest.approx(5 / 6)
    # Means and epochs are compared by accuracy, too.
    assert evaluation.metric == "accuracy"
    assert evaluation.overall.mean == evaluation.splits[0].mean == pytest.approx(4 / 6)
    # Wilson's, of four of six: a bootstrap of six videos would not know how few they are.
    assert evaluation.splits[0].interval == wilson_interval(4, 6)
    assert "would report +0.500 more than the last epoch in accuracy (not model selection)." in text
    assert evaluation.rows()[0]["best_on_test_accuracy_not_model_selection"] == 0.9

    write_run(tmp_path / "scores", BALL)
    plain = evaluate(tmp_path / "scores", num_resamples=100)
    assert plain.metric == "spearman"
    assert plain.cells[0].scores.accuracy is None
    assert "accuracy" not in format_evaluation(plain)
    assert "accuracy" not in plain.rows()[0]
