"""Read frames with PyAV: one pass in order; every frame is checked against the timeline.

If frames are identified by timestamps (`Scan.by_pts`), the reader begins at the last restart before the first
wanted frame, and lets the decoder drop unwanted frames to which no other frame refers. Frames are still
identified by their timestamps, and a missing frame is an error.
"""

import logging
from collections.abc import Generator, Iterator, MutableMapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.colors import colors_of, to_bt709
from aqa_pipeline.video.container import ADVICE, open_container, packets_of, reason, video_stream
from aqa_pipeline.video.deinterlace import deinterlaced
from aqa_pipeline.video.orientation import Picture, orient
from aqa_pipeline.video.plain import DEINTERLACED, aspect_facts
from aqa_pipeline.video.timeline import Scan, decoded_frames, frame_tick

log = logging.getLogger(__name__)

# Decoders that check for each packet whether to skip it. libdav1d checks only once, when it opens.
SKIPPING_DECODERS = frozenset({"h264", "hevc", "vp9"})


def read_pyav(
    scan: Scan,
    frame_index: Sequence[int],
    *,
    picture: MutableMapping[str, SpecValue],
    num_threads: int = 1,
) -> Iterator[Picture]:
    """Yield RGB pictures, (height, width, 3), of strictly increasing frames of the file.

    `picture` receives the facts on how they were converted. Raises `VideoError` if decoded frames differ from
    the timeline.
    """
    picture.update(aspect_facts(scan.frame_format.aspect))
    yield from _as_shown(_progressive(scan, frame_index, num_threads, picture), scan, picture)


def _progressive(
    scan: Scan, frame_index: Sequence[int], num_threads: int, picture: MutableMapping[str, SpecValue]
) -> Iterator[Any]:
    """Yield the wanted frames; from the first interlaced frame on, they pass the deinterlacer."""
    read = _read_by_pts if scan.by_pts else _read_in_order
    frames = read(scan, frame_index, num_threads)
    for position, frame in enumerate(frames):
        if frame.interlaced_frame:
            frames.close()
            picture.update(DEINTERLACED)
            yield from _deinterlaced(read, scan, frame_index[position:], num_threads)
            return
        yield frame


def _deinterlaced(read: Any, scan: Scan, frame_index: Sequence[int], num_threads: int) -> Iterator[Any]:
    """Yield the wanted frames deinterlaced, each with its two neighbors, wherever reading begins."""
    wanted = frozenset(frame_index)
    beside = np.unique(np.asarray(frame_index, dtype=np.int64)[:, None] + [-1, 0, 1])
    beside = beside[(beside >= 0) & (beside < scan.timeline.num_frames)]
    frames = deinterlaced(read(scan, beside.tolist(), num_threads), num_threads=num_threads)
    for index, frame in zip(beside.tolist(), frames, strict=True):
        if index in wanted:
            yield frame


def _read_in_order(scan: Scan, frame_index: Sequence[int], num_threads: int) -> Generator[Any, None, None]:
    """Decode from the start and count frames, for files whose timestamps do not identify frames."""
    wanted = iter(frame_index)
    target = next(wanted)
    with open_container(scan.path) as container:
        stream = _open_stream(container, scan, num_threads)
        for index, frame in enumerate(decoded_frames(container, stream, scan.path)):
            if frame_tick(frame) != scan.delivered[index]:
                raise failure(scan, index, "the decoded frame differs from that of the first reading")
            if index != target:
                continue
            yield frame
            next_target = next(wanted, None)
            if next_target is None:
                return
            target = next_target
    raise failure(scan, target, "decoding ends here")


def _read_by_pts(scan: Scan, frame_index: Sequence[int], num_threads: int) -> Generator[Any, None, None]:
    """Decode from the nearest restart, and identify frames by their timestamps."""
    restart = int(np.searchsorted(scan.restart_frames, frame_index[0], side="right")) - 1
    if restart > 0:
        with open_container(scan.path) as container:
            stream = _open_stream(container, scan, num_threads)
            packets = _packets_from(container, stream, scan, restart)
            if packets is not None:
                yield from _wanted(packets, stream, scan, frame_index)
                return
        log.debug("%s: seeking misses, read from the start", scan.path)
    with open_container(scan.path) as container:
        stream = _open_stream(container, scan, num_threads)
        yield from _wanted(packets_of(container, stream), stream, scan, frame_index)


