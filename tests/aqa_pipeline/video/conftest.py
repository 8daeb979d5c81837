"""Videos made for the tests: every frame carries its number as a bar code of large blocks.

So "which frame is this" is read from the pixels, and no timestamp or frame count is believed.
"""

from collections.abc import Callable, Iterator, Sequence
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


FAST_VP9 = {"deadline": "realtime", "cpu-used": "8", "g": "20"}
HEVC = "log-level=none:keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0"
IRREGULAR = tuple(np.cumsum([0] + [20, 20, 35, 110, 40, 20, 400, 33, 33, 34] * 6)[:60].tolist())

RECIPES = {
    "closed_gop.mp4": Recipe(),
    "closed_gop_audio.mp4": Recipe(audio=True),
    "long_gop.mov": Recipe(suffix=".mov", options={"x264-params": "keyint=250:bframes=3:b-adapt=0"}),
    "no_b_frames.mp4": Recipe(options={"x264-params": "keyint=20:scenecut=0:bframes=0"}),
    "one_second_late.mp4": Recipe(start_tick=25),
    "open_gop.mp4": Recipe(options=dict(OPEN_GOP)),
    "intra_refresh.mp4": Recipe(
        options={"x264-params": "keyint=20:intra-refresh=1:bframes=0"}, num_frames=70
    ),
    "variable_rate.mp4": Recipe(schedule=IRREGULAR, rate=Fraction(30)),
    "ntsc_film.mp4": Recipe(rate=Fraction(24000, 1001)),
    "turned_90.mp4": Recipe(rotation=90),
    "turned_180.mp4": Recipe(rotation=180),
    "turned_270.mp4": Recipe(rotation=270),
    "mirrored.mp4": Recipe(rotation=0, hflip=True),
    "mirrored_turned_90.mp4": Recipe(rotation=90, hflip=True),
    "fragments.mp4": Recipe(container={"movflags": "frag_keyframe+empty_moov"}),
    "matroska.mkv": Recipe(suffix=".mkv"),
    "xvid.avi": Recipe(
        suffix=".avi",
        codec="mpeg4",
        options={"g": "20", "qscale": "3"},
        settings={"max_b_frames": 2, "codec_tag": "XVID"},
    ),
    "mpeg4.mp4": Recipe(codec="mpeg4", options={"g": "20"}, settings={"max_b_frames": 2}),
    "transport.ts": Recipe(suffix=".ts"),
    "mpeg2.ts": Recipe(suffix=".ts", codec="mpeg2video", options={"g": "15", "bf": "2"}),
    "vp9.webm": Recipe(suffix=".webm", codec="libvpx-vp9", options=FAST_VP9),
    "vp9_alt_ref.webm": Recipe(
        suffix=".webm",
        codec="libvpx-vp9",
        options={
            "deadline": "good",
            "cpu-used": "5",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "b": "200k",
        },
    ),
    "vp8.webm": Recipe(
        suffix=".webm",
        codec="libvpx",
        options={
            "deadline": "good",
            "cpu-used": "4",
            "auto-alt-ref": "1",
            "lag-in-frames": "16",
            "b": "800k",
        },
    ),
    "vp9_odd.webm": Recipe(suffix=".webm", codec="libvpx-vp9", options=FAST_VP9, size=(321, 181)),
    "vp9_10_bit.webm": Recipe(
        suffix=".webm",
        codec="libvpx-vp9",
        options=FAST_VP9 | {"profile": "2"},
        pixels="yuv420p10le",
        num_frames=30,
    ),
    "av1.mp4": Recipe(codec="libsvtav1", options={"preset": "8", "g": "20", "crf": "15"}, num_frames=45),
    "av1_10_bit.mp4": Recipe(
        codec="libsvtav1",
        options={"preset": "8", "g": "20", "crf": "15"},
        pixels="yuv420p10le",
        num_frames=30,
    ),
    "hevc_open.mp4": Recipe(codec="libx265", options={"x265-params": HEVC + ":open-gop=1"}),
    "hevc_closed.mp4": Recipe(codec="libx265", options={"x265-params": HEVC + ":open-gop=0"}),
    "hevc_10_bit.mp4": Recipe(
        codec="libx265", options={"x265-params": HEVC + ":open-gop=0"}, pixels="yuv420p10le", num_frames=30
    ),
    "h264_10_bit.mp4": Recipe(pixels="yuv420p10le"),
    "h264_odd.mp4": Recipe(pixels="yuv444p", size=(321, 181)),
    "h264_full_range.mp4": Recipe(pixels="yuvj420p"),
    "one_frame.mp4": Recipe(num_frames=1),
    "two_frames.mp4": Recipe(num_frames=2),
}


