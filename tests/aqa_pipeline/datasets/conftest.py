"""Pictures that say which frame of a broadcast they show."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video

BLOCK = 16  # pixels: twice the blocks of JPEG, so that coding blurs none
BITS = 2 ** np.arange(10).reshape(2, 5)


def draw(frame: int) -> np.ndarray:
    """(32, 80, 3) the bits of the frame number as black and white blocks."""
    bits = (frame & BITS) > 0
    gray = np.where(bits.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1), 255, 0).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def frame_in(picture: np.ndarray) -> int:
    bright = picture[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].mean(axis=2)
    assert np.all((bright < 60) | (bright > 195)), bright
    return int(BITS[bright > 128].sum())


@pytest.fixture
def draw_frame() -> Callable[[int], np.ndarray]:
    return draw


@pytest.fixture
def fill_folder() -> Callable[..., Path]:
    """`fill(folder, frames, name="{:08d}.jpg", first=1)`: frame n as the picture numbered `first + n`."""

    def fill(folder: Path, frames: Iterable[int], *, name: str = "{:08d}.jpg", first: int = 1) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for frame in frames:
            Image.fromarray(draw(frame)).save(folder / name.format(first + frame), quality=95)
        return folder

    return fill


@pytest.fixture
def shown_frames() -> Callable[[Video], list[int]]:
    """Return the frame numbers of the broadcast that the pictures of a video show, in order."""

    def read(video: Video) -> list[int]:
        with open_video(video) as opened:
            return [frame_in(picture) for _, picture in opened.frames(range(opened.timeline.num_frames))]

    return read
