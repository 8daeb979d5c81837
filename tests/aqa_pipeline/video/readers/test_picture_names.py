"""Pictures come in the order of their numbers, whatever they are called; other names are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video.readers.frame_folder import list_pictures, picture_numbers

PREFIXES = st.sampled_from(["", "img_", "frame", "Größe ", "a-b."])
ENDINGS = st.sampled_from([".jpg", ".jpeg", ".png", ".JPG", ".Png"])


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@given(
    PREFIXES,
    ENDINGS,
    st.integers(1, 6),
    st.lists(st.integers(0, 10**7), min_size=1, max_size=12, unique=True),
)
def test_numbers_are_in_order_with_zeros_or_without(tmp_path_factory, prefix, ending, width, numbers):
    folder = fill(tmp_path_factory.mktemp("p"), *(f"{prefix}{n:0{width}d}{ending}" for n in numbers))
    assert picture_numbers(folder).tolist() == sorted(numbers)
    assert [path.name for path in list_pictures(folder)] == [
        f"{prefix}{n:0{width}d}{ending}" for n in sorted(numbers)
    ]


def test_other_files_hidden_files_and_folders_are_left_out(tmp_path):
    fill(tmp_path, "1.jpg", "2.jpg", ".3.jpg", "4.txt", "5.jpg.part", "Thumbs.db", "6.gif")
    assert picture_numbers(tmp_path).tolist() == [1, 2]


def test_the_last_number_of_a_name_counts(tmp_path):
    fill(tmp_path, "a2_frame0012.jpg", "a2_frame0003.jpg")
    assert picture_numbers(tmp_path).tolist() == [3, 12]


REFUSED = {
    "no picture": ((), "no pictures in this folder. Expected numbered files such as 0001.jpg or 1.png"),
    "no number": (("1.jpg", "cover.jpg"), "cover.jpg: this picture has no number in its name. Move it"),
    "two of one number": (
        ("1.jpg", "01.jpg"),
        "01.jpg and 1.jpg have the same number. Keep only one of them",
    ),
    "two of one number in two formats": (("1.jpg", "1.png"), "1.jpg and 1.png have the same number"),
    "numbers that start again": (("a1_9.jpg", "a2_1.jpg"), r"do not count frames \(a1_9.jpg ... a2_1.jpg\)"),
    "a number beyond all frames": (("99999999999999999999.jpg",), "do not count frames"),
}


@pytest.mark.parametrize(("names", "message"), REFUSED.values(), ids=REFUSED)
def test_names_that_count_no_frames_are_refused(tmp_path, names, message):
    with pytest.raises(VideoError, match=message):
        picture_numbers(fill(tmp_path, *names))


def test_a_picture_that_comes_later_is_seen(tmp_path):
    fill(tmp_path, "1.jpg")
    assert len(list_pictures(tmp_path)) == 1
    fill(tmp_path, "2.jpg")
    assert [path.name for path in list_pictures(tmp_path)] == ["1.jpg", "2.jpg"]


def test_a_part_of_the_pictures_is_their_list_too(tmp_path):
    pictures = list_pictures(fill(tmp_path, *(f"{n}.jpg" for n in range(1, 12))))
    part = pictures[8:]
    assert [path.name for path in part] == ["9.jpg", "10.jpg", "11.jpg"]
    assert part[-1] == tmp_path / "11.jpg"
