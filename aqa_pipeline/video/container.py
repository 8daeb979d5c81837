"""Open a video file with PyAV, and explain in words what is wrong with it.

PyAV hides the log messages of ffmpeg by default, so this module need not switch them off.
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

# 8K video has 33 million pixels, 7680 a side. The bound of ffmpeg is 268 million, and a decoder holds up to
# 17 frames at once: with 100 million pixels in 4:2:0 they take 2.5 GB, the most that a decoding process may
# take.
MAX_SIDE = 16384
MAX_PIXELS = 100_000_000
DECODER_OPTIONS = {"max_pixels": str(MAX_PIXELS)}  # refused before it is allocated, also midway
ADVICE = (
    "Download or copy the file again, or re-encode what is left of it: ffmpeg -i OLD -c:v libx264 NEW.mp4"
)


@contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """Yield an open PyAV container, and close it after the block. Raise `VideoError` for other files."""
    import av

    check_file(path)
    try:
        # A text file that looks like a playlist must not make ffmpeg open network addresses: only files.
        container = av.open(
            f"file:{path}", options=DECODER_OPTIONS, container_options={"protocol_whitelist": "file"}
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise VideoError(
            f"{path}: cannot be read as video ({reason(error)}). The file is not a video, is damaged, or is"
            " an mp4 that was cut off while it was written, so that its index is missing. Download or copy"
            " the file again."
        ) from error
    try:
        yield container
    finally:
        container.close()


def check_file(path: Path) -> None:
    """Raise `VideoError` unless there is a regular file that is not empty."""
    if not path.exists():
        raise VideoError(f"{path}: no such video file. Check the dataset's root and the file's name.")
    try:
        check_bounded(path)
    except OSError as error:
        raise VideoError(f"{path}: this is not a video file: {error.strerror or error}") from error
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes). Download or copy the file again.")


def moving_pictures(container: Any) -> list[Any]:
    """Return the video streams without cover art (music files have a picture as a "video" of one frame)."""
    from av.stream import Disposition

    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def video_stream(container: Any, path: Path) -> Any:
    """Return the stream that a player shows. Raise `VideoError` if there is none that can be decoded."""
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
    """Return the name of the codec, such as av1. The decoder may have another name, such as libdav1d."""
    return str(stream.codec_context.codec.canonical_name)


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of the stream and the empty packet that ends it; each one is a sign of life.

    If streams begin midway (.ts), PyAV may fail at the end with an `IndexError`. All packets and the empty
    one have come by then.
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
    """Return a ratio of PyAV as a `Fraction`; None if the file states none.

    PyAV 19 has its own rational type, which lacks many operations of `Fraction`. A ratio that is not stated
    is None up to PyAV 18, and 0/1 or 0/0 later. Only results of this function may enter a record.
    """
    return Fraction(ratio) if ratio else None


def clock_of(stream: Any, path: Path) -> Fraction:
    """Return the seconds of one tick of the stream. Raise `VideoError` if the container has no clock."""
    time_base = as_fraction(stream.time_base)
    if time_base is None:
        raise VideoError(f"{path}: its container does not say how long a tick lasts. {ADVICE}")
    return time_base


def stated_rate(stream: Any) -> Fraction | None:
    """Return the frame rate that the container states, else the one that FFmpeg guesses, else None."""
    return as_fraction(stream.average_rate) or as_fraction(stream.guessed_rate)


def check_size(path: Path, *, width: int, height: int) -> None:
    """Raise `VideoError` for picture sizes that only a damaged or hostile header claims."""
    if width < 1 or height < 1:
        raise VideoError(
            f"{path}: the header gives no picture size ({width}x{height}), or one of more than"
            f" {MAX_PIXELS // 1_000_000} million pixels. {ADVICE}"
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise VideoError(
            f"{path}: pictures of {width}x{height} are refused: at most {MAX_SIDE} a side and"
            f" {MAX_PIXELS // 1_000_000} million pixels. If the size is correct, scale the video down first."
        )


def reason(error: Exception) -> str:
    """Return the message of ffmpeg without the error number and the repeated path."""
    return str(getattr(error, "strerror", None) or error)
