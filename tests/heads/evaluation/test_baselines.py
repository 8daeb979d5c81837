"""The baselines, and the verdict on a run beside them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval
from heads.data.feature_set import FeatureSet
from heads.evaluation.baselines import (
    FILE,
    BaselineRow,
    read_baselines,
    write_baselines,
)
from heads.evaluation.verdict import verdict_from
from heads.runs.predictions import Predicted


def make_samples(lengths: list[int], *, dim: int = 3) -> FeatureSet:
    rows = np.random.default_rng(0).normal(size=(len(lengths), max(lengths), dim)).astype(np.float32)
    for video, length in enumerate(lengths):
        rows[video, length:] = 0
    return FeatureSet(
        video_ids=tuple(f"v{at}" for at in range(len(lengths))),
        streams={"segments": torch.from_numpy(rows)},
        lengths={"segments": torch.tensor(lengths)},
        pts_seconds={},
        labels=np.arange(len(lengths), dtype=np.float64),
    )


def test_baselines_are_written_once_and_read_back(tmp_path: Path) -> None:
    samples = make_samples([2, 5, 3, 4, 1, 2])
    train, test = np.array([0, 1, 2, 3]), np.array([4, 5])
    write_baselines(tmp_path, lambda: samples, train=train, test=test)
    write_baselines(tmp_path, lambda: pytest.fail("it is there already"), train=train, test=test)
    rows = read_baselines(tmp_path)
    assert rows is not None
    assert [(row.video_id, row.true, row.mean) for row in rows] == [("v4", 4.0, 1.5), ("v5", 5.0, 1.5)]
    assert all(np.isfinite([row.ridge, row.rbf_svr, row.svr_average]).all() for row in rows)
    assert read_baselines(tmp_path / "elsewhere") is None
    (tmp_path / FILE).write_text("video_id,true,mean,ridge\nv4,four,1,1\n")
    with pytest.raises(RunError, match=r"is damaged .*delete it and run the same `aqa fit` command again"):
        read_baselines(tmp_path)


def verdict_of_errors(errors: np.ndarray, *, mean: float, ridge: float, splits: int = 1):
    videos = tuple(f"v{at:02d}" for at in range(len(errors)))
    true = np.full(len(errors), 50.0)
    tested = [Predicted(str(at), (0,), videos, true, (true + errors)[None]) for at in range(splits)]
    rows = [BaselineRow(video, 50.0, 50.0 + mean, 50.0 + ridge) for video in videos for _ in range(splits)]
    return verdict_from(tested, rows, two_class=False)


SPREAD = np.random.default_rng(0).normal(scale=0.1, size=20)


@pytest.mark.parametrize(
    ("error", "mean", "ridge", "conclusion"),
    [
        (4, 13.2, 6, "Usable: better than predicting the average and than ridge regression."),
        (4, 13.2, 3, "Better than predicting the average, but ridge regression is better: use it"),
        (4, 13.2, 4, "Usable: better than predicting the average. No clear difference from ridge"),
        (12.9, 13.2, 6, "Not usable yet: only 2% less error than predicting the average (usable from 10%)."),
        (11.8, 13.2, 14, "Usable: better than predicting the average and than ridge regression."),
        (13.2, 13.2, 6, "Not usable yet: not clearly better than predicting the average on these videos."),
        (15, 13.2, 6, "Not usable yet: worse than predicting the average"),
    ],
)
def test_the_verdict_is_in_points(error: float, mean: float, ridge: float, conclusion: str) -> None:
    verdict = verdict_of_errors(error + SPREAD - SPREAD.mean(), mean=mean, ridge=ridge)
    errors, second = verdict.sentences
    assert errors == (
        f"Mean error {error:.3g} points on 20 test videos. Always predicting the average: {mean:.3g}; "
        f"ridge regression: {ridge:.3g}."
    )
    assert second.startswith(conclusion)


def test_a_video_tested_five_times_is_one_video() -> None:
    once, five = (verdict_of_errors(4 + SPREAD, mean=4.05, ridge=4, splits=splits) for splits in (1, 5))
    assert once == five


def test_few_videos_cannot_say() -> None:
    verdict = verdict_of_errors(np.full(9, 1.0), mean=13, ridge=13)
    assert not verdict.is_usable
    assert verdict.gain == Interval.of_too_few()
    assert str(verdict).endswith("a verdict needs at least 10 different test videos; there are 9.")


def test_classes_are_counted() -> None:
    true = np.array([1.0] * 9 + [0.0] * 5)
    videos = tuple(f"v{at:02d}" for at in range(14))
    right = Predicted("official", (0, 1), videos, true, np.stack([true, true]))
    rows = [BaselineRow(video, label, 0.6, 1 - label) for video, label in zip(videos, true, strict=True)]
    verdict = verdict_from([right], rows, two_class=True)
    errors, conclusion = verdict.sentences
    assert (
        errors
        == "14 of 14 test videos correct. Always predicting the more frequent class: 9; ridge regression: 0."
    )
    assert conclusion == "Usable: better than predicting the more frequent class and than ridge regression."
