"""Tracked quads: corners go around the box, whatever order they come in; each mistake by its place."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.athlete.quads import read_quad_csv, read_quads
from aqa_pipeline.errors import DatasetError


def box(center: tuple[float, float], size: tuple[float, float], degrees: float = 0) -> np.ndarray:
    """(4, 2) corners around a rotated box."""
    half = np.array(size) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return corners @ turn.T + center


def area(quad: np.ndarray) -> float:
    """Compute the area by the shoelace formula; a quad that crosses itself loses area."""
    x, y = quad.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def write_json(folder: Path, content: object) -> Path:
    path = folder / "FRFS_Boxes.json"
    path.write_text(json.dumps(content))
    return path


def test_the_last_corners_of_the_first_row_are_swapped_and_of_no_other(tmp_path: Path) -> None:
    tube = np.stack([box((100, 50), (40, 80), degrees) for degrees in (0, 10, 20)])
    drawn = tube.copy()
    drawn[0] = drawn[0][[0, 1, 3, 2]]  # top left, top right, bottom left, bottom right
    assert area(drawn[0]) == 0
    path = write_json(
        tmp_path, {"308-1": drawn.reshape(3, 8).tolist(), "241-3": drawn[:1].reshape(1, 8).tolist()}
    )
    quads = read_quads(path)
    np.testing.assert_array_equal(quads["308-1"], tube)
    np.testing.assert_array_equal(quads["241-3"], tube[:1])
    assert quads["308-1"].dtype == np.float64


angles, sides, places = st.floats(-180, 180), st.floats(1, 500), st.floats(-200, 800)


@settings(deadline=None)
@given(st.tuples(places, places), st.tuples(sides, sides), angles, st.booleans())
def test_first_rows_in_either_order_give_the_whole_area(
    tmp_path_factory: pytest.TempPathFactory,
    center: tuple[float, float],
    size: tuple[float, float],
    degrees: float,
    mended: bool,
) -> None:
    quad = box(center, size, degrees)
    row = (quad if mended else quad[[0, 1, 3, 2]]).reshape(1, 8).tolist()
    read = read_quads(write_json(tmp_path_factory.mktemp("quads"), {"a": row}))["a"][0]
    assert area(read) == pytest.approx(size[0] * size[1], rel=1e-6, abs=1e-6)
    np.testing.assert_array_equal(read, quad)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected {clip: rows of 8 numbers}, got a list"),
        ({"a": []}, "clip 'a': expected one row of 8 numbers per frame"),
        ({"a": [[1] * 8, [1] * 7]}, "clip 'a', row 1: expected 8 finite numbers"),
        ({"a": [[1] * 7 + ["x"]]}, "clip 'a', row 0: expected 8 finite"),
        ({"a": [[1] * 7 + [float("nan")]]}, "NaN is not a number"),
        ({"a": [[1] * 7 + [True]]}, "clip 'a', row 0: expected 8 finite"),
        ({"a": [3]}, "clip 'a', row 0: expected 8 finite"),
    ],
)
def test_mistakes_in_json(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_quads(write_json(tmp_path, content))


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xff", b"[" * 100_000])
def test_files_that_are_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"x.json cannot be read as JSON"):
        read_quads(path)
    with pytest.raises(DatasetError, match=r"none.json cannot be read"):
        read_quads(tmp_path / "none.json")


QUAD = [[10, 20], [30, 22], [29, 60], [9, 58]]
QUAD_FIELDS = "10,20,30,22,29,60,9,58"
BOX = [[10, 20], [30, 20], [30, 60], [10, 60]]


def write_csv(folder: Path, *lines: str) -> Path:
    path = folder / "quads.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([QUAD_FIELDS, "1,1,2,1,2,2,1,2"], {0: QUAD, 1: [[1, 1], [2, 1], [2, 2], [1, 2]]}),
        (["frame_index,x1,y1,x2,y2,x3,y3,x4,y4", "", "7," + QUAD_FIELDS], {7: QUAD}),
        (["x1,y1,x2,y2,x3,y3,x4,y4", QUAD_FIELDS], {0: QUAD}),
        ([" Frame_Index, X1,y1,x2,y2", "4,10,20,30,60", "2,10,20,30,60"], {2: BOX, 4: BOX}),
        (["x1,y1,x2,y2", "10,20,30,60"], {0: BOX}),
        (["x1,y1,x2,y2"], {}),
    ],
)
def test_csv(tmp_path: Path, lines: list[str], expected: dict[int, list[list[float]]]) -> None:
    quads = read_quad_csv(write_csv(tmp_path, *lines))
    assert list(quads) == list(expected)
    for frame, quad in expected.items():
        np.testing.assert_array_equal(quads[frame], quad)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["10,20,30,60"], r"have no header and 4 numbers a row; expected \[frame_index,\]x1"),
        (["x,y,w,h", "1,2,3,4"], "have the columns x, y, w, h; expected"),
        (["x1,y1,x2,y2", "1,2,3"], "line 2 has 3 fields; expected 4"),
        (["x1,y1,x2,y2", "1,2,3,x"], "line 2: '1,2,3,x' are not all numbers"),
        (["x1,y1,x2,y2", "1,2,3,inf"], "finite corners"),
        (["x1,y1,x2,y2", "", "3,2,1,4"], "line 3: the box 3,2,1,4 has no area"),
        (["frame_index,x1,y1,x2,y2", "-1,1,2,3,4"], "expected a frame index >= 0"),
        (["frame_index,x1,y1,x2,y2", "1.5,1,2,3,4"], "are not all numbers"),
        (["frame_index,x1,y1,x2,y2", "1,1,2,3,4", "1,1,2,3,4"], "line 3: frame 1 has a quad already"),
        ([""], "are empty; expected"),
    ],
)
def test_mistakes_in_csv(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_quad_csv(write_csv(tmp_path, *lines))


def test_missing_and_undecodable_csv(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none.csv cannot be read"):
        read_quad_csv(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DatasetError, match=r"bad.csv cannot be read"):
        read_quad_csv(tmp_path / "bad.csv")
