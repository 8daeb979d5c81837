"""Boxes and quads of any program: the same rows come out, and a mistake is told by its line."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.athlete.boxes import read_boxes, write_boxes
from aqa_pipeline.athlete.quads import read_quad_csv, read_quads
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong

BOXES = b"frame_index,x1,y1,x2,y2\n0,1,2,30,40\n0,5,6,70,80\n3,1.5,2.5,30.25,40\n"
QUADS = b"frame_index,x1,y1,x2,y2,x3,y3,x4,y4\n0,10,20,30,22,29,60,9,58\n2,1,1,9,1,9,9,1,9\n"
SAVED = {
    "as it is": lambda text: text,
    "Windows line ends": lambda text: text.replace(b"\n", b"\r\n"),
    "line ends of old Macintoshes": lambda text: text.replace(b"\n", b"\r"),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "blanks around fields": lambda text: text.replace(b",", b" , "),
    "blank lines": lambda text: text.replace(b"\n", b"\n\n") + b" , , \n",
    "capitals": lambda text: text.replace(b"frame_index", b"FRAME_INDEX"),
    "quotes": lambda text: text.replace(b"frame_index", b'"frame_index"').replace(b"\n0,", b'\n"0",'),
    "no last line end": lambda text: text.rstrip(b"\n"),
}


@pytest.mark.parametrize("save", SAVED.values(), ids=SAVED)
def test_boxes_and_quads_are_the_same_however_they_were_saved(tmp_path, save):
    (tmp_path / "boxes.csv").write_bytes(save(BOXES))
    boxes = read_boxes(tmp_path / "boxes.csv")
    assert {frame: rows.tolist() for frame, rows in boxes.items()} == {
        0: [[1, 2, 30, 40], [5, 6, 70, 80]],
        3: [[1.5, 2.5, 30.25, 40]],
    }
    (tmp_path / "quads.csv").write_bytes(save(QUADS))
    quads = read_quad_csv(tmp_path / "quads.csv")
    assert {frame: quad.ravel().tolist() for frame, quad in quads.items()} == {
        0: [10, 20, 30, 22, 29, 60, 9, 58],
        2: [1, 1, 9, 1, 9, 9, 1, 9],
    }


def test_boxes_read_and_written_again_are_the_same_bytes(tmp_path):
    (tmp_path / "boxes.csv").write_bytes(BOXES)
    write_boxes(tmp_path / "again.csv", read_boxes(tmp_path / "boxes.csv"))
    write_boxes(tmp_path / "thrice.csv", read_boxes(tmp_path / "again.csv"))
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "thrice.csv").read_bytes()


@settings(max_examples=150)
@given(st.data(), st.sampled_from([BOXES, QUADS, b'{"a": [[1, 2, 3, 4, 5, 6, 7, 8]]}']))
def test_changed_bytes_are_read_or_refused_and_raise_nothing_else(tmp_path_factory, data, whole):
    path = tmp_path_factory.getbasetemp() / "changed"
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    for read in (read_boxes, read_quad_csv, read_quads):
        with contextlib.suppress(DatasetError):
            read(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("9223372036854775808,1,2,3,4", "expected a frame index >= 0 and finite corners"),
        ("0,1,2,1e39,4", "expected a frame index >= 0 and finite corners"),
        ("0,1,2,nan,4", "expected a frame index >= 0 and finite corners"),
        (
            "0,1,2,1,4",
            "the box 1,2,1,4 has no area; expected x1 < x2 and y1 < y2, the upper left and the lower",
        ),
        ("0,1,2,3,4,5", "has 6 fields; expected frame_index,x1,y1,x2,y2"),
        ("0," + "1" * 20_000 + ",2,3,4", "have a line of 10,000 characters or more"),
    ],
    ids=["a huge frame", "a huge corner", "NaN", "no width", "a confidence", "a line without end"],
)
def test_a_row_that_is_no_box_is_told(tmp_path, row, message):
    (tmp_path / "boxes.csv").write_text(f"frame_index,x1,y1,x2,y2\n0,1,2,3,4\n{row}\n")
    with pytest.raises(DatasetError, match=message):
        read_boxes(tmp_path / "boxes.csv")


def test_sizes_are_told_how_they_become_corners(tmp_path):
    (tmp_path / "boxes.csv").write_text("frame,x,y,width,height\n0,1,2,3,4\n")
    with pytest.raises(
        DatasetError, match=r"Convert the width and the height to corners\. .* x2 = x \+ width"
    ):
        read_boxes(tmp_path / "boxes.csv")


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=8), st.data())
def test_boxes_within_the_picture_belong_and_those_of_a_longer_video_do_not(sides, data):
    """Of a picture of 160x120 pixels, boxes of 8 pixels or more within it are never refused."""
    corners = np.array([[[x, y], [x + w + 8, y + h + 8]] for x, y, w, h in sides], float).clip(max=[160, 120])
    frames = np.sort(data.draw(st.lists(st.integers(0, 29), min_size=len(sides), max_size=len(sides))))
    footage = Footage(160, 120, 30, 0, 30, 25.0)
    check_belong(frames, corners, footage, name="boxes")
    with pytest.raises(DatasetError, match="the video has the frames 0 to 29"):
        check_belong(np.append(frames[:-1], 30 + frames[-1]), corners, footage, name="boxes")


def test_a_missing_file_is_one_message(tmp_path):
    for read in (read_boxes, read_quad_csv, read_quads):
        with pytest.raises(DatasetError, match=r"cannot be read: .*(No such file|it is a folder)"):
            read(Path(tmp_path, "absent"))
        with pytest.raises(DatasetError, match=r"cannot be read: .*it is a folder"):
            read(tmp_path)