def _packets_from(container: Any, stream: Any, scan: Scan, restart: int) -> Iterator[Any] | None:
    """Return packets from that restart or an earlier one; None if seeking in the container fails."""
    import av

    starts = scan.delivered[scan.restart_frames[: restart + 1]]
    try:
        container.seek(int(starts[-1]), stream=stream, backward=True)
        packets = packets_of(container, stream)
        first = next(packets)
    except (av.error.FFmpegError, StopIteration):
        return None
    return chain([first], packets) if first.pts in starts else None


def _wanted(packets: Iterator[Any], stream: Any, scan: Scan, frame_index: Sequence[int]) -> Iterator[Any]:
    """Yield the wanted frames from the decoder, each identified by its timestamp."""
    ticks = scan.delivered[np.asarray(frame_index, dtype=np.int64)].tolist()
    position = 0
    for frame in _decode_sparsely(packets, stream, scan, wanted=frozenset(ticks)):
        tick = frame_tick(frame)
        if tick < ticks[position]:
            continue
        if tick > ticks[position]:
            break
        yield frame
        position += 1
        if position == len(ticks):
            return
    raise failure(scan, frame_index[position], "the frame that belongs here is not decoded")


def _decode_sparsely(
    packets: Iterator[Any], stream: Any, scan: Scan, *, wanted: frozenset[int]
) -> Iterator[Any]:
    """Yield decoded frames without unwanted frames to which no other frame refers (saves about a fifth)."""
    import av

    codec = stream.codec_context
    may_skip = codec.name in SKIPPING_DECODERS
    num_passed = 0
    try:
        for packet in packets:
            if may_skip:
                codec.skip_frame = "DEFAULT" if packet.pts is None or packet.pts in wanted else "NONREF"
            for frame in codec.decode(packet if packet.size else None):
                num_passed = int(np.searchsorted(scan.delivered, frame_tick(frame), side="right"))
                yield frame
    except av.error.FFmpegError as error:
        raise failure(scan, num_passed, reason(error)) from error


def _open_stream(container: Any, scan: Scan, num_threads: int) -> Any:
    stream = video_stream(container, scan.path)
    stream.codec_context.thread_count = num_threads
    stream.codec_context.thread_type = "SLICE" if num_threads == 1 else "AUTO"
    return stream


def _as_shown(
    frames: Iterator[Any], scan: Scan, picture: MutableMapping[str, SpecValue]
) -> Iterator[Picture]:
    """Yield upright RGB pictures, all of the size of the first frame even if a recording changes its size."""
    from av.video.reformatter import VideoReformatter

    reformatter = (
        VideoReformatter()
    )  # one scaler for all frames; `frame.reformat` would build a new one each time
    width, height = scan.frame_format.square_size
    kernel = None if width == scan.frame_format.width else "BICUBIC"  # the default of the ffmpeg program
    warned = False
    for frame in frames:
        if frame.is_corrupt and not warned:
            log.warning(
                "%s: damaged pictures near %.2f s were repaired by the decoder", scan.path, frame.time or 0
            )
            warned = True
        colors = colors_of(frame)
        pixels = "rgb24" if colors is None else "gbrp16le"  # rgb48le is wrong in FFmpeg 8.0
        rgb = reformatter.reformat(frame, width=width, height=height, format=pixels, interpolation=kernel)
        stored: Any = rgb.to_ndarray()
        if colors is not None:
            picture.update(colors.facts)
            stored = to_bt709(stored, colors)
        yield orient(np.asarray(stored, dtype=np.uint8), scan.frame_format.orientation)


def failure(scan: Scan, index: int, why: str) -> VideoError:
    """Return the error for a decoding that differs from the timeline at this frame."""
    index = min(index, scan.timeline.num_frames - 1)
    return VideoError(
        f"{scan.path}: decoding fails at {scan.timeline.pts_seconds[index]:.2f} s"
        f" (frame {index} of {scan.timeline.num_frames}): {why}. {ADVICE}"
    )
