"""MTL-AQA: the real labels."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Dataset

ANNOTATIONS = "final_annotations_dict.pkl"


def load(root: Path) -> Dataset:
    return load_dataset("mtl-aqa", root)


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("mtl")
    for path in (shared / "annotations/mtl_aqa").iterdir():
        shutil.copy(path, root)
    return load(root)


def scores(dataset: Dataset, name: str) -> np.ndarray:
    return np.array([video.labels[name] for video in dataset.videos])


def test_real_labels_have_the_published_counts(real: Dataset) -> None:
    assert len(real.videos) == 1412
    assert real.problems == ()
    assert real.default_splits == ("official",)
    official = real.split("official")
    assert (len(official.train), len(official.test)) == (1059, 353)
    assert len({video.group for video in real.videos}) == 15
    assert {"01_192", "26_125"} <= {video.video_id for video in real.videos}


@pytest.mark.parametrize(
    ("name", "low", "high"), [("score", 0, 104.5), ("execution", 0, 29), ("difficulty", 1.5, 4.1)]
)
def test_real_scores_lie_in_the_targets_range(real: Dataset, name: str, low: float, high: float) -> None:
    target, values = real.target(name), scores(real, name)
    assert (values.min(), values.max()) == (low, pytest.approx(high))
    assert target.low is not None
    assert target.high is not None
    assert target.low <= low < high <= target.high


def test_real_final_score_is_the_default_and_mostly_difficulty_times_the_middle_marks(real: Dataset) -> None:
    assert (real.target().name, real.target().low, real.target().high) == ("score", 0.0, 104.5)
    marks = np.stack([scores(real, f"judge-{judge}") for judge in range(1, 8)], axis=1)
    assert (marks.min(), marks.max()) == (0, 10)
    middle = np.sort(marks, axis=1)[:, 2:5].sum(axis=1)
    same = np.isclose(middle, scores(real, "execution"), atol=0.02)
    assert (~same).sum() == 27


def test_real_dives_are_never_shorter_than_what_released_loaders_take(real: Dataset, shared: Path) -> None:
    annotations = pickle.loads((shared / "annotations/mtl_aqa" / ANNOTATIONS).read_bytes())
    assert sum(entry["end_frame"] - entry["start_frame"] < 103 for entry in annotations.values()) == 758
    ends: dict[str | None, int] = {}
    for video, key in zip(real.videos, sorted(annotations), strict=True):
        stop = video.stop_frame or 0
        assert stop == annotations[key]["end_frame"]
        assert video.start_frame == min(annotations[key]["start_frame"], stop - 103)
        assert video.duration_seconds == (stop - video.start_frame) / 25
        # and what is added to a dive is never a part of the one before it
        assert video.start_frame >= ends.get(video.group, 0)
        ends[video.group] = stop


def test_real_labels_without_judges_are_the_same_but_for_the_judges(
    real: Dataset, shared: Path, tmp_path: Path
) -> None:
    for name in (ANNOTATIONS, "train_split_0.pkl", "test_split_0.pkl"):
        shutil.copy(shared / "annotations/mtl_aqa" / name, tmp_path)
    plain = load(tmp_path)
    assert [target.name for target in plain.targets] == ["score", "execution", "difficulty"]
    assert [target.name for target in real.targets[3:]] == [f"judge-{judge}" for judge in range(1, 8)]
    for video, full in zip(plain.videos, real.videos, strict=True):
        assert video.labels == {name: full.labels[name] for name in ("score", "execution", "difficulty")}
    assert plain.splits == real.splits


def test_real_broadcasts_are_not_torn_apart_by_grouped_splits(real: Dataset) -> None:
    group = {video.video_id: video.group for video in real.videos}
    for seed in range(5):
        split = real.split(f"grouped-{seed}")
        assert not {group[i] for i in split.train} & {group[i] for i in split.test}
        assert len(split.train) + len(split.test) == 1412
        assert abs(len(split.test) - 353) <= 60
