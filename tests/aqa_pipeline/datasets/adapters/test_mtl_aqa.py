"""MTL-AQA: the real labels, the pictures of every layout by their content, and label files that bite."""

import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.synthetic.render import write_video
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Video

LONG, SHORT, OTHER = (1, 1), (1, 2), (26, 7)
# A dive longer than the 103 frames that every released loader takes, and one that is shorter.
LONG_FRAMES, SHORT_FRAMES = range(120, 230), range(360 - 103, 360)
NUM_FRAMES = 380
ANNOTATIONS = "final_annotations_dict.pkl"
AUGMENTED = "augmented_final_annotations_dict.pkl"


def entry(
    start: int, end: int, *, score: float = 81.6, difficulty: float = 3.2, **more: Any
) -> dict[str, Any]:
    return {"start_frame": start, "end_frame": end, "final_score": score, "difficulty": difficulty, **more}


def entries() -> dict[tuple[int, int], dict[str, Any]]:
    return {LONG: entry(120, 230), SHORT: entry(300, 360), OTHER: entry(0, 30)}


def dump(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=3))


def write_labels(
    folder: Path,
    *,
    annotations: dict[Any, Any] | None = None,
    train: object = (LONG, SHORT),
    test: object = (OTHER,),
    name: str = ANNOTATIONS,
) -> None:
    dump(folder / name, entries() if annotations is None else annotations)
    for side, keys in (("train", train), ("test", test)):
        dump(folder / f"{side}_split_0.pkl", list(keys) if isinstance(keys, tuple) else keys)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_labels(tmp_path)
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("mtl-aqa", root)


def dives(root: Path) -> tuple[Video, Video]:
    dataset = load(root)
    return dataset.video("01_01"), dataset.video("01_02")


# The real label files


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


# Pictures


@pytest.mark.parametrize(
    ("folder", "name", "first"),
    [
        ("new/new_total_frames_256s/01", "{:08d}.jpg", 1),
        ("new_total_frames_256s/01", "{:08d}.jpg", 1),
        ("new/01", "{:08d}.jpg", 1),
        ("frames/01", "{:06d}.jpg", 1),
        ("whole_videos_frames/01", "{:06d}.jpg", 1),
        ("01", "img_{:05d}.jpg", 1),
        ("video1_frames", "{}.jpg", 0),
        ("frames/video1_frames", "frame{}.jpg", 0),
        ("video1_frames", "{}.jpg", 1),
    ],
)
def test_pictures_of_a_broadcast(
    root: Path, folder: str, name: str, first: int, fill_folder: Callable, shown_frames: Callable
) -> None:
    path = fill_folder(root / folder, range(NUM_FRAMES), name=name, first=first)
    long, short = dives(root)
    assert long.path == short.path == path
    assert long.fps == short.fps == 25.0
    assert shown_frames(long) == list(LONG_FRAMES)
    assert shown_frames(short) == list(SHORT_FRAMES)


@pytest.mark.parametrize(
    ("folder", "name", "first"), [("frames/01", "{:08d}.jpg", 1), ("video1_frames", "{}.jpg", 0)]
)
def test_pictures_around_the_dives_only(
    root: Path, folder: str, name: str, first: int, fill_folder: Callable, shown_frames: Callable
) -> None:
    """The place of a picture in such a folder says nothing about its frame."""
    kept = [*range(95, 240), *range(320 - 70, 370)]
    fill_folder(root / folder, kept, name=name, first=first)
    long, short = dives(root)
    assert shown_frames(long) == list(LONG_FRAMES)
    assert shown_frames(short) == list(SHORT_FRAMES)


def test_frames_before_the_labeled_start_are_taken_as_far_as_they_are_there(
    root: Path, fill_folder: Callable, shown_frames: Callable
) -> None:
    fill_folder(root / "frames/01", [*LONG_FRAMES, *range(255, 270), *range(280, 370)])
    long, short = dives(root)
    assert shown_frames(long) == list(LONG_FRAMES)
    assert shown_frames(short) == list(range(280, 360))


