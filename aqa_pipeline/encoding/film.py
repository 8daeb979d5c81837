"""Write pictures as an mp4 without sound, each picture at its own time."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import IO, cast

import av
import numpy as np
from av.video.reformatter import Colorspace
from numpy.typing import NDArray

from aqa_pipeline.errors import VideoError

TICKS = 60_000  # a second; MPEG-4 Part 2 allows no more than 65,535
BT709 = 1  # matrix, primaries and transfer, as FFmpeg counts them
H264_ENCODERS = ("libx264", "libopenh264")  # every current browser plays h264 in 4:2:0
GOOD_QUALITY = {"flags": "+qscale", "global_quality": str(2 * 118)}  # quantizer 2, in FFmpeg's units
OTHER_ENCODER = "mpeg4"  # part of every FFmpeg; browsers may not play it


@dataclass(frozen=True, eq=False)
class TimedPicture:
    """An RGB picture, uint8 (height, width, channel), shown during [start, stop) seconds of the film."""

    start: float
    stop: float
    picture: NDArray[np.uint8]


def find_encoder() -> str:
    """Return the name of an h264 encoder that PyAV has here, else of one that browsers may not play."""
    return next((name for name in H264_ENCODERS if _is_there(name)), OTHER_ENCODER)


def _is_there(encoder: str) -> bool:
    try:
        av.codec.Codec(encoder, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def write_film(
    target: Path | IO[bytes],
    pictures: Iterable[TimedPicture],
    *,
    width: int,
    height: int,
    fps: float,
    crf: int,
    encoder: str,
) -> None:
    """Write the pictures in BT.709 and 4:2:0; raise `VideoError` if they cannot be encoded.

    All pictures have the same size, at least `width` and `height`, which are even. A picture is cut to them
    at its right and lower edge. `fps` is the mean rate, `crf` the quality of libx264: 18 looks like the
    original.
    """
    on_disk = isinstance(target, Path)
    file = str(target) if on_disk else target
    head_first = {"movflags": "+faststart"} if on_disk else {}  # FFmpeg opens the file a second time for it
    options = {"crf": str(crf)} if encoder == "libx264" else GOOD_QUALITY
    durations: dict[int | None, int] = {}  # by time: the container takes the last one from its packet
    try:
        with av.open(file, "w", format="mp4", options=head_first) as container:
            rate = Fraction(fps).limit_denominator(1001)
            stream = cast("av.VideoStream", container.add_stream(encoder, rate=rate, options=options))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
            for name in ("colorspace", "color_primaries", "color_trc"):
                setattr(stream.codec_context, name, BT709)
            for frame in chain((_frame(each, width, height) for each in pictures), [None]):
                if frame is not None:
                    durations[frame.pts] = frame.duration
                for packet in stream.encode(frame):
                    packet.duration = durations[packet.pts]
                    container.mux(packet)
    except av.FFmpegError as error:
        raise VideoError(f"the film cannot be encoded: {error}.") from error


def _frame(each: TimedPicture, width: int, height: int) -> av.VideoFrame:
    cut = np.ascontiguousarray(each.picture[:height, :width])
    frame = av.VideoFrame.from_ndarray(cut, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709
    )
    start, stop = (round(TICKS * seconds) for seconds in (each.start, each.stop))
    frame.pts, frame.duration, frame.time_base = start, stop - start, Fraction(1, TICKS)
    return frame
