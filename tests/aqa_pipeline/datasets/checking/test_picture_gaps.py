"""Gaps in numbered pictures are found by their numbers, and reported by `datasets check`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.checking.check_text import format_report
from aqa_pipeline.datasets.checking.picture_gaps import find_gaps, gap_notes
from aqa_pipeline.records import Video


def pictures(folder: Path, numbers: list[int]) -> Path:
    folder.mkdir(parents=True)
    for number in numbers:
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(folder / f"{number:04d}.png")
    return folder


@pytest.mark.parametrize(
    ("names", "gaps"),
    [
        (["1.jpg", "2.jpg", "5.jpg"], [("2.jpg", 2)]),
        (["0001.jpg", "0002.jpg", "0004.jpg", "0005.jpg", "0009.jpg"], [("0002.jpg", 1), ("0005.jpg", 3)]),
        (["0.jpg", "5.jpg", "10.jpg"], []),
        (["0.jpg", "5.jpg", "10.jpg", "25.jpg"], [("10.jpg", 2)]),
        (["7.jpg", "8.jpg", "9.jpg"], []),  # where numbers begin says nothing
        (["f1000.jpg", "f1033.jpg", "f1067.jpg", "f1100.jpg"], []),  # milliseconds of 30 fps
        (["a1.jpg", "a2.jpg", "b9.jpg", "b10.jpg"], []),  # two series
        (["1.jpg"], []),
        ([], []),
    ],
)
def test_gaps(names: list[str], gaps: list[tuple[str, int]]) -> None:
    assert find_gaps(names) == gaps


def test_check_tells_a_gap_and_stays_complete(tmp_path: Path) -> None:
    pictures(tmp_path / "holed", [1, 2, 3, 7, 8])
    pictures(tmp_path / "whole", [1, 2, 3, 4])
    (tmp_path / "scores.csv").write_text("video,score,fps\nholed,3,5\nwhole,4,5\nabsent,5,5\n")
    report = check_dataset(load_dataset("folder", tmp_path))
    assert report.notes == (
        "1 video has gaps in the numbers of the pictures; pictures after a gap are shown too "
        "early: holed (3 missing after 0003.png)",
    )
    assert "worth knowing (1)\n  1 video has gaps" in format_report(report)


def test_only_the_gaps_of_the_performance_count(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "broadcast", [1, 2, 4, 5, 6, 9, 10])
    before, within = Video("b", folder, start_frame=2, stop_frame=5), Video("w", folder, stop_frame=7)
    assert gap_notes([before]) == ()
    (note,) = gap_notes([before, within])
    assert note.endswith("early: w (3 missing in 2 places, the first after 0002.png)")