def test_a_dive_with_a_gap_is_missing_where_its_first_absent_picture_is_expected(
    root: Path, fill_folder: Callable, shown_frames: Callable
) -> None:
    folder = fill_folder(root / "frames/01", [n for n in range(NUM_FRAMES) if n not in (150, 151)])
    long, short = dives(root)
    assert long.path == folder / "00000151.jpg"
    assert shown_frames(short) == list(SHORT_FRAMES)
    report = check_dataset(load(root))
    assert ("01_01", folder / "00000151.jpg") in report.missing
    assert report.num_readable == 1


def test_a_broadcast_that_ends_before_a_dive(root: Path, fill_folder: Callable) -> None:
    fill_folder(root / "video1_frames", range(350), name="{}.jpg", first=0)
    assert dives(root)[1].path == root / "video1_frames/350.jpg"


def test_a_broken_folder_of_a_broadcast_is_unreadable_and_the_rest_goes_on(
    root: Path, fill_folder: Callable
) -> None:
    fill_folder(root / "frames/01", range(NUM_FRAMES))
    (root / "frames/01/cover.jpg").touch()
    fill_folder(root / "frames/26", range(40))
    report = check_dataset(load(root))
    assert [video_id for video_id, _ in report.unreadable] == ["01_01", "01_02"]
    assert "this picture has no number" in report.unreadable[0][1]
    assert report.num_readable == 1


@pytest.mark.parametrize("folder", ["frames", "frames_long", "data/frames"])
def test_a_folder_per_dive_is_taken_whole_and_before_the_broadcast(
    root: Path, folder: str, fill_folder: Callable, shown_frames: Callable
) -> None:
    """MUSDL's folders: numbered like the broadcast, from some frame before the dive to some after it."""
    path = fill_folder(root / folder / "01_01", range(125, 234))
    fill_folder(root / "new/new_total_frames_256s/01", range(NUM_FRAMES))
    long, short = dives(root)
    assert (long.path, long.start_frame, long.stop_frame, long.fps) == (path, 0, None, 25.0)
    assert shown_frames(long) == list(range(125, 234))
    assert shown_frames(short) == list(SHORT_FRAMES)


def test_a_folder_per_dive_without_zero_padding(
    root: Path, fill_folder: Callable, shown_frames: Callable
) -> None:
    fill_folder(root / "frames/01_01", range(5, 115), name="{}.jpg")
    assert shown_frames(dives(root)[0]) == list(range(5, 115))


@pytest.mark.parametrize("name", ["01.mp4", "1.mkv", "1.webm"])
@pytest.mark.parametrize("folder", ["videos", "whole_videos", "."])
def test_video_files_of_broadcasts_are_found_by_number(root: Path, folder: str, name: str) -> None:
    path = root / folder / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    long, short = dives(root)
    assert long.path == short.path == path
    assert (long.start_frame, long.stop_frame, long.fps) == (120, 230, None)
    assert (short.start_frame, short.stop_frame) == (257, 360)


def test_frames_of_a_video_file(root: Path, draw_frame: Callable, shown_frames: Callable) -> None:
    (root / "videos").mkdir()
    write_video(root / "videos/01.mp4", (draw_frame(n) for n in range(NUM_FRAMES)), fps=25)
    long, short = dives(root)
    assert shown_frames(long) == list(LONG_FRAMES)
    assert shown_frames(short) == list(SHORT_FRAMES)


def test_absent_videos_are_listed_where_they_are_expected(root: Path) -> None:
    assert [video.path for video in load(root).videos] == [
        root / "videos/01.mp4",
        root / "videos/01.mp4",
        root / "videos/26.mp4",
    ]


def test_a_dive_at_the_very_start_of_a_broadcast(root: Path) -> None:
    video = load(root).video("26_07")
    assert (video.start_frame, video.stop_frame) == (0, 30)