def make_cut(videos: "Videos", path: Path) -> TestVideo:
    return stream_copy(videos["closed_gop.mp4"], path, first_frame=27)


def make_cut_without_edit_list(videos: "Videos", path: Path) -> TestVideo:
    options = {"use_editlist": "0", "avoid_negative_ts": "disabled"}
    return stream_copy(videos["closed_gop.mp4"], path, first_frame=20, options=options)


def make_open_cut(videos: "Videos", path: Path) -> TestVideo:
    """Write an open group of pictures at the start: its leading frames refer to what was cut away."""
    source = videos["open_gop.mp4"]
    with av.open(str(source.path)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        packets = [packet for packet in old.demux(stream) if packet.dts is not None]
        key = [i for i, packet in enumerate(packets) if packet.is_keyframe][1]
        assert min(packet.pts for packet in packets[key:]) < packets[key].pts, "no leading frames to test"
        shift = packets[key].dts
        copy = new.add_stream_from_template(stream)
        for packet in packets[key:]:
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
            new.mux(packet)
    return TestVideo(path, [], [])  # which of the leading frames come out is the decoder's affair


def make_joined(videos: "Videos", path: Path) -> TestVideo:
    """Two recordings glued together byte by byte: the clock starts anew in the middle."""
    part = videos["transport.ts"]
    path.write_bytes(part.path.read_bytes() * 2)
    seconds = part.seconds + [part.seconds[-1] + 0.04 + second for second in part.seconds]
    return TestVideo(path, part.numbers * 2, seconds)


def make_begun_late(videos: "Videos", path: Path) -> TestVideo:
    """Write a transport stream recorded from somewhere within a group of pictures."""
    whole = videos["transport.ts"].path.read_bytes()
    cell = 188  # bytes of a transport packet
    path.write_bytes(whole[: 3 * cell] + whole[len(whole) // cell // 5 * cell :])
    return TestVideo(path, [], [])  # compared with the sequential decode only


def make_cover_art(videos: "Videos", path: Path) -> TestVideo:
    """Write a video that begins with cover art, as download tools add it."""
    source = videos["closed_gop.mp4"]
    with av.open(str(source.path)) as old, av.open(str(path), "w") as new:
        stream = old.streams.video[0]
        copy = new.add_stream_from_template(stream)
        art = new.add_stream("mjpeg", rate=1, options={})
        art.width, art.height, art.pix_fmt = 640, 480, "yuvj420p"
        art.disposition = av.stream.Disposition.attached_pic
        new.mux(art.encode(av.VideoFrame.from_ndarray(np.zeros((480, 640, 3), np.uint8), format="rgb24")))
        for packet in old.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                new.mux(packet)
        new.mux(art.encode(None))
    return TestVideo(path, source.numbers, source.seconds)


MADE = {
    "cut.mp4": make_cut,
    "cut_no_edit_list.mp4": make_cut_without_edit_list,
    "open_cut.mp4": make_open_cut,
    "open_cut.mkv": make_open_cut,
    "joined.ts": make_joined,
    "begun_late.ts": make_begun_late,
    "cover_art.mp4": make_cover_art,
}


class Videos:
    """The test videos by name, each made when first asked for."""

    names: Sequence[str] = (*RECIPES, *MADE)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, TestVideo] = {}

    def __getitem__(self, name: str) -> TestVideo:
        if name not in self._made:
            path = self.folder / name
            self._made[name] = MADE[name](self, path) if name in MADE else encode(RECIPES[name], path)
        return self._made[name]

    def encode(self, name: str, **changes: Any) -> TestVideo:
        """Write another file: the plain recipe with these changes."""
        return encode(Recipe(**changes), self.folder / name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `video_name` for every test video."""
    if "video_name" in metafunc.fixturenames:
        metafunc.parametrize("video_name", Videos.names)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Videos:
    return Videos(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="session")
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture(scope="session")
def paint_number() -> Callable[..., np.ndarray]:
    return draw_number


def _sequential(path: Path) -> Iterator[np.ndarray]:
    """Every frame, by nothing but PyAV's plain decode loop; the reference of all tests here."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        packets = container.demux(stream)
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                yield frame.to_ndarray(format="rgb24")


@pytest.fixture(scope="session")
def decode_all() -> Callable[[Path], list[np.ndarray]]:
    cache: dict[Path, list[np.ndarray]] = {}

    def decode(path: Path) -> list[np.ndarray]:
        if path not in cache:
            cache.clear()  # one file's pictures at a time
            cache[path] = list(_sequential(path))
        return cache[path]

    return decode
