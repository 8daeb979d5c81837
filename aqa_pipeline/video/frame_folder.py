"""A folder of numbered pictures as a video: 1.jpg, 2.jpg, ..., 10.jpg.

Pictures are taken as they are stored: an EXIF orientation is ignored, always. Frames cut out of a video are
upright in the file, and boxes that come with a dataset count stored pixels.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video.container import check_size
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.sampling import Timeline, as_rate

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """The pictures of the folder in the order of the numbers in their names (2 before 10).

    Raises `VideoError` if there are none, one has no number, or two have the same.
    """
    names = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not names:
        raise VideoError(
            f"{folder}: no pictures in this folder. Expected numbered files such as 0001.jpg or 1.png."
        )
    by_number: dict[tuple[str | int, ...], Path] = {}
    for picture in sorted(names):
        key = natural_key(picture.stem)
        if len(key) < 2:
            raise VideoError(
                f"{picture}: a picture without a number among the frames. Move it elsewhere; frames are named"
                " such as 0001.jpg."
            )
        if key in by_number:
            raise VideoError(
                f"{folder}: {by_number[key].name} and {picture.name} have the same number."
                " Keep one of them: which is the frame cannot be told."
            )
        by_number[key] = picture
    return tuple(by_number[key] for key in sorted(by_number))


def natural_key(stem: str) -> tuple[str | int, ...]:
    """Text and numbers by turns, so that numbers sort as numbers: "img10" -> ("img", 10, "")."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", stem))


def folder_timeline(folder: Path, num_pictures: int, fps: float | None) -> Timeline:
    """Pictures shown at a steady rate. Raises `VideoError` if `fps` is missing or not a positive number."""
    if fps is None:
        raise VideoError(
            f"{folder}: pictures do not say how fast they are shown. State fps for this video (a column in"
            " the CSV, or the dataset's option)."
        )
    try:
        rate = as_rate(fps)
    except ValueError as error:
        raise VideoError(f"{folder}: fps of a folder of pictures: {error}") from error
    ticks = np.arange(num_pictures, dtype=np.int64)
    return Timeline(pts=ticks, time_base=Fraction(1) / rate, end=num_pictures)


def read_picture(path: Path) -> Picture:
    """One (H, W, 3) RGB picture. Raises `VideoError` if it cannot be read whole."""
    try:
        with Image.open(path) as image:
            check_size(path, width=image.width, height=image.height)
            if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip
                return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise VideoError(
            f"{path}: this picture cannot be read ({error}). Extract the frames again."
        ) from error


def read_folder(
    pictures: Sequence[Path], frame_index: Sequence[int], *, size: tuple[int, int]
) -> Iterator[Picture]:
    """The wanted pictures. Raises `VideoError` for one unreadable or not of `size` (width, height)."""
    for index in frame_index:
        picture = read_picture(pictures[index])
        height, width = picture.shape[:2]
        if (width, height) != size:
            raise VideoError(
                f"{pictures[index]}: {width}x{height} pixels, the first picture has {size[0]}x{size[1]}."
                " All frames of a video must be of one size."
            )
        yield picture
