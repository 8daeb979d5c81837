"""Read a folder of numbered pictures as a video: 1.jpg, 2.jpg, ..., 10.jpg.

Pictures are read as they are stored; an EXIF orientation is always ignored. Frames extracted from a video are
upright in the file and have square pixels, and the boxes of a dataset refer to these pixels.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.spelling import folded
from aqa_pipeline.untrusted.bounded_files import MIB, open_bounded
from aqa_pipeline.video.container import check_size
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.sampling import Timeline, as_rate

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
FORMATS = ("JPEG", "PNG")  # for any file name: Pillow would start Ghostscript for a .png of PostScript
PICTURE_BYTES = 1024 * MIB  # the largest allowed picture takes 400 MB uncompressed


# A folder that changed less than this ago may change again within one tick of the file system's clock.
SETTLED_NANOSECONDS = 2_000_000_000
MAX_NUMBER = 2**53  # beyond any count of frames, within 64 bits


@dataclass(frozen=True)
class Pictures(Sequence[Path]):
    """The pictures of a folder in order, stored as names: a broadcast may have a quarter of a million."""

    folder: Path
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> "Pictures": ...
    def __getitem__(self, index: int | slice) -> "Path | Pictures":
        if isinstance(index, slice):
            return Pictures(self.folder, self.names[index])
        return self.folder / self.names[index]


def list_pictures(folder: Path) -> Pictures:
    """List the pictures of the folder in the order of the numbers in their names (2 before 10).

    Raises `VideoError` if there is no picture, if one has no number, or if two have the same number.
    """
    changed = folder.stat().st_mtime_ns
    settled = time.time_ns() - changed > SETTLED_NANOSECONDS
    return Pictures(folder, (_settled_names if settled else _sorted_names)(folder, changed))


def _sorted_names(folder: Path, changed: int) -> tuple[str, ...]:
    """Return names in order. `changed`, the time of the last change, is in the key of the cache."""
    paths = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not paths:
        raise VideoError(
            f"{folder}: no pictures in this folder. Expected numbered files such as 0001.jpg or 1.png."
        )
    by_number: dict[tuple[str | int, ...], Path] = {}
    for picture in sorted(paths):
        key = natural_key(picture.stem)
        if len(key) < 2:
            raise VideoError(
                f"{picture}: this picture has no number in its name. Move it to another folder; expected"
                " names such as 0001.jpg."
            )
        if key in by_number:
            raise VideoError(
                f"{folder}: {by_number[key].name} and {picture.name} have the same number."
                " Keep only one of them."
            )
        by_number[key] = picture
    return tuple(by_number[key].name for key in sorted(by_number))


# Listing a folder takes seconds, and two hundred performances of one broadcast share a folder.
_settled_names = lru_cache(maxsize=4)(_sorted_names)


def picture_numbers(folder: Path) -> npt.NDArray[np.int64]:
    """Return the number in each picture's name, (frame,), in order; `a2_frame0012.jpg` has number 12.

    Raises `VideoError` as `list_pictures` does, and if the last numbers of the names do not increase.
    """
    names = list_pictures(folder).names
    numbers = [int(natural_key(Path(name).stem)[-2]) for name in names]
    if numbers[-1] > MAX_NUMBER or any(later <= earlier for earlier, later in pairwise(numbers)):
        raise VideoError(
            f"{folder}: the last numbers in the names of its pictures do not count frames"
            f" ({names[0]} ... {names[-1]}). Expected names such as 00000001.jpg."
        )
    return np.array(numbers, dtype=np.int64)


def natural_key(stem: str) -> tuple[str | int, ...]:
    """Return a sort key that compares numbers as numbers: "img10" -> ("img", 10, "").

    The key ignores case and Unicode form: `IMG_1.jpg` comes before `img_2.jpg`.
    """
    return tuple(int(part) if part.isdecimal() else folded(part) for part in re.split(r"([0-9]+)", stem))


def folder_timeline(folder: Path, num_pictures: int, fps: float | None) -> Timeline:
    """Return the timeline of pictures at a constant rate.

    Raise `VideoError` if `fps` is missing or not > 0.
    """
    if fps is None:
        raise VideoError(
            f"{folder}: a folder of pictures needs a frame rate. Give it with --fps, or in the column fps of"
            " the CSV."
        )
    try:
        rate = as_rate(fps)
    except ValueError as error:
        raise VideoError(f"{folder}: fps of a folder of pictures: {error}") from error
    ticks = np.arange(num_pictures, dtype=np.int64)
    return Timeline(pts=ticks, time_base=Fraction(1) / rate, end=num_pictures)


def read_picture(path: Path) -> Picture:
    """Read one RGB picture, (height, width, 3). Raise `VideoError` if it cannot be read completely."""
    try:
        with open_bounded(path, most_bytes=PICTURE_BYTES) as file, Image.open(file, formats=FORMATS) as image:
            check_size(path, width=image.width, height=image.height)
            if image.mode.startswith("I"):  # Pillow would clip 16-bit gray
                return np.repeat((np.asarray(image) >> 8).astype(np.uint8)[..., None], 3, axis=2)
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VideoError(
            f"{path}: this picture cannot be read ({reason}). Extract the frames again."
        ) from error


def read_folder(
    pictures: Sequence[Path], frame_index: Sequence[int], *, size: tuple[int, int]
) -> Iterator[Picture]:
    """Yield pictures by index.

    Raise `VideoError` for one that is unreadable or not of `size` (width, height).
    """
    for index in frame_index:
        picture = read_picture(pictures[index])
        height, width = picture.shape[:2]
        if (width, height) != size:
            raise VideoError(
                f"{pictures[index]}: {width}x{height} pixels, but the first picture has {size[0]}x{size[1]}."
                " All frames of a video must have the same size."
            )
        yield picture
