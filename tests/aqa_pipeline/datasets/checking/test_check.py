"""The report on a dataset: what is found, missing, unreadable; hours, rates, sizes, scores."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import DatasetReport, check_dataset
from aqa_pipeline.datasets.checking.check_text import format_report
from aqa_pipeline.datasets.synthetic.render import write_video


def video(path: Path, *, num_frames: int, fps: int, width: int = 64, height: int = 48) -> None:
    write_video(
        path, (np.full((height, width, 3), i * 7 % 256, np.uint8) for i in range(num_frames)), fps=fps
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    video(tmp_path / "a.mp4", num_frames=30, fps=15)
    video(tmp_path / "long.mp4", num_frames=50, fps=25, width=96)
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "scores.csv").write_text(
        "id,video,score,start_frame,stop_frame,group\n"
        "a,a,1,,,x\n"
        "b,long,2,0,25,x\n"
        "c,long,3,25,45,y\n"
        "d,long,4,40,60,y\n"
        "e,text.mp4,5,,,\n"
        "f,absent.mp4,6,,,\n"
        "g,a,nan,,,\n"
    )
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes/a.csv").write_text("frame_index,x1,y1,x2,y2\n")
    return tmp_path


@pytest.fixture
def report(root: Path) -> DatasetReport:
    return check_dataset(load_dataset("folder", root))


def test_everything_is_counted(report: DatasetReport, root: Path) -> None:
    assert (report.num_videos, report.files.num_readable) == (6, 3)
    assert report.files.missing == (("f", root / "absent.mp4"),)
    assert [video_id for video_id, _ in report.files.unreadable] == ["d", "e"]
    assert "has 50 frames, but the performance is [40, 60)" in report.files.unreadable[0][1]
    assert str(root / "text.mp4") in report.files.unreadable[1][1]
    assert len(report.labels.problems) == 1
    assert report.files.total_seconds == pytest.approx(30 / 15 + 25 / 25 + 20 / 25, abs=1e-3)
    assert report.files.fps_counts == {25.0: 2, 15.0: 1}
    assert report.files.resolution_counts == {(96, 48): 2, (64, 48): 1}
    assert (report.labels.num_groups, report.boxes.num_videos) == (2, 1)
    assert not report.complete


def test_split_sizes_and_score_histogram(report: DatasetReport) -> None:
    assert report.labels.split_sizes["random-0"] == (4, 2)
    counts, edges = np.histogram([1, 2, 3, 4, 5, 6], bins=len(report.labels.histograms["score"].counts))
    assert report.labels.histograms["score"].counts == tuple(counts)
    assert report.labels.histograms["score"].edges == tuple(edges)


def test_text(report: DatasetReport) -> None:
    text = format_report(report)
    for part in (
        "3 of 6 can be read",
        "25 (2), 15 (1)",
        "96x48 (2), 64x48 (1)",
        "1.00 █",
        "random-0 ... random-2: 4/2",
        "missing (1)\n  f: ",
        "unreadable (2)\n  d: ",
        "labels not used (1)\n  scores.csv line 8: score 'nan'",
    ):
        assert part in text


def test_complete_dataset(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4", num_frames=2, fps=15)
    (tmp_path / "scores.csv").write_text("video,score\na,3\n")
    report = check_dataset(load_dataset("folder", tmp_path))
    assert report.complete
    text = format_report(report)
    assert "none: at least two usable videos are needed" in text
    assert "missing" not in text


def test_no_video_at_all_and_long_lists(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n" + "".join(f"v{i},{i}\n" for i in range(15)))
    text = format_report(check_dataset(load_dataset("folder", tmp_path)))
    assert "no video" in text
    assert "missing (15)" in text
    assert "and 5 more" in text


def test_frame_folders_count_with_their_rate(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "pictures").mkdir()
    for index in range(10):
        cv2.imwrite(str(tmp_path / f"pictures/{index:04d}.png"), np.zeros((20, 30, 3), np.uint8))
    (tmp_path / "scores.csv").write_text("video,score,fps\npictures,3,5\n")
    report = check_dataset(load_dataset("folder", tmp_path))
    assert report.files.total_seconds == pytest.approx(2.0)
    assert report.files.resolution_counts == {(30, 20): 1}


def test_pictures_that_are_not_plain_are_reported(tmp_path: Path) -> None:
    """An anamorphic film is counted in the size in which it is shown, and named."""
    video(tmp_path / "plain.mp4", num_frames=10, fps=10)
    with av.open(str(tmp_path / "wide.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for _ in range(10):
            picture = np.full((72, 96, 3), 90, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    (tmp_path / "scores.csv").write_text("video,score\nplain,1\nwide,2\n")
    report = check_dataset(load_dataset("folder", tmp_path))
    assert report.files.resolution_counts == {(64, 48): 1, (128, 72): 1}
    assert report.files.picture_counts == {"scaled to square pixels from 4:3": 1}
    assert "read    scaled to square pixels from 4:3 (1)" in format_report(report)
