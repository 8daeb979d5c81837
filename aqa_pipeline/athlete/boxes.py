"""Read and write the person boxes of a dataset: one CSV per video.

    frame_index,x1,y1,x2,y2
    0,101.5,60,148.25,190

`frame_index` counts the frames of the video file from 0, even if the performance is only a part of the file.
x1, y1 is the upper left corner and x2, y2 the lower right corner, in pixels of the displayed picture (after
rotation and pixel aspect ratio). Two rows with the same frame are two persons. A frame without a row shows
no person.
"""

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.untrusted.bounded_files import MIB, open_bounded_text

HEADER = ("frame_index", "x1", "y1", "x2", "y2")
BOXES_BYTES = 1024 * MIB  # 40 bytes a row: ten hours of thirty persons
LONGEST_LINE = 10_000
MOST_FRAMES = np.iinfo(np.int64).max
LARGEST_CORNER = float(np.finfo(np.float32).max)
CORNERS = "the upper left and the lower right corner (not a width and a height)"
SIZE_COLUMNS = frozenset(("w", "h", "width", "height"))
Boxes = npt.NDArray[np.float32]


class BoxTable(Mapping[int, Boxes]):
    """Map a frame index to its boxes, (box, 4) float32 `x1 y1 x2 y2`. A box takes 24 bytes.

    `frame_index` is (box,) and ascending; `corners` is (box, 4).
    """

    def __init__(self, frame_index: npt.NDArray[np.int64], corners: Boxes) -> None:
        self._frames, starts = np.unique(frame_index, return_index=True)
        self._ends, self._corners = np.append(starts, len(corners)), corners

    def __getitem__(self, frame_index: int) -> Boxes:
        at = int(np.searchsorted(self._frames, frame_index))
        if at == len(self._frames) or self._frames[at] != frame_index:
            raise KeyError(frame_index)
        return self._corners[self._ends[at] : self._ends[at + 1]]

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames.tolist())

    @property
    def frame_of_row(self) -> npt.NDArray[np.int64]:
        """Return the frame index of every box, (box,)."""
        frames: npt.NDArray[np.int64] = np.repeat(self._frames, np.diff(self._ends))
        return frames

    @property
    def corners(self) -> Boxes:
        """Return the upper left and the lower right corner of every box, (box, 2, 2), by ascending frame."""
        return self._corners.reshape(-1, 2, 2)

    def __len__(self) -> int:
        return len(self._frames)


def read_boxes(path: Path) -> BoxTable:
    """Read the boxes of a file. Within a frame, boxes keep their order in the file.

    Raises `DatasetError`, with the line number, for a missing file, another header, fields that are not
    numbers, negative frame indices and boxes without area.
    """
    frame_index, corners = array("q"), array("f")
    try:
        with open_bounded_text(path, most_bytes=BOXES_BYTES, newline="") as file:
            for index, box in _rows(_lines(file, path), path):
                frame_index.append(index)
                corners.extend(box)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"boxes {path} cannot be read: {error}") from error
    in_order = np.argsort(np.asarray(frame_index), kind="stable")
    return BoxTable(np.asarray(frame_index)[in_order], np.asarray(corners).reshape(-1, 4)[in_order])


def size_hint(header: Sequence[str]) -> str:
    """Return a sentence on how to turn a width and a height into corners; "" if no column names a size."""
    if not SIZE_COLUMNS & set(header):
        return ""
    return (
        " Convert the width and the height to corners. If x,y is the upper left corner: x1 = x, "
        "x2 = x + width, y1 = y, y2 = y + height. If x,y is the center: x1 = x - width / 2, "
        "x2 = x + width / 2, and the same for y."
    )


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """Yield the lines of the file. Raise `DatasetError` for a line too long to be read into memory."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise DatasetError(
                f"boxes {path} have a line of {LONGEST_LINE:,} characters or more; expected CSV"
            )
        yield line


def _rows(file: Iterator[str], path: Path) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Yield the frame index and the box of every line that is not blank."""
    rows = csv.reader(file)
    try:
        header = tuple(name.strip().lower() for name in next(rows, []))
        if header != HEADER:
            raise DatasetError(
                f"boxes {path} have the columns {', '.join(header)}; expected {','.join(HEADER)}."
                f"{size_hint(header)}"
            )
        for fields in rows:
            if any(field.strip() for field in fields):
                yield _parse(fields, where=f"boxes {path} line {rows.line_num}")
    except csv.Error as error:
        raise DatasetError(f"boxes {path} line {rows.line_num} cannot be read as CSV: {error}") from error


def write_boxes(path: Path, boxes: Mapping[int, npt.ArrayLike]) -> None:
    """Write the boxes, (box, 4) by frame index. The file appears only when it is complete.

    Raises `DatasetError` for boxes that `read_boxes` would refuse.
    """
    lines = [",".join(HEADER)]
    for index, rows in sorted(boxes.items()):
        for row in np.asarray(rows, np.float32).reshape(-1, 4):
            # str of a float32 is the shortest text that reads back as the same number.
            fields = [str(index), *(str(value) for value in row)]
            _parse(fields, where=f"boxes for {path}, frame {index}")
            lines.append(",".join(fields))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, ("\n".join(lines) + "\n").encode())


def _parse(fields: list[str], *, where: str) -> tuple[int, tuple[float, ...]]:
    if len(fields) != len(HEADER):
        raise DatasetError(f"{where} has {counted(len(fields), 'field')}; expected {','.join(HEADER)}")
    try:
        index, box = int(fields[0]), tuple(float(field) for field in fields[1:])
    except ValueError as error:
        raise DatasetError(
            f"{where}: {','.join(fields)!r} are not all numbers; expected {','.join(HEADER)}"
        ) from error
    x1, y1, x2, y2 = box
    if not 0 <= index <= MOST_FRAMES or not all(abs(corner) <= LARGEST_CORNER for corner in box):
        raise DatasetError(f"{where}: {','.join(fields)!r}; expected a frame index >= 0 and finite corners")
    if x2 <= x1 or y2 <= y1:
        raise DatasetError(
            f"{where}: the box {','.join(fields[1:])} has no area; expected x1 < x2 and y1 < y2, {CORNERS}"
        )
    return index, box
