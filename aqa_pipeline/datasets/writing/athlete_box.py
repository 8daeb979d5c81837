"""Point at the athlete: one box in one frame of a performance, in the file of boxes of its id.

The file is `boxes/<id>.csv`, which all commands read. A file with more boxes was made by somebody else, and
is never replaced.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.athlete.boxes import read_boxes, write_boxes
from aqa_pipeline.datasets.reading.disk import boxes_beside
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.plurals import counted

FOLDER = "boxes"
DECIMALS = 1  # of a pixel: a hand points no better


class BoxesOfAnother(DatasetError):
    """A file of boxes was made by somebody else: by a program, or for every frame."""


@dataclass(frozen=True)
class AthleteBox:
    """The athlete in one frame of the file: corners `x1 y1 x2 y2` in pixels of the displayed picture."""

    frame_index: int
    corners: tuple[float, float, float, float]


def box_from_shares(frame_index: int, shares: tuple[float, ...], footage: Footage) -> AthleteBox:
    """Return the box whose corners are shares of the picture, x1 y1 x2 y2, cut at the border.

    Raises `DatasetError` for a box that is too small for a person, or in a frame outside the performance.
    """
    x1, y1, x2, y2 = (min(max(share, 0.0), 1.0) for share in shares)
    width, height = footage.width, footage.height
    left, right = (round(share * width, DECIMALS) for share in (x1, x2))
    top, bottom = (round(share * height, DECIMALS) for share in (y1, y2))
    box = AthleteBox(frame_index, (left, top, right, bottom))
    if not (left < right and top < bottom):
        raise DatasetError("the box has no area: draw it around the athlete")
    check_box(box, footage)
    return box


def check_box(box: AthleteBox, footage: Footage) -> None:
    """Raise `DatasetError` for a box that cannot be the athlete of this performance."""
    corners = np.array(box.corners, np.float64).reshape(1, 2, 2)
    check_belong(np.array([box.frame_index]), corners, footage, name="the athlete's box")


def read_athlete_box(root: Path, video_id: str) -> AthleteBox | None:
    """Return the box of that id; None without a file.

    Raises `BoxesOfAnother` for a file that does not hold one box, and `DatasetError` for one that cannot be
    read.
    """
    path = boxes_beside(FolderNames(root), video_id)
    if path is None:
        return None
    table = read_boxes(path)
    if len(table.corners) != 1:
        raise BoxesOfAnother(
            f"{path.relative_to(root)} has {counted(len(table.corners), 'box', 'boxes')}, which one box does "
            "not replace. Delete the file first"
        )
    x1, y1, x2, y2 = table.corners.reshape(4).tolist()
    return AthleteBox(int(table.frame_of_row[0]), (x1, y1, x2, y2))


def write_athlete_box(root: Path, video_id: str, box: AthleteBox | None) -> None:
    """Write the box of that id in place of an earlier one; None removes it, and keeps boxes of another hand.

    Raises `BoxesOfAnother` where a box would replace them, and `DatasetError` for a link out of the folder.
    """
    try:
        before = read_athlete_box(root, video_id)
    except BoxesOfAnother:
        if box is None:
            return
        raise
    if before == box:
        return
    path = boxes_beside(FolderNames(root), video_id) or root / FOLDER / f"{video_id}.csv"
    if not path.resolve().is_relative_to(root.resolve()):
        raise DatasetError(f"{FOLDER} is a link that leads out of the folder: nothing is written there")
    if box is None:
        path.unlink()
    else:
        write_boxes(path, {box.frame_index: [box.corners]})
