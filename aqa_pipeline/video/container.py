"""Opening a video file with PyAV, and saying in words what is wrong with it.

PyAV keeps ffmpeg's log messages to itself unless a program asks for them, so nothing is switched off here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from numbers import Rational
from pathlib import Path
from typing import Any

from aqa_pipeline.errors import VideoError
from aqa_pipeline.untrusted.bounded_files import check_bounded
from aqa_pipeline.video.liveness import sign_of_life

# 8K video has 33 million pixels, 7680 a side. ffmpeg's own bound is 268 million, and a decoder holds up to 17
# frames at once: of 100 million pixels in 4:2:0 they are 2.5 GB, which is what a decoding process may take.
MAX_SIDE = 16384
MAX_PIXELS = 100_000_000
DECODER_OPTIONS = {"max_pixels": str(MAX_PIXELS)}  # refused before it is allocated, also midway
ADVICE = "Get the file again, or re-encode what is left of it: ffmpeg -i OLD -c:v libx264 NEW.mp4"


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """An open PyAV container, closed on leaving. Raises `VideoError` for what is no video file."""
    import av

    check_file(path)
    try:
        # A text file that looks like a playlist must not make ffmpeg open what it names: files only.
        container = av.open(
            f"file:{path}", options=DECODER_OPTIONS, container_options={"protocol_whitelist": "file"}
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(
            f"{path}: cannot be read as video ({reason(error)}). It is something else, or damaged, or an mp4"
            f" whose index is missing because it was cut off while being written. Get the file again."
        ) from error
    try:
        yield container
    finally:
        container.close()


def check_file(path: Path) -> None:
    """Raises `VideoError` unless there is a file with something in it."""
    if not path.exists():
        raise VideoError(f"{path}: no such video file. Check the dataset's root and the file's name.")
    try:
        check_bounded(path)
    except OSError as error:
        raise VideoError(f"{path}: this is no video file: {error.strerror or error}") from error
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes). Get the file again.")


def moving_pictures(container: Any) -> list[Any]:
    """The video streams that are not cover art (music files carry a picture as a "video" of one frame)."""
    from av.stream import Disposition

    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def video_stream(container: Any, path: Path) -> Any:
    """The stream that a player shows. Raises `VideoError` if there is none, or none that can be decoded."""
    streams = moving_pictures(container)
    if not streams:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VideoError(f"{path}: has no moving pictures, only {kinds}. Expected a video.")
    best = container.streams.best("video")
    stream = next((s for s in streams if best is not None and s.index == best.index), streams[0])
    if stream.codec_context is None:
        raise VideoError(f"{path}: its video codec cannot be decoded by the installed PyAV. {ADVICE}")
    check_size(path, width=stream.codec_context.width, height=stream.codec_context.height)
    stream.codec_context.options = DECODER_OPTIONS
    return stream


def codec_name(stream: Any) -> str:
    """The name of the codec, such as av1. The decoder may have another one, such as libdav1d."""
    return str(stream.codec_context.codec.canonical_name)


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of the stream and the empty one that ends it, each a sign of life.

    Where streams begin midway (.ts), PyAV may look for them among those of the header at the end, and fail.
    All packets have come by then, and the empty one.
    """
    packets = container.demux(stream)
    while True:
        sign_of_life()
        try:
            packet = next(packets)
        except (StopIteration, IndexError):
            return
        yield packet


def as_fraction(ratio: Rational | None) -> Fraction | None:
    """Return a ratio of PyAV's as Python's own, None where the file states none.

    PyAV 19 has a rational type of its own, without half of what `Fraction` can do. An unstated ratio is None
    up to PyAV 18, and 0/1 or 0/0 since. Only this function's results may enter a record.
    """
    return Fraction(ratio) if ratio else None


def clock_of(stream: Any, path: Path) -> Fraction:
    """Return the seconds of one tick of the stream. Raises `VideoError` where the container has no clock."""
    time_base = as_fraction(stream.time_base)
    if time_base is None:
        raise VideoError(f"{path}: its container does not say how long a tick lasts. {ADVICE}")
    return time_base


def stated_rate(stream: Any) -> Fraction | None:
    """Return the frames a second that the container states or that FFmpeg guesses, None without either."""
    return as_fraction(stream.average_rate) or as_fraction(stream.guessed_rate)


def check_size(path: Path, *, width: int, height: int) -> None:
    """Raises `VideoError` for picture sizes that only a damaged or hostile header claims."""
    if width < 1 or height < 1:
        raise VideoError(
            f"{path}: the header gives no picture size ({width}x{height}), or one of more than"
            f" {MAX_PIXELS // 1_000_000} million pixels. {ADVICE}"
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise VideoError(
            f"{path}: pictures of {width}x{height} are refused: at most {MAX_SIDE} a side and"
            f" {MAX_PIXELS // 1_000_000} million pixels. If the size is meant, scale the video down first."
        )


def reason(error: Exception) -> str:
    """What ffmpeg said, without the error number and the repeated path."""
    return str(getattr(error, "strerror", None) or error)
