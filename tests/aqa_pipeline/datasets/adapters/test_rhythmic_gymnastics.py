"""Rhythmic Gymnastics: the real label files, and where labels and videos may lie."""

import shutil
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

HEADER = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
TRAIN = "Ball_001\t10.50\t8.30\t18.80\t0.00\t92"
TEST = "Ball_022\t9.10\t7.60 16.70\t0.00\t91"


@pytest.fixture(scope="module")
def labels(shared: Path) -> Path:
    return shared / "annotations/rhythmic_gymnastics"


@pytest.fixture(scope="module")
def real(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("rg")
    for name in ("train.txt", "test.txt"):
        shutil.copy(labels / name, root)
    return load_dataset("rhythmic-gymnastics", root)


def write_labels(folder: Path, *, train: str = TRAIN, test: str = TEST) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.txt").write_text(f"{HEADER}\n{train}\n")
    (folder / "test.txt").write_text(f"{HEADER}\n{test}\n")


def test_real_labels_have_the_published_counts(real: Dataset) -> None:
    assert len(real.videos) == 1000
    assert real.problems == ()
    assert real.default_splits == ("ball", "clubs", "hoop", "ribbon")
    for apparatus in real.default_splits:
        split = real.split(apparatus)
        assert (len(split.train), len(split.test)) == (200, 50)
        assert all(i.startswith(f"{apparatus.capitalize()}_") for i in (*split.train, *split.test))
    assert sum(len(split.train) for split in real.splits.values()) == 800


def test_real_durations_are_those_of_the_labels(real: Dataset) -> None:
    seconds = [video.duration_seconds for video in real.videos]
    assert real.video("Ball_001").duration_seconds == 92
    assert (min(seconds), max(seconds)) == (87, 99)


def test_real_total_is_difficulty_plus_execution_less_penalty(real: Dataset, labels: Path) -> None:
    rows = [
        line.split()
        for name in ("train", "test")
        for line in (labels / f"{name}.txt").read_text().splitlines()[1:]
    ]
    penalty = {row[0]: float(row[4]) for row in rows}
    for video in real.videos:
        expected = video.labels["difficulty"] + video.labels["execution"] - penalty[video.video_id]
        assert video.labels["total"] == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize(
    ("apparatus", "low", "high"),
    [("Ball", 3.85, 23.7), ("Clubs", 6.5, 24.0), ("Hoop", 4.45, 23.65), ("Ribbon", 5.35, 21.7)],
)
def test_real_totals_have_the_published_range(real: Dataset, apparatus: str, low: float, high: float) -> None:
    totals = [video.labels["total"] for video in real.videos if video.video_id.startswith(apparatus)]
    assert (min(totals), max(totals)) == (low, high)


def test_every_target_is_divided_by_25_as_in_the_released_code(real: Dataset) -> None:
    assert [(t.name, t.low, t.high) for t in real.targets] == [
        ("total", 0.0, 25.0),
        ("difficulty", 0.0, 25.0),
        ("execution", 0.0, 25.0),
    ]
    assert max(value for video in real.videos for value in video.labels.values()) <= 25


@pytest.mark.parametrize("labels_in", [".", "data", "annotations"])
@pytest.mark.parametrize("find_videos", ["videos", "RG_public/videos", "RG_public", "."])
def test_layouts(tmp_path: Path, labels_in: str, find_videos: str) -> None:
    write_labels(tmp_path / labels_in)
    path = tmp_path / find_videos / "Ball_001.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    dataset = load_dataset("rhythmic-gymnastics", tmp_path)
    assert [video.path for video in dataset.videos] == [path, tmp_path / "videos/Ball_022.mp4"]
    assert dict(dataset.videos[0].labels) == {"total": 18.8, "difficulty": 10.5, "execution": 8.3}
    assert dataset.videos[0].group is None
    assert dataset.default_splits == ("ball",)


def test_frame_folders_run_at_25_fps(tmp_path: Path) -> None:
    write_labels(tmp_path)
    (tmp_path / "videos/Ball_001").mkdir(parents=True)
    (tmp_path / "videos/Ball_001/0001.png").touch()
    first, second = load_dataset("rhythmic-gymnastics", tmp_path).videos
    assert (first.path.name, first.fps, second.fps) == ("Ball_001", 25.0, None)


def test_a_missing_score_costs_only_itself(tmp_path: Path) -> None:
    write_labels(tmp_path, train=f"{TRAIN}\nBall_003 1 n/a 3 - -")
    dataset = load_dataset("rhythmic-gymnastics", tmp_path)
    video = dataset.video("Ball_003")
    assert dict(video.labels) == {"difficulty": 1.0, "total": 3.0}
    assert video.duration_seconds is None
    assert dataset.problems == ()
    assert dataset.notes == (
        "1 of 3 videos have no execution: Ball_003. They can be extracted, but are left out "
        "when a head is trained on this target.",
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Ball_003 nan nan nan 0 90", "total 'nan' is not a finite number"),
        ("Ball_003 1 2 3", "got 4 words"),
        ("Rope_003 1 2 3 0 90", "does not begin with one of ball, clubs, hoop, ribbon"),
        ("Ball_/../../x 1 2 3 0 90", "leads out of the dataset's folder"),
    ],
)
def test_a_bad_row_is_a_problem_and_the_rest_goes_on(tmp_path: Path, row: str, reason: str) -> None:
    write_labels(tmp_path, train=f"{TRAIN}\n{row}")
    dataset = load_dataset("rhythmic-gymnastics", tmp_path)
    assert [video.video_id for video in dataset.videos] == ["Ball_001", "Ball_022"]
    assert len(dataset.problems) == 1
    assert dataset.problems[0].startswith("train.txt line 3: ")
    assert reason in dataset.problems[0]


def test_a_video_on_both_sides_is_refused(tmp_path: Path) -> None:
    write_labels(tmp_path, test=f"{TEST}\n{TRAIN}")
    dataset = load_dataset("rhythmic-gymnastics", tmp_path)
    assert [video.video_id for video in dataset.videos] == ["Ball_022"]
    assert "train.txt line 2, test.txt line 3: id 'Ball_001' has different values" in dataset.problems[0]
    assert dataset.splits == {}


def test_missing_side(tmp_path: Path) -> None:
    write_labels(tmp_path)
    (tmp_path / "test.txt").unlink()
    with pytest.raises(DatasetError, match=r"(?s)no test.txt in .*qinghuannn/ACTION-NET"):
        load_dataset("rhythmic-gymnastics", tmp_path)
