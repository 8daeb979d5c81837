"""MIT-Skating: the real label file, and every way in which its videos lie on disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

TITLE = "2014_Some_Champs_5-6-kpms-zLobo0"
OTHER = "Euro_Zagreb_PART_1-gUpqiztygag"
LINES = [
    f"1_{TITLE} 73.29 35.97 38.32 14186 18419",
    f"2_{TITLE} 78.60 38.10 40.50 24854 29077",
    f"1_{OTHER} 40.00 21.00 20.00 100 4200",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "annotations.txt").write_text("\n".join(LINES) + "\n")
    (tmp_path / "videos").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("mit")
    shutil.copy(shared / "annotations/mit_skating/annotations.txt", root)
    return load_dataset("mit-skating", root)


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def scores(dataset: Dataset, name: str) -> np.ndarray:
    return np.array([video.labels[name] for video in dataset.videos])


def test_real_labels_have_the_published_counts(real: Dataset) -> None:
    assert len(real.videos) == 150
    assert real.problems == ()
    assert len({video.group for video in real.videos}) == 13
    gap = scores(real, "total") - scores(real, "tes") - scores(real, "pcs")
    consistent, deducted = np.isclose(gap, 0, atol=5e-3), np.isclose(gap, -1, atol=5e-3)
    assert (consistent.sum(), deducted.sum(), (~consistent & ~deducted).sum()) == (113, 34, 3)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("total", 30.88, 99.86), ("tes", 15.17, 53.90), ("pcs", 15.71, 45.96)]
)
def test_real_scores_lie_in_the_targets_range(real: Dataset, name: str, low: float, high: float) -> None:
    target = real.target(name)
    assert (scores(real, name).min(), scores(real, name).max()) == (low, high)
    assert target.low is not None
    assert target.high is not None
    assert target.low <= low < high <= target.high


def test_total_is_the_default_target_and_lies_in_0_to_100(real: Dataset) -> None:
    assert (real.target().name, real.target().low, real.target().high) == ("total", 0.0, 100.0)
    assert scores(real, "total").mean() == pytest.approx(64.2, abs=0.05)


def test_real_windows_have_the_published_lengths(real: Dataset) -> None:
    lengths = [(video.stop_frame or 0) - video.start_frame for video in real.videos]
    assert (min(lengths), max(lengths)) == (4030, 4296)
    assert round(np.mean(lengths)) == 4179
    seconds = [video.duration_seconds for video in real.videos]
    assert np.mean(seconds) == pytest.approx(174.3, abs=0.05)


def test_the_duration_is_known_where_a_cut_clip_hides_its_frames(root: Path) -> None:
    touch(root / "videos" / "001.avi")
    first, second, _ = load_dataset("mit-skating", root).videos
    assert first.stop_frame is None
    assert first.duration_seconds == pytest.approx((18419 - 14186) * 1001 / 24000)
    assert second.duration_seconds == pytest.approx((29077 - 24854) * 1001 / 24000)


def test_random_splits_are_five_of_100_and_50(real: Dataset) -> None:
    assert real.default_splits == tuple(f"random-{seed}" for seed in range(5))
    ids = {video.video_id for video in real.videos}
    for name in real.default_splits:
        split = real.split(name)
        assert (len(split.train), len(split.test)) == (100, 50)
        assert {*split.train, *split.test} == ids
    assert len({real.split(name).test for name in real.default_splits}) == 5


def test_random_split_is_the_legacy_permutation_of_its_seed(real: Dataset) -> None:
    ids = [video.video_id for video in real.videos]
    expected = {ids[i] for i in np.random.RandomState(3).permutation(150)[:50]}
    assert set(real.split("random-3").test) == expected


def test_no_broadcast_is_on_both_sides_of_a_grouped_split(real: Dataset) -> None:
    group = {video.video_id: video.group for video in real.videos}
    for seed in range(5):
        split = real.split(f"grouped-{seed}")
        assert not {group[i] for i in split.train} & {group[i] for i in split.test}
        assert len(split.train) + len(split.test) == 150
        assert abs(len(split.test) - 50) <= 5
    assert len({real.split(f"grouped-{seed}").test for seed in range(5)}) > 1


@pytest.mark.parametrize(
    "name",
    [
        f"{TITLE}.mp4",
        "kpms-zLobo0.avi",
        "2014 Some Champs 5-6 [kpms-zLobo0].webm",
        "Other title-kpms-zLobo0.MKV",
    ],
)
def test_broadcasts_are_found_and_windowed(root: Path, name: str) -> None:
    path = touch(root / "videos" / name)
    first, second, missing = load_dataset("mit-skating", root).videos
    assert first.path == second.path == path
    assert (first.start_frame, first.stop_frame) == (14186, 18419)
    assert (second.start_frame, second.stop_frame) == (24854, 29077)
    assert first.group == TITLE
    assert missing.path == root / "videos" / f"{OTHER}.mp4"


@pytest.mark.parametrize(
    "name",
    [
        f"2_{TITLE}.avi",
        "2_2014 Some Champs 5-6-kpms-zLobo0.mp4",
        "2.mp4",
        "002.mp4",
        f"{TITLE}/2.avi",
        f"{TITLE}/002.mkv",
    ],
)
def test_cut_clips_are_found_whole(root: Path, name: str) -> None:
    path = touch(root / "videos" / name)
    video = load_dataset("mit-skating", root).videos[1]
    assert video.path == path
    assert (video.start_frame, video.stop_frame, video.fps) == (0, None, None)


def test_plain_numbers_are_lines_of_the_label_file(root: Path) -> None:
    path = touch(root / "videos/003.mp4")
    assert [v.path == path for v in load_dataset("mit-skating", root).videos] == [False, False, True]


def test_a_clip_is_no_broadcast(root: Path) -> None:
    touch(root / f"videos/2_{TITLE}.avi")
    first, second, _ = load_dataset("mit-skating", root).videos
    assert second.path.exists()
    assert not first.path.exists()


def test_clip_beats_broadcast_video_by_video(root: Path) -> None:
    broadcast, clip = touch(root / f"videos/{TITLE}.mp4"), touch(root / f"videos/1_{TITLE}.avi")
    first, second, _ = load_dataset("mit-skating", root).videos
    assert (first.path, first.stop_frame) == (clip, None)
    assert (second.path, second.stop_frame) == (broadcast, 29077)


def test_frame_folder_of_a_clip_runs_at_the_broadcasts_rate(root: Path) -> None:
    touch(root / f"videos/1_{TITLE}/00001.jpg")
    video = load_dataset("mit-skating", root).videos[0]
    assert video.path == root / f"videos/1_{TITLE}"
    assert video.fps == pytest.approx(23.976, abs=1e-3)


def test_boxes_beside_the_videos_are_picked_up(root: Path) -> None:
    boxes = touch(root / f"boxes/1_{TITLE}.csv")
    assert [video.boxes for video in load_dataset("mit-skating", root).videos] == [boxes, None, None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"3_{TITLE} nan x - 3 4", "TOTAL 'nan' is not a finite number; TES 'x' is not"),
        (f"3_{TITLE} 1 x 2 3 4", "TES 'x' is not a finite number"),
        (f"3_{TITLE} 1 1 2 30 4", "start_frame 30 is not before end_frame 4"),
        (f"3_{TITLE} 1 1 2 3", "got 5 words"),
        ("no-number 1 1 2 3 4", "name 'no-number' is not"),
        (f"3_../../{TITLE} 1 1 2 3 4", "is not <k>_<broadcast title>"),
        (f"1_{TITLE} 1 1 2 3 4", "has different values each time"),
    ],
)
def test_a_bad_line_is_a_problem_and_the_rest_goes_on(root: Path, line: str, reason: str) -> None:
    (root / "annotations.txt").write_text("\n".join([*LINES, line]))
    dataset = load_dataset("mit-skating", root)
    assert len(dataset.problems) == 1
    assert reason in dataset.problems[0]
    assert "line 4" in dataset.problems[0]
    assert f"2_{TITLE}" in [video.video_id for video in dataset.videos]


def test_a_missing_score_costs_only_itself(root: Path) -> None:
    (root / "annotations.txt").write_text("\n".join([*LINES, f"3_{TITLE} DNF 30.5 31 3 4"]))
    dataset = load_dataset("mit-skating", root)
    assert dict(dataset.videos[3].labels) == {"tes": 30.5, "pcs": 31.0}
    assert dataset.problems == ()
    assert dataset.notes == (
        f"1 of 4 videos have no total: 3_{TITLE}. They can be extracted, but are left out "
        "when a head is trained on this target.",
    )


def test_label_file_without_usable_line(root: Path) -> None:
    (root / "annotations.txt").write_text("hello\n")
    with pytest.raises(DatasetError, match=r"no usable line.*got 1 word"):
        load_dataset("mit-skating", root)


def test_missing_label_file_says_where_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no annotations.txt.*chmxu/MS_LSTM"):
        load_dataset("mit-skating", tmp_path)