def test_the_command_says_what_is_there(root: Path, fill_folder: Callable) -> None:
    fill_folder(root / "frames/01", range(NUM_FRAMES))
    result = CliRunner().invoke(datasets, ["check", "mtl-aqa", "--root", str(root)])
    assert result.exit_code == 3
    assert "2 of 3 can be read" in result.output
    assert "official: 2/1" in result.output
    assert f"26_07: {root / 'videos/26.mp4'}" in result.output


# Labels


@pytest.mark.parametrize(
    "folder", [".", "info", "annotations", "MTL-AQA_dataset_release/Ready_2_Use/MTL-AQA_split_0_data"]
)
@pytest.mark.parametrize("name", [ANNOTATIONS, "final_annotations_dict_with_dive_number.pkl"])
def test_label_folders(tmp_path: Path, folder: str, name: str) -> None:
    write_labels(tmp_path / folder, name=name)
    dataset = load(tmp_path)
    assert [video.video_id for video in dataset.videos] == ["01_01", "01_02", "26_07"]
    assert dict(dataset.videos[0].labels) == {
        "score": 81.6,
        "execution": pytest.approx(25.5),
        "difficulty": 3.2,
    }
    assert [video.group for video in dataset.videos] == ["01", "01", "26"]


def with_marks(**changes: Any) -> dict[Any, Any]:
    marks = np.array([8.0, 8.5, 8.5, 8.5, 9.0, 8.0, 9.5])
    return {key: row | {"judge_scores": marks} | changes for key, row in entries().items()}


def test_marks_become_targets_and_their_file_is_preferred(root: Path) -> None:
    dump(root / AUGMENTED, with_marks())
    dataset = load(root)
    assert [target.name for target in dataset.targets[3:]] == [f"judge-{judge}" for judge in range(1, 8)]
    assert [dataset.videos[0].labels[f"judge-{judge}"] for judge in (1, 2, 7)] == [8.0, 8.5, 9.5]
    assert {(target.low, target.high) for target in dataset.targets[3:]} == {(0.0, 10.0)}


def test_the_known_slip_of_the_pen_is_mended_and_no_other(tmp_path: Path) -> None:
    marks = np.array([2.5, 4, 4, 45, 3.5, 5, 4])
    rows = {key: entry(0, 30, judge_scores=marks) for key in ((4, 49), (4, 50), (4, 51))}
    rows[4, 51]["judge_scores"] = np.array([2.5, 4, 4, 4, 3.5, 5, 4])
    write_labels(tmp_path, annotations=rows, train=((4, 49),), test=((4, 51),), name=AUGMENTED)
    dataset = load(tmp_path)
    assert dataset.video("04_49").labels["judge-4"] == 4.5
    assert dataset.problems == (
        f"{AUGMENTED} (4, 50): the mark of judge 4, 45, is not within 0 to 10; the video has no such label",
    )
    other = dataset.video("04_50").labels
    assert "judge-4" not in other
    assert (other["judge-3"], other["judge-5"], other["score"]) == (4.0, 3.5, 81.6)


