"""Every ending that counts as a video opens: all frames, in order, as a dataset's folder has them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.datasets.reading.disk import scan_videos
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.video_endings import VIDEO_SUFFIXES
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe

NUM_FRAMES = 12
FPS = 25
# By ending: how FFmpeg calls the container, the codec, and its pixels.
MADE_AS = {
    ".mp4": ("mp4", "libx264", "yuv420p"),
    ".avi": ("avi", "mpeg4", "yuv420p"),
    ".mkv": ("matroska", "libx264", "yuv420p"),
    ".webm": ("webm", "libvpx", "yuv420p"),
    ".mov": ("mov", "libx264", "yuv420p"),
    ".m4v": ("mp4", "libx264", "yuv420p"),
    ".mpg": ("mpeg", "mpeg2video", "yuv420p"),
    ".mpeg": ("mpeg", "mpeg1video", "yuv420p"),
    ".ts": ("mpegts", "libx264", "yuv420p"),
    ".m2ts": ("mpegts", "libx264", "yuv420p"),
    ".mts": ("mpegts", "libx264", "yuv420p"),
    ".vob": ("vob", "mpeg2video", "yuv420p"),
    ".mxf": ("mxf", "mpeg2video", "yuv420p"),
    ".flv": ("flv", "flv", "yuv420p"),
    ".wmv": ("asf", "wmv2", "yuv420p"),
    ".asf": ("asf", "msmpeg4", "yuv420p"),
    ".ogv": ("ogg", "libtheora", "yuv420p"),
    ".3gp": ("3gp", "mpeg4", "yuv420p"),
    ".3g2": ("3g2", "mpeg4", "yuv420p"),
    ".gif": ("gif", "gif", "rgb8"),
}


def encode(path: Path, pictures: list[np.ndarray]) -> None:
    container, codec, pixels = MADE_AS[path.suffix.lower()]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no encoder {codec}")
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=FPS)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.time_base = Fraction(1, FPS)
        stream.bit_rate = 4_000_000
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def test_all_endings_are_tried() -> None:
    assert set(MADE_AS) == set(VIDEO_SUFFIXES)


@pytest.mark.parametrize("ending", sorted(VIDEO_SUFFIXES))
def test_a_video_of_that_ending_is_found_and_read_whole(
    tmp_path: Path, ending: str, paint_number: Callable[..., np.ndarray], read_number: Callable[..., int]
) -> None:
    (tmp_path / "videos").mkdir()
    # MXF wants a size that broadcasters have.
    width, height = (720, 576) if ending == ".mxf" else (160, 120)
    pictures = [paint_number(number, width=width, height=height) for number in range(NUM_FRAMES)]
    encode(tmp_path / f"videos/clip{ending.upper()}", pictures)
    path = scan_videos(FolderNames(tmp_path), "videos")["clip"]
    facts = probe(path)
    assert (facts.width, facts.height) == (width, height)
    with open_video(Video("clip", path)) as opened:
        seen = [read_number(picture) for _, picture in opened.frames(range(opened.timeline.num_frames))]
        assert opened.timeline.duration_seconds == pytest.approx(NUM_FRAMES / FPS, abs=0.05)
    assert seen == list(range(NUM_FRAMES))


def test_a_preview_is_not_taken_before_its_video(tmp_path: Path) -> None:
    for name in ("a.gif", "a.mp4", "b.GIF"):
        (tmp_path / name).touch()
    shelf = scan_videos(FolderNames(tmp_path), ".")
    assert {name: path.name for name, path in shelf.items()} == {"a": "a.mp4", "b": "b.GIF"}
