"""The verdict on a run: each sentence that it can say, from errors that are known, and what is counted."""

import math

import numpy as np
import pytest

from heads.data.score_scale import ScoreScale
from heads.evaluation.baselines import BaselineRow
from heads.evaluation.residuals import SplitResiduals, residual_of_each, split_residuals, thirds_of_scores
from heads.evaluation.verdict import Verdict, verdict_from
from heads.runs.predictions import Predicted
from heads.runs.trained_cell import TrainedCell, VideoScore


def verdict(head: float, mean: float, ridge: float, *, num: int = 40, noise: float = 0.0) -> Verdict:
    """Return the verdict on errors of these sizes, the same for every video but for some noise."""
    rng = np.random.default_rng(0)
    true = np.linspace(40, 80, num)
    off = head + noise * rng.uniform(-1, 1, size=num)
    names = tuple(f"v{at:02d}" for at in range(num))
    told = Predicted("s", (0,), names, true, (true + off)[None])
    rows = [
        BaselineRow(name, value, value - mean, value + ridge) for name, value in zip(names, true, strict=True)
    ]
    return verdict_from([told], rows, two_class=False)


@pytest.mark.parametrize(
    ("errors", "usable", "conclusion"),
    [
        ((2, 10, 9), True, "Usable: better than predicting the average and than ridge regression."),
        (
            (2, 10, 2),
            True,
            "Usable: better than predicting the average. "
            "No clear difference from ridge regression on these videos.",
        ),
        (
            (5, 10, 1),
            True,
            "Better than predicting the average, but ridge regression is better: "
            "use it, or try another head.",
        ),
        (
            (9.5, 10, 9),
            False,
            "Not usable yet: only 5% less error than predicting the average (usable from 10%).",
        ),
        ((12, 10, 9), False, "Not usable yet: worse than predicting the average on these videos."),
        (
            (10, 10, 9),
            False,
            "Not usable yet: not clearly better than predicting the average on these videos.",
        ),
    ],
)
def test_each_conclusion_follows_from_the_errors(errors, usable: bool, conclusion: str) -> None:
    found = verdict(*errors)
    assert found.is_usable == usable
    assert found.sentences[1] == conclusion
    assert str(found) == " ".join(found.sentences)
    assert found.to_dict()["text"] == str(found)
    assert found.to_dict()["is_usable"] == usable


def test_errors_are_in_points_with_three_digits() -> None:
    assert verdict(2, 10, 9).sentences[0] == (
        "Mean error 2 points on 40 test videos. Always predicting the average: 10; ridge regression: 9."
    )
    assert "Mean error 0.0123 points" in verdict(0.012345, 1, 1).sentences[0]
    assert "Mean error 1235 points" in verdict(1234.6, 2000, 2000).sentences[0]


def test_nine_videos_say_nothing_and_ten_something() -> None:
    assert verdict(2, 10, 9, num=9).sentences[1] == (
        "Not usable yet: a verdict needs at least 10 different test videos; there are 9."
    )
    assert verdict(2, 10, 9, num=9).to_dict()["gain"] == [None, None]
    assert verdict(2, 10, 9, num=10).is_usable


def test_a_training_mean_without_error_is_no_division_by_zero() -> None:
    found = verdict(0, 0, 0)
    assert not found.is_usable
    assert "not clearly better than predicting the average" in found.sentences[1]


def test_classes_count_correct_videos() -> None:
    num = 20
    true = np.array([0.0, 1.0] * 10)
    told = Predicted("s", (0,), tuple(f"v{at:02d}" for at in range(num)), true, np.abs(true - 0.1)[None])
    rows = [BaselineRow(f"v{at:02d}", true[at], 0.5, true[at]) for at in range(num)]
    found = verdict_from([told], rows, two_class=True)
    assert found.sentences[0] == (
        "20 of 20 test videos correct. Always predicting the more frequent class: 10; ridge regression: 20."
    )
    assert "predicting the more frequent class" in found.sentences[1]


def test_a_video_of_several_splits_counts_once_with_its_mean_error() -> None:
    true = np.full(12, 50.0)
    names = tuple(f"v{at:02d}" for at in range(12))
    splits = [
        Predicted(str(at), (0,), names, true, np.full((1, 12), 50.0 + off)) for at, off in enumerate((2, 6))
    ]
    rows = [BaselineRow(name, 50.0, 60.0, 55.0) for name in names for _ in range(2)]
    found = verdict_from(splits, rows, two_class=False)
    assert (found.num_videos, found.error, found.mean_error, found.ridge_error) == (12, 4.0, 10.0, 5.0)


def cell(seed: int, told: list[float]) -> TrainedCell:
    rows = [VideoScore(f"v{at}", "test", float(at), score) for at, score in enumerate(told)]
    rows.append(VideoScore("training", "train", 5.0, 99.0))
    return TrainedCell("s", seed, 1, ScoreScale(0, 10), (), tuple(reversed(rows)))


def test_residuals_are_of_test_videos_and_of_the_mean_over_seeds() -> None:
    found = split_residuals([cell(0, [0.0, 3.0, 2.0]), cell(1, [2.0, 3.0, 6.0])])
    assert found.videos == ("v0", "v1", "v2")
    assert found.residuals.tolist() == [-1.0, -2.0, -2.0]
    assert found.seed_std == pytest.approx([math.sqrt(2), 0, math.sqrt(8)])
    assert (found.half_width, found.coverage) == (2.0, 0.75)
    assert split_residuals([cell(0, [1.0, 2.0])]).seed_std.tolist() == [0, 0]


def residuals(split: str, names: str, true: list[float], mean: list[float]) -> SplitResiduals:
    zeros = np.zeros(len(true))
    return SplitResiduals(split, tuple(names), np.array(true), np.array(mean), zeros, 1.0, 0.9)


def test_a_video_of_two_splits_has_the_mean_of_its_residuals() -> None:
    both = [residuals("a", "xy", [5, 5], [4, 7]), residuals("b", "yz", [5, 5], [1, 5])]
    assert residual_of_each(both) == {"x": 1.0, "y": 1.0, "z": 0.0}


def test_thirds_hold_a_third_each_and_ties_stay_together() -> None:
    names = "abcdefghi"
    thirds = thirds_of_scores([residuals("s", names, list(range(9)), [0] * 9)])
    groups = list(dict.fromkeys(thirds.values()))
    assert [sum(group == each for each in thirds.values()) for group in groups] == [3, 3, 3]
    assert groups[0].startswith("score below ")
    assert groups[2].startswith("score above ")
    tied = thirds_of_scores([residuals("s", names, [5.0] * 9, [0] * 9)])
    assert len(set(tied.values())) == 1
