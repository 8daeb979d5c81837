"""Read tracked quads: the four corners of a rotated box around the athlete, for every frame of a clip.

Corners go around the box: top left, top right, bottom right, bottom left for an upright box. x and y are in
pixels of the displayed picture.
"""

import csv
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aqa_pipeline.athlete.boxes import CORNERS, size_hint
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Record
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, read_bounded_json, read_bounded_text

Quads = npt.NDArray[np.float64]

QUAD_COLUMNS = ("x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")
BOX_COLUMNS = QUAD_COLUMNS[:4]
FRAME_COLUMN = "frame_index"


def reference_quads(record: Record) -> Quads:
    """Return the quads of a record's frames, (frame, 4, 2) in pixels of the frame, in the reference view.

    Tubes keep them by clip and view, (clip, view, frame, 4, 2), and stored frames by frame.
    """
    quads = np.asarray(record.extras["frame_quads"], np.float64)
    return (quads[:, 0] if quads.ndim > 3 else quads).reshape(-1, 4, 2)


def read_quads(path: Path) -> dict[str, Quads]:
    """Read quads, (frame, 4, 2) by clip, from JSON `{clip: [[x1, y1, ..., x4, y4], ...]}`.

    FRFS_Boxes.json of FR-FS has this format. Its first row of each clip was drawn by hand in the order top
    left, top right, bottom left, bottom right (released code of TSA-Net). The reader swaps the last two
    corners of such a row. A first row that already goes around the box stays unchanged. Raises
    `DatasetError` with the clip and the row.
    """
    try:
        clips = read_bounded_json(path, most_bytes=LABEL_BYTES)
    except OSError as error:
        raise DatasetError(f"quads {path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DatasetError(f"quads {path} cannot be read as JSON ({error}): get the file again") from error
    if not isinstance(clips, dict):
        raise DatasetError(
            f"quads {path}: expected {{clip: rows of 8 numbers}}, got a {type(clips).__name__}"
        )
    return {clip: _clip_quads(rows, where=f"quads {path}, clip {clip!r}") for clip, rows in clips.items()}


def read_quad_csv(path: Path) -> dict[int, Quads]:
    """Read one quad, (4, 2), by frame index, counted from 0. A frame without a row has no quad.

    The header is an optional `frame_index`, then either x1,y1,...,x4,y4 around the box, or x1,y1,x2,y2 for
    the upper left and the lower right corner. Without `frame_index`, rows are frames 0, 1, 2, ... Without a
    header, each row must hold 8 numbers, because 4 numbers could be two corners or a corner and a size.
    Raises `DatasetError` with the line number.
    """
    rows = _csv_rows(path)
    header = tuple(field.strip().lower() for field in rows[0][1])
    if not _are_numbers(rows[0][1]):
        rows = rows[1:]
    elif len(header) == len(QUAD_COLUMNS):
        header = QUAD_COLUMNS
    else:
        raise DatasetError(
            f"quads {path} have no header and {counted(len(header), 'number')} a row; {_expected()}"
        )
    with_frames = header[0] == FRAME_COLUMN
    if header[with_frames:] not in (QUAD_COLUMNS, BOX_COLUMNS):
        raise DatasetError(
            f"quads {path} have the columns {', '.join(header)}; {_expected()}.{size_hint(header)}"
        )
    quads: dict[int, Quads] = {}
    for count, (line, fields) in enumerate(rows):
        where = f"quads {path} line {line}"
        frame, quad = _parse(
            fields, where=where, num_fields=len(header), frame=None if with_frames else count
        )
        if frame in quads:
            raise DatasetError(
                f"{where}: frame {frame} has a quad already; expected one quad per frame, for one athlete"
            )
        quads[frame] = quad
    return dict(sorted(quads.items()))


def _expected() -> str:
    return f"expected [{FRAME_COLUMN},]{','.join(QUAD_COLUMNS)} or [{FRAME_COLUMN},]{','.join(BOX_COLUMNS)}"


def _clip_quads(rows: object, *, where: str) -> Quads:
    if not isinstance(rows, list) or not rows:
        raise DatasetError(f"{where}: expected one row of 8 numbers per frame, got {type(rows).__name__}")
    for number, row in enumerate(rows):
        plain = isinstance(row, list) and all(type(value) in (int, float) for value in row)
        if not plain or len(row) != 8 or not np.isfinite(np.array(row, dtype=np.float64)).all():
            raise DatasetError(f"{where}, row {number}: expected 8 finite numbers, got {str(row)[:80]}")
    quads = np.array(rows, dtype=np.float64).reshape(-1, 4, 2)
    if _crosses_itself(quads[0]):
        quads[0] = quads[0][[0, 1, 3, 2]]
    return quads


def _crosses_itself(quad: Quads) -> bool:
    """Return whether the path from corner to corner turns both ways: top left, top right, bottom left, ..."""
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    return bool((turns > 0).any() and (turns < 0).any())


def _csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = read_bounded_text(path, most_bytes=LABEL_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"quads {path} cannot be read: {error}") from error
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, fields) for fields in reader if any(field.strip() for field in fields)]
    except csv.Error as error:
        raise DatasetError(f"quads {path} line {reader.line_num} cannot be read as CSV: {error}") from error
    if not rows:
        raise DatasetError(f"quads {path} are empty; {_expected()}")
    return rows


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool([float(field) for field in fields])
    except ValueError:
        return False


def _parse(fields: list[str], *, where: str, num_fields: int, frame: int | None) -> tuple[int, Quads]:
    if len(fields) != num_fields:
        raise DatasetError(f"{where} has {counted(len(fields), 'field')}; expected {num_fields}")
    try:
        index = int(fields[0]) if frame is None else frame
        numbers = np.array([float(field) for field in fields[frame is None :]])
    except ValueError as error:
        raise DatasetError(f"{where}: {','.join(fields)!r} are not all numbers; {_expected()}") from error
    if index < 0 or not np.isfinite(numbers).all():
        raise DatasetError(f"{where}: {','.join(fields)!r}; expected a frame index >= 0 and finite corners")
    if len(numbers) == len(QUAD_COLUMNS):
        return index, numbers.reshape(4, 2)
    x1, y1, x2, y2 = numbers
    if x2 <= x1 or y2 <= y1:
        raise DatasetError(
            f"{where}: the box {x1:g},{y1:g},{x2:g},{y2:g} has no area; expected x1 < x2 and y1 < y2, "
            f"{CORNERS}"
        )
    return index, np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
