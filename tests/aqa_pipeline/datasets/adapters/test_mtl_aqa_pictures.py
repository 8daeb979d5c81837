"""MTL-AQA: the pictures and videos of every layout, by their content."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.synthetic.render import write_video
from aqa_pipeline.records import Dataset, Video

LONG, SHORT, OTHER = (1, 1), (1, 2), (26, 7)
# A dive longer than the 103 frames that every released loader takes, and one that is shorter.
LONG_FRAMES, SHORT_FRAMES = range(120, 230), range(360 - 103, 360)
NUM_FRAMES = 380


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with the labels of three dives, two of them in the first broadcast."""
    frames = {LONG: (120, 230), SHORT: (300, 360), OTHER: (0, 30)}
    labels = {
        dive: {"start_frame": start, "end_frame": end, "final_score": 81.6, "difficulty": 3.2}
        for dive, (start, end) in frames.items()
    }
    files = {"final_annotations_dict": labels, "train_split_0": [LONG, SHORT], "test_split_0": [OTHER]}
    for name, content in files.items():
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=3))
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("mtl-aqa", root)


def dives(root: Path) -> tuple[Video, Video]:
    dataset = load(root)
    return dataset.video("01_01"), dataset.video("01_02")


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
    assert ("01_01", folder / "00000151.jpg") in report.files.missing
    assert report.files.num_readable == 1


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
    assert [video_id for video_id, _ in report.files.unreadable] == ["01_01", "01_02"]
    assert "this picture has no number" in report.files.unreadable[0][1]
    assert report.files.num_readable == 1


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
