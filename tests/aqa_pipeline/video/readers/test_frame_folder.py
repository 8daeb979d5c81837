"""Folders of numbered pictures."""

import os
from fractions import Fraction
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, sample_by_time
from aqa_pipeline.video.readers.frame_folder import list_pictures, picture_numbers


@pytest.fixture
def folder(tmp_path, paint_number):
    """Twelve pictures whose names sort wrongly as text: img1, img10, img11, img2, ..."""
    for number in range(12):
        Image.fromarray(paint_number(number, width=80, height=60)).save(tmp_path / f"img{number + 1}.jpg")
    return tmp_path


def test_pictures_come_in_the_order_of_their_numbers(folder, read_number):
    with open_video(Video("v", folder, fps=24)) as opened:
        assert (opened.reader, opened.width, opened.height) == ("frames", 80, 60)
        assert opened.timeline.duration == Fraction(12, 24)
        assert [read_number(picture) for _, picture in opened.frames(range(12))] == list(range(12))


def test_a_window_of_a_folder_and_samples_by_time(folder, read_number):
    with open_video(Video("v", folder, fps=23.976, start_frame=2, stop_frame=10)) as opened:
        assert opened.timeline.time_base == Fraction(1001, 24000)
        samples = sample_by_time(opened.timeline, 12)
        shown = [(index, read_number(picture)) for index, picture in opened.frames(samples.frame_index)]
    # the second picture appears at 1001/24000 s, a hair after the first middle, 1/24 s
    assert shown == [(0, 2), (2, 4), (4, 6), (6, 8)]


def test_png_gray_palette_alpha_and_16_bits_become_rgb(tmp_path, paint_number, read_number):
    picture = Image.fromarray(paint_number(77, width=80, height=60))
    for number, mode in enumerate(["RGB", "L", "P", "RGBA", "1"]):
        picture.convert(mode).save(tmp_path / f"{number}.png")
    deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "5.PNG")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "._1.png").write_bytes(b"macOS leaves such files")
    with open_video(Video("v", tmp_path, fps=25)) as opened:
        assert [read_number(picture) for _, picture in opened.frames(range(6))] == [77] * 6


def test_exif_orientation_is_ignored(tmp_path, paint_number, read_number):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter to the right
    Image.fromarray(paint_number(5, width=80, height=60)).save(tmp_path / "1.jpg", exif=exif)
    with open_video(Video("v", tmp_path, fps=25)) as opened:
        _, picture = next(opened.frames([0]))
    assert picture.shape == (60, 80, 3)
    assert read_number(picture) == 5


def test_no_pictures(tmp_path):
    with pytest.raises(VideoError, match="no pictures in this folder"):
        open_video(Video("v", tmp_path, fps=25))


@pytest.mark.parametrize(
    ("fps", "message"),
    [
        (None, "Give it with --fps, or in the column fps"),
        (0.0, "positive number"),
        (-1.0, "positive number"),
    ],
)
def test_fps_of_a_folder(folder, fps, message):
    with pytest.raises(VideoError, match=message):
        open_video(Video("v", folder, fps=fps))


def test_an_unnumbered_picture(folder):
    (folder / "thumb.jpg").write_bytes(b"")
    with pytest.raises(VideoError, match=r"thumb\.jpg: this picture has no number"):
        open_video(Video("v", folder, fps=25))


def test_case_and_unicode_form_do_not_change_the_order(tmp_path):
    for name in ("IMG_1.jpg", "img_2.JPG", "Img_3.jpeg", "img_10.png", "IMG_11.jpg"):
        (tmp_path / name).touch()
    assert [path.stem.lower() for path in list_pictures(tmp_path)] == [f"img_{n}" for n in (1, 2, 3, 10, 11)]
    (tmp_path / "e").mkdir()
    for at, form in enumerate(("NFC", "NFD", "NFC")):
        (tmp_path / "e" / normalize(form, f"é{at}.jpg")).touch()
    assert picture_numbers(tmp_path / "e").tolist() == [0, 1, 2]


def test_two_pictures_of_one_number(folder):
    (folder / "img01.jpg").write_bytes(b"")
    with pytest.raises(VideoError, match=r"img01\.jpg and img1\.jpg have the same number"):
        open_video(Video("v", folder, fps=25))


@pytest.mark.parametrize("damage", [b"", b"no picture", None], ids=["empty", "text", "cut off"])
def test_an_unreadable_picture(folder, damage):
    path = folder / "img7.jpg"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with open_video(Video("v", folder, fps=25)) as opened:
        frames = opened.frames(range(12))
        assert [next(frames)[0] for _ in range(6)] == list(range(6))
        with pytest.raises(VideoError, match=r"img7\.jpg: this picture cannot be read"):
            next(frames)


def test_pictures_of_two_sizes(folder):
    Image.new("RGB", (81, 60)).save(folder / "img3.jpg")
    with (
        open_video(Video("v", folder, fps=25)) as opened,
        pytest.raises(VideoError, match=r"img3\.jpg: 81x60 pixels, but the first picture has 80x60"),
    ):
        list(opened.frames(range(12)))


def test_a_window_beyond_the_folder(folder):
    with pytest.raises(VideoError, match="there are 12 frames"):
        open_video(Video("v", folder, fps=25, stop_frame=13))


def test_a_large_folder_is_listed_once_until_it_changes(folder, monkeypatch):
    os.utime(folder, (1_000_000_000, 1_000_000_000))
    first = list_pictures(folder)
    with monkeypatch.context() as without_listing:
        without_listing.setattr(type(folder), "iterdir", lambda _: pytest.fail("listed again"))
        assert list_pictures(folder) == first
        assert first[3] == folder / "img4.jpg"
        assert list(first[-2:]) == [folder / "img11.jpg", folder / "img12.jpg"]
    (folder / "img13.jpg").write_bytes(b"")
    assert len(list_pictures(folder)) == 13


def test_a_folder_that_changes_within_a_tick_of_the_clock_is_listed_anew(folder):
    """File systems note changes every few milliseconds: two may bear the same time."""
    facts = folder.stat()
    assert len(list_pictures(folder)) == 12
    (folder / "img13.jpg").write_bytes(b"")
    os.utime(folder, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert len(list_pictures(folder)) == 13


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["00000007.jpg", "00000010.jpg", "00000011.jpg"], [7, 10, 11]),
        (["9.jpg", "10.jpg", "100.jpg"], [9, 10, 100]),
        (["v2_frame0.jpg", "v2_frame1.jpg"], [0, 1]),
        (["shot3end.jpg"], [3]),
    ],
)
def test_numbers_of_pictures(tmp_path, names, numbers):
    for name in names:
        (tmp_path / name).touch()
    assert picture_numbers(tmp_path).tolist() == numbers


@pytest.mark.parametrize(
    "names", [["a2.jpg", "b1.jpg"], ["1_5.jpg", "2_5.jpg"], ["1.jpg", "9" * 30 + ".jpg"]]
)
def test_numbers_that_do_not_count_frames(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(VideoError, match="do not count frames"):
        picture_numbers(tmp_path)
