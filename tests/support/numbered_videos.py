"""Videos made for the tests: every frame carries its number as a bar code of large blocks.

So "which frame is this" is read from the pixels, and no timestamp or frame count is believed.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

NUM_BITS = 10
COLUMNS, ROWS = 5, 4  # two rows of bits, then the same two inverted
DARK, BRIGHT = 40, 215
CLOSED_GOP = {"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal"}
OPEN_GOP = {"x264-params": CLOSED_GOP["x264-params"] + ":open-gop=1"}
QUARTER = Fraction(1, 4)


@dataclass(frozen=True)
class TestVideo:
    """A file, the numbers drawn in the frames that a player shows, and when (seconds from the first frame).

    `turns`: quarter turns to the left that a player makes; `mirrored`: then it mirrors left and right.
    """

    __test__ = False
    path: Path
    numbers: list[int]
    seconds: list[float]
    turns: int = 0
    mirrored: bool = False


@dataclass(frozen=True)
class Recipe:
    """How a file is encoded. `schedule` is the tick (of 1/1000 s) of each frame, else `rate` fps."""

    suffix: str = ".mp4"
    codec: str = "libx264"
    num_frames: int = 60
    size: tuple[int, int] = (160, 120)
    rate: Fraction = Fraction(25)
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=lambda: dict(CLOSED_GOP))
    container: dict[str, str] = field(default_factory=dict)
    schedule: tuple[int, ...] | None = None
    start_tick: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    audio: bool = False
    rotation: int | None = None
    hflip: bool = False


def draw_number(number: int, *, width: int, height: int) -> np.ndarray:
    """(H, W, 3) picture with the number's bits in the upper half and their complement in the lower."""
    bits = [(number >> i) & 1 for i in range(NUM_BITS)]
    grid = np.array(bits + [1 - bit for bit in bits]).reshape(ROWS, COLUMNS)
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    gray = np.where(grid[rows][:, columns], BRIGHT, DARK).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def stored_picture(number: int, recipe: Recipe) -> np.ndarray:
    """Return the picture as it must be in the file, so that a player shows it upright."""
    turns = (recipe.rotation or 0) // 90
    width, height = recipe.size[::-1] if turns % 2 else recipe.size
    picture = draw_number(number, width=width, height=height)
    if recipe.hflip:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(np.rot90(picture, -turns))


def number_in(picture: np.ndarray) -> int:
    """Read the number drawn in an RGB picture; fail if the blocks do not hold together."""
    assert picture.dtype == np.uint8, picture.dtype
    assert picture.ndim == 3, picture.shape
    assert picture.shape[2] == 3, picture.shape
    height, width = picture.shape[:2]
    blocks = np.empty((ROWS, COLUMNS))
    for row in range(ROWS):
        for column in range(COLUMNS):
            top, left = int((row + QUARTER) * height / ROWS), int((column + QUARTER) * width / COLUMNS)
            blocks[row, column] = picture[
                top : top + height // ROWS // 2, left : left + width // COLUMNS // 2
            ].mean()
    assert np.all((blocks < 90) | (blocks > 165)), f"blurred blocks: {blocks.round()}"
    bits = (blocks > 128).astype(int).ravel()
    assert np.array_equal(bits[:NUM_BITS], 1 - bits[NUM_BITS:]), f"no bar code: {bits}"
    return int(sum(bit << i for i, bit in enumerate(bits[:NUM_BITS])))


def encode(recipe: Recipe, path: Path) -> TestVideo:
    """Write the file of this recipe, in a thread of its own.

    For root, SVT-AV1 makes the thread that calls it a real-time one, and so are all threads and processes
    that it starts afterwards; one of them that waits without sleeping then stops the whole machine.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_encode, recipe, path).result()


def _encode(recipe: Recipe, path: Path) -> TestVideo:
    if recipe.codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {recipe.codec}")
    ticks = recipe.schedule or range(recipe.num_frames)
    time_base = Fraction(1, 1000) if recipe.schedule else 1 / recipe.rate
    with av.open(str(path), "w", options=recipe.container) as container:
        stream = container.add_stream(recipe.codec, rate=recipe.rate, options=dict(recipe.options))
        stream.width, stream.height, stream.pix_fmt = *recipe.size, recipe.pixels
        stream.codec_context.time_base = time_base
        for name, value in recipe.settings.items():
            setattr(stream.codec_context, name, value)
        if recipe.rotation is not None:
            stream.set_display_rotation(recipe.rotation, hflip=recipe.hflip)
        sound = container.add_stream("aac", rate=16000, layout="mono") if recipe.audio else None
        for number, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(stored_picture(number, recipe), format="rgb24")
            frame.pts, frame.time_base = tick + recipe.start_tick, time_base
            try:
                container.mux(stream.encode(frame))
            except av.error.ArgumentError as error:
                pytest.skip(f"this PyAV's {recipe.codec} encodes no {recipe.pixels}: {error}")
        container.mux(stream.encode(None))
        if sound is not None:
            _mux_sound(container, sound, seconds=float((ticks[-1] + 1) * time_base))
    seconds = [float((tick - ticks[0]) * time_base) for tick in ticks]
    return TestVideo(path, list(range(len(ticks))), seconds, (recipe.rotation or 0) // 90, recipe.hflip)


def _mux_sound(container: Any, stream: Any, *, seconds: float) -> None:
    for start in range(0, int(16000 * seconds), 1024):
        samples = (np.sin(np.arange(start, start + 1024) / 20) * 8000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def stream_copy(
    source: TestVideo, path: Path, *, first_frame: int, options: dict[str, str] | None = None
) -> TestVideo:
    """Cut as `ffmpeg -ss T -c copy`: packets from the key frame before the cut, shown from the cut on."""
    with av.open(str(source.path)) as old, av.open(str(path), "w", options=options or {}) as new:
        stream = old.streams.video[0]
        packets = [packet for packet in old.demux(stream) if packet.dts is not None]
        cut = sorted(packet.pts for packet in packets)[first_frame]
        key = max(i for i, packet in enumerate(packets) if packet.is_keyframe and packet.pts <= cut)
        copy = new.add_stream_from_template(stream)
        for packet in packets[key:]:
            packet.pts, packet.dts, packet.stream = packet.pts - cut, packet.dts - cut, copy
            new.mux(packet)
    seconds = [second - source.seconds[first_frame] for second in source.seconds[first_frame:]]
    return TestVideo(path, source.numbers[first_frame:], seconds)
