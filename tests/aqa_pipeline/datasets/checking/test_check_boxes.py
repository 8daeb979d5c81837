"""Boxes that are of another picture: named by the check, and failed one by one in an extraction."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.checking.check_text import format_report
from aqa_pipeline.datasets.synthetic.render import write_video
from aqa_pipeline.store import Store
from extract.choices.options import AthleteOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.run.stage import Extraction, extract

WIDTH, HEIGHT, NUM_FRAMES = 96, 64, 20
GOOD = "frame_index,x1,y1,x2,y2\n" + "".join(f"{n},{30 + n},10,{60 + n},62\n" for n in range(NUM_FRAMES))
QUADS = "x1,y1,x2,y2,x3,y3,x4,y4\n" + "30,10,60,10,60,62,30,62\n" * NUM_FRAMES
REFUSED = {
    "shares": ("frame_index,x1,y1,x2,y2\n0,0.2,0.1,0.5,0.9\n", "Multiply x by 96 and y by 64"),
    "larger": ("frame_index,x1,y1,x2,y2\n0,60,20,120,124\n", "reaches beyond the picture of 96x64 pixels"),
    "beyond": ("frame_index,x1,y1,x2,y2\n250,30,10,60,62\n", "the video has the frames 0 to 19"),
    "sizes": ("frame_index,x,y,w,h\n0,30,10,30,50\n", "x2 = x + width"),
    "swapped": ("frame_index,x1,y1,x2,y2\n0,40,10,30,50\n", "not a width and a height"),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "boxes").mkdir()
    tables = {"good": GOOD, "quads": QUADS} | {name: text for name, (text, _) in REFUSED.items()}
    for name, text in tables.items():
        pictures = (np.full((HEIGHT, WIDTH, 3), 9 * at, np.uint8) for at in range(NUM_FRAMES))
        write_video(tmp_path / f"{name}.mp4", pictures, fps=10)
        (tmp_path / f"boxes/{name}.csv").write_text(text)
    rows = [f"{name},{at}" for at, name in enumerate(tables)]
    (tmp_path / "scores.csv").write_text("\n".join(["video,score", *rows]))
    return tmp_path


def test_the_check_names_them(root: Path) -> None:
    report = check_dataset(load_dataset("folder", root))
    refused = dict(report.boxes.refused)
    assert set(refused) == set(REFUSED)
    for name, (_, reason) in REFUSED.items():
        assert reason in refused[name]
    assert not report.complete
    assert "boxes refused (5)" in format_report(report)


def test_an_extraction_fails_their_videos_and_does_the_rest(root: Path) -> None:
    dataset = load_dataset("folder", root)
    networks = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
    athlete = AthleteOptions(detector="annotations")
    streams = build_streams(["crops"], StreamOptions(networks=networks, athlete=athlete))
    videos = [video for video in dataset.videos if video.video_id != "quads"]
    report = extract(Extraction("own", Store(root / "s"), streams), videos, progress=lambda **_: None)
    assert [row.video_id for row in report.written] == ["good"]
    assert {failure.video_id for failure in report.failures} == set(REFUSED)
    for failure in report.failures:
        assert REFUSED[failure.video_id][1] in failure.reason


def test_boxes_in_one_corner_are_doubted(root: Path) -> None:
    (root / "boxes/good.csv").write_text(
        "frame_index,x1,y1,x2,y2\n" + "".join(f"{n},3,4,40,30\n" for n in range(NUM_FRAMES))
    )
    report = check_dataset(load_dataset("folder", root))
    (doubted,) = report.boxes.doubtful
    assert doubted[0] == "good"
    assert "up to x 40 and y 30 of 96x64 pixels" in doubted[1]
    assert "boxes in doubt (1)" in format_report(report)
