"""Person boxes on disk: what is written reads back the same, and each mistake names its line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.athlete.boxes import read_boxes, write_boxes
from aqa_pipeline.errors import DatasetError


def boxes_file(folder: Path, *lines: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text("\n".join(lines))
    return path


def test_known_file(tmp_path: Path) -> None:
    path = boxes_file(tmp_path, "frame_index,x1,y1,x2,y2", "7,1,2,3.5,4", "", "0,-1,0,5,6", "7,10,10,20,20")
    boxes = read_boxes(path)
    assert list(boxes) == [0, 7]
    assert boxes[7].dtype == np.float32
    np.testing.assert_array_equal(boxes[7], [[1, 2, 3.5, 4], [10, 10, 20, 20]])
    np.testing.assert_array_equal(boxes[0], [[-1, 0, 5, 6]])
    assert [boxes.get(index) for index in (-1, 3, 8, 10**30)] == [None] * 4


def test_header_alone_is_no_person_at_all(tmp_path: Path) -> None:
    assert read_boxes(boxes_file(tmp_path, "frame_index,x1,y1,x2,y2")) == {}


corner = st.floats(-1e4, 1e4, width=32)
size = st.floats(1, 1e4, width=32)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 10**6), st.lists(st.tuples(corner, corner, size, size), min_size=1, max_size=3)
    )
)
def test_written_boxes_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, sizes: dict[int, list[tuple[float, ...]]]
) -> None:
    boxes = {
        index: np.array([[x, y, x + width, y + height] for x, y, width, height in rows], np.float32)
        for index, rows in sizes.items()
    }
    path = tmp_path_factory.mktemp("boxes") / "deeper" / "boxes.csv"
    write_boxes(path, boxes)
    back = read_boxes(path)
    assert list(back) == sorted(boxes)
    for index, rows in back.items():
        np.testing.assert_array_equal(rows, boxes[index])
    assert [entry.name for entry in path.parent.iterdir()] == ["boxes.csv"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["x1,y1,x2,y2"], "have the columns x1, y1, x2, y2; expected frame_index,x1,y1,x2,y2"),
        ([""], "expected frame_index"),
        (["frame_index,x1,y1,x2,y2", "1,2,3,4"], "line 2 has 4 fields"),
        (["frame_index,x1,y1,x2,y2", "1,2,3,4,five"], "line 2: '1,2,3,4,five' are not all numbers"),
        (["frame_index,x1,y1,x2,y2", "1.5,2,3,4,5"], "line 2: .* are not all numbers"),
        (["frame_index,x1,y1,x2,y2", "-1,2,3,4,5"], "expected a frame index >= 0"),
        (["frame_index,x1,y1,x2,y2", "1,2,3,nan,5"], "finite corners"),
        (["frame_index,x1,y1,x2,y2", "1,2,3,1e39,5"], "finite corners"),
        (["frame_index,x1,y1,x2,y2", "9223372036854775808,2,3,4,5"], "expected a frame index >= 0"),
        (["frame_index,x1,y1,x2,y2", "0,0,0,1,1", "1,4,3,4,5"], "line 3: the box 4,3,4,5 has no area"),
        (["frame_index,x1,y1,x2,y2", "1," + "2" * 200_000], "have a line of 10,000 characters"),
    ],
)
def test_mistakes(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_boxes(boxes_file(tmp_path, *lines))


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"boxes .*none.csv cannot be read"):
        read_boxes(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_boxes(tmp_path / "bad.csv")


def test_a_box_without_area_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"frame 3: the box .* has no area"):
        write_boxes(tmp_path / "boxes.csv", {3: [[0, 0, 0, 5]]})
    assert list(tmp_path.iterdir()) == []