@pytest.mark.parametrize(
    ("changes", "left", "reason"),
    [
        ({"final_score": None}, {"difficulty"}, None),
        ({"final_score": float("nan")}, {"difficulty"}, "final_score 'nan' is not a finite number"),
        ({"final_score": [1]}, {"difficulty"}, "final_score '[1]' is not a finite number"),
        ({"difficulty": 0.0}, {"score"}, "difficulty 0 is not above 0"),
    ],
)
def test_a_missing_score_costs_itself_and_what_is_made_of_it(
    tmp_path: Path, changes: dict[str, Any], left: set[str], reason: str | None
) -> None:
    write_labels(tmp_path, annotations=entries() | {SHORT: entry(0, 30) | changes})
    dataset = load(tmp_path)
    assert set(dataset.video("01_02").labels) == left
    told = f"{ANNOTATIONS} (1, 2): {reason}; the video has no such label"
    assert dataset.problems == (() if reason is None else (told,))
    assert (
        "1 of 3 videos have no execution: 01_02. They can be extracted"
        in dataset.notes[1 - len(left & {"score"})]
    )
    assert "01_02" in dataset.split("official").train


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (entry(30, 30), "start_frame 30 is not before end_frame 30"),
        (entry(-1, 30), "start_frame '-1' is not a whole number"),
        (
            entry(0, 30, score=float("nan"), difficulty=0.0),
            "final_score 'nan' is not a finite number; difficulty 0 is not above 0",
        ),
        ({"end_frame": 30}, "expected a dict with start_frame, end_frame, final_score, difficulty"),
        ("text", "expected a dict with"),
    ],
)
def test_a_bad_entry_is_a_problem_and_the_rest_goes_on(tmp_path: Path, row: object, reason: str) -> None:
    write_labels(tmp_path, annotations=entries() | {SHORT: row})
    dataset = load(tmp_path)
    assert [video.video_id for video in dataset.videos] == ["01_01", "26_07"]
    with pytest.raises(AssertionError, match=rf"{ANNOTATIONS} \(1, 2\): {reason}"):
        raise AssertionError(dataset.problems[0])
    assert dataset.problems[1] == "train_split_0.pkl entry 2: dive 01_02 has no usable labels"


@pytest.mark.parametrize(
    ("marks", "reason"),
    [
        ([8.0] * 6, "6 judge_scores, expected 7"),
        (8.0, "judge_scores 8.0 are not 7 marks"),
        ("abcdefg", "'a' is not"),
    ],
)
def test_bad_marks(tmp_path: Path, marks: object, reason: str) -> None:
    rows = with_marks()
    rows[SHORT]["judge_scores"] = marks
    write_labels(tmp_path, annotations=rows, name=AUGMENTED)
    assert reason in load(tmp_path).problems[0]


def test_an_entry_that_names_no_dive(tmp_path: Path) -> None:
    write_labels(tmp_path, annotations=entries() | {"total": 3}, train=(LONG, SHORT, 5))
    assert load(tmp_path).problems == (
        f"{ANNOTATIONS} total: 'total' is not (broadcast, dive)",
        "train_split_0.pkl entry 3: 5 is not (broadcast, dive)",
    )


def test_a_dive_on_both_sides(tmp_path: Path) -> None:
    write_labels(tmp_path, test=(OTHER, LONG))
    with pytest.raises(DatasetError, match=r"'official' trains and tests on the same videos: \['01_01'\]"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"annotations": {}}, "holds no dict"),
        ({"annotations": {LONG: {}}}, "has no usable entry; the first says"),
        ({"train": {"a": 1}}, "train_split_0.pkl holds no list"),
        ({"test": ((9, 9),)}, "test_split_0.pkl names no labeled dive"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_labels(tmp_path, **changes)
    with pytest.raises(DatasetError, match=message):
        load(tmp_path)


def test_all_missing_parts_are_in_one_message(tmp_path: Path) -> None:
    dump(tmp_path / "test_split_0.pkl", [OTHER])
    with pytest.raises(DatasetError) as error:
        load(tmp_path)
    message = str(error.value)
    assert (
        "no train_split_0.pkl and no augmented_final_annotations_dict.pkl (or final_annotations_dict.pkl"
        in message
    )
    assert "test_split_0.pkl" not in message.split("Expected:")[0]
    assert "ParitoshParmar/MTL-AQA" in message


class Bomb:
    """A pickle that makes a file when it is read carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("name", ["train_split_0.pkl", "test_split_0.pkl", ANNOTATIONS])
def test_a_malicious_pickle_is_refused_and_runs_nothing(root: Path, name: str) -> None:
    content = Bomb(root / "ran") if "split" in name else {LONG: entry(0, 30, score=Bomb(root / "ran"))}
    dump(root / name, content)
    with pytest.raises(DatasetError, match=rf"{name} cannot be read without running code: it uses .*mkdir"):
        load(root)
    assert not (root / "ran").exists()
    pickle.loads((root / name).read_bytes())  # it does bite
    assert (root / "ran").is_dir()
