"""The box of an athlete is written as the commands read boxes, and replaces no file of another hand."""

from pathlib import Path

import pytest

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.datasets.writing.athlete_box import (
    AthleteBox,
    BoxesOfAnother,
    box_from_shares,
    read_athlete_box,
    write_athlete_box,
)
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage

FOOTAGE = Footage(width=640, height=480, num_frames=100, start_frame=10, stop_frame=50, fps=25.0)
BOX = AthleteBox(10, (64.0, 48.0, 320.0, 240.0))


def test_shares_become_pixels_within_the_picture() -> None:
    assert box_from_shares(10, (0.1, 0.1, 0.5, 0.5), FOOTAGE) == BOX
    assert box_from_shares(10, (-1, 0, 0.5, 2), FOOTAGE).corners == (0, 0, 320, 480)


@pytest.mark.parametrize(
    ("frame", "shares", "message"),
    [
        (10, (0.5, 0.1, 0.1, 0.5), "has no area"),
        (10, (0.1, 0.1, 0.1, 0.1), "has no area"),
        (10, (0.1, 0.1, 0.104, 0.104), "smaller than 4 pixels"),
        (9, (0.1, 0.1, 0.5, 0.5), "no row is in the performance"),
        (100, (0.1, 0.1, 0.5, 0.5), "the last row is of frame 100"),
    ],
)
def test_a_box_that_cannot_be_the_athlete_is_refused(
    frame: int, shares: tuple[float, ...], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        box_from_shares(frame, shares, FOOTAGE)


def test_a_box_is_written_changed_and_removed(tmp_path: Path) -> None:
    assert read_athlete_box(tmp_path, "a-1") is None
    write_athlete_box(tmp_path, "a-1", BOX)
    assert read_boxes(tmp_path / "boxes" / "a-1.csv")[10].tolist() == [[64.0, 48.0, 320.0, 240.0]]
    other = AthleteBox(12, (1.5, 2.0, 30.0, 40.0))
    write_athlete_box(tmp_path, "a-1", other)
    assert read_athlete_box(tmp_path, "a-1") == other
    write_athlete_box(tmp_path, "a-1", None)
    assert list((tmp_path / "boxes").iterdir()) == []
    write_athlete_box(tmp_path, "a-1", None)


def test_boxes_of_another_hand_are_kept(tmp_path: Path) -> None:
    text = "frame_index,x1,y1,x2,y2\n" + "".join(f"{at},1,1,50,50\n" for at in range(40))
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes" / "a.csv").write_text(text)
    with pytest.raises(BoxesOfAnother, match=r"boxes.a\.csv has 40 boxes"):
        write_athlete_box(tmp_path, "a", BOX)
    write_athlete_box(tmp_path, "a", None)
    assert (tmp_path / "boxes" / "a.csv").read_text() == text
