"""List the exact frames of a video file.

If the packets show the frames (`packets.packets_doubt`), they are read without decoding. Otherwise the file
is decoded once, in order, which is slower but always right. Scans are cached, so that the twenty performances
of one broadcast read its hour once.
"""

import logging
from array import array
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video.container import (
    ADVICE,
    check_file,
    check_size,
    clock_of,
    codec_name,
    moving_pictures,
    open_container,
    packets_of,
    reason,
    stated_rate,
    video_stream,
)
from aqa_pipeline.video.frame_format import FrameFormat
from aqa_pipeline.video.orientation import UPRIGHT, frame_orientation
from aqa_pipeline.video.packets import (
    MPEG_TS,
    NO_TICK,
    PacketTable,
    decord_doubt,
    packets_doubt,
    read_packets,
)
from aqa_pipeline.video.plain import picture_facts, sample_aspect, square_width
from aqa_pipeline.video.sampling import Ticks, Timeline, as_rate

log = logging.getLogger(__name__)

NUM_FIRST_FRAMES = 17  # h264 and hevc reorder at most 16 frames
FALLBACK_FPS = Fraction(25)  # for a file of one frame that states no rate and no duration
CLOCK_JUMP_SECONDS = 1  # a larger step back means a new clock (joined recordings), a smaller one an error


@dataclass(frozen=True, eq=False)
class Scan:
    """All frames that a sequential decoding of the file delivers.

    `delivered` is (frame,): the timestamps of the decoder, NO_TICK where it has none. `timeline` has the same
    times in strictly increasing ticks. If `by_pts`, a frame is identified by its timestamp, otherwise by its
    position. `restart_frames` are the frames at which decoding may begin. `damage` says where the file ends
    early; None if it does not.
    """

    path: Path
    timeline: Timeline
    delivered: Ticks
    by_pts: bool
    restart_frames: Ticks
    decord_doubt: str | None
    frame_format: FrameFormat
    codec: str
    container: str
    damage: str | None


def scan_video(path: Path) -> Scan:
    """List the frames of the file. The result is cached until the file changes. Raise `VideoError`."""
    check_file(path)
    facts = path.stat()
    return _scan(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=8)  # about 4 MB for each hour of video
def _scan(path: Path, size: int, mtime_ns: int) -> Scan:
    del size, mtime_ns  # they are in the key of the cache, so that a changed file is scanned again
    with open_container(path) as container:
        table = read_packets(container, video_stream(container, path))
    first = _first_frames(path)
    doubt = packets_doubt(table) or _start_doubt(table, first.delivered)
    if doubt is None:
        delivered, last_duration, error = *_shown_packets(table), None
    else:
        log.debug("%s: decoded once to list its frames: %s", path, doubt)
        delivered, last_duration, error = _decode_through(path, finish=table.error is None)
        error = table.error or error
    timeline = as_timeline(delivered, last_duration=last_duration, time_base=first.time_base, fps=first.fps)
    decord = decord_doubt(
        table,
        num_streams=first.num_streams,
        pixel_format=first.pixel_format,
        upright=first.frame_format.orientation == UPRIGHT,
        picture=first.frame_format.picture,
    )
    restarts = table.restarts if doubt is None else np.empty(0, np.int64)
    return Scan(
        path=path,
        timeline=timeline,
        delivered=delivered,
        by_pts=doubt is None,
        restart_frames=np.searchsorted(delivered, table.pts[restarts]),
        decord_doubt=doubt or decord,
        frame_format=first.frame_format,
        codec=table.codec,
        container=table.container,
        damage=None if error is None else _damage(path, timeline, error),
    )


@dataclass(frozen=True, eq=False)
class _FirstFrames:
    """The facts that only decoding shows, from the first few frames, and the clock of the stream."""

    delivered: Ticks
    frame_format: FrameFormat
    pixel_format: str
    num_streams: int
    time_base: Fraction
    fps: Fraction


def _first_frames(path: Path) -> _FirstFrames:
    with open_container(path) as container:
        stream = video_stream(container, path)
        frames: list[Any] = []
        with suppress(VideoError):  # listing packets or frames reports such early damage
            frames.extend(islice(decoded_frames(container, stream, path), NUM_FIRST_FRAMES))
        if not frames:
            raise VideoError(f"{path}: no frame of its {codec_name(stream)} video can be decoded. {ADVICE}")
        aspect = sample_aspect(stream, path)
        check_size(path, width=square_width(frames[0].width, aspect), height=frames[0].height)
        rate = stated_rate(stream)
        return _FirstFrames(
            delivered=np.array([frame_tick(frame) for frame in frames], dtype=np.int64),
            frame_format=FrameFormat(
                width=frames[0].width,
                height=frames[0].height,
                aspect=aspect,
                orientation=frame_orientation(frames[0]),
                picture=picture_facts(frames, aspect),
            ),
            pixel_format=frames[0].format.name,
            num_streams=len(moving_pictures(container)),
            time_base=clock_of(stream, path),
            fps=as_rate(rate) if rate else FALLBACK_FPS,
        )


def decoded_frames(container: Any, stream: Any, path: Path, *, finish: bool = True) -> Iterator[Any]:
    """Yield decoded frames in presentation order, from the current position of the container.

    Packets that cannot be decoded before the first frame are skipped, because recordings begin anywhere. With
    `finish=False`, frames that wait in the decoder at the end are dropped: in a file that is cut off, frames
    between them may be missing. Raises `VideoError` at the first failure after the first frame.
    """
    import av

    num_frames = 0
    try:
        for packet in packets_of(container, stream):
            if packet.is_corrupt and container.format.name != MPEG_TS:
                raise VideoError(f"{path}: a packet is cut off")
            if packet.size == 0 and packet.dts is None and not finish:
                return
            try:
                frames = stream.codec_context.decode(packet if packet.size else None)
            except av.error.InvalidDataError:
                if num_frames:
                    raise
                continue
            num_frames += len(frames)
            yield from frames
    except av.error.FFmpegError as error:
        raise VideoError(f"{path}: {reason(error)}") from error


def frame_tick(frame: Any) -> int:
    """Return the display time of the frame by the decoder; NO_TICK if it has none."""
    if frame.pts is not None:
        return int(frame.pts)
    return NO_TICK if frame.dts is None else int(frame.dts)


def _start_doubt(table: PacketTable, first_delivered: Ticks) -> str | None:
    """Return why the packets are wrong, by the first decoded frames; None if they agree."""
    if np.array_equal(np.sort(table.pts)[: len(first_delivered)], first_delivered):
        return None
    return "the first decoded frames are not those that the packets promise"


def _shown_packets(table: PacketTable) -> tuple[Ticks, int]:
    """Return presentation times in order, and the duration of the last frame."""
    order = np.argsort(table.pts)
    return table.pts[order], int(table.duration[order[-1]])


def _decode_through(path: Path, *, finish: bool) -> tuple[Ticks, int, str | None]:
    """Return the timestamps of all decoded frames, the last duration, and why decoding ended early."""
    delivered = array("q")
    last_duration, error = 0, None
    with open_container(path) as container:
        stream = video_stream(container, path)
        try:
            for frame in decoded_frames(container, stream, path, finish=finish):
                delivered.append(frame_tick(frame))
                last_duration = frame.duration or 0
        except VideoError as failure:
            error = str(failure).removeprefix(f"{path}: ")
    if not delivered:
        raise VideoError(
            f"{path}: damaged before the end of its first frame ({error or 'cut off'}). {ADVICE}"
        )
    return np.array(delivered, dtype=np.int64), last_duration, error


def as_timeline(
    delivered: Ticks, *, last_duration: int | None, time_base: Fraction, fps: Fraction
) -> Timeline:
    """Return the delivered timestamps as a `Timeline`, in order and strictly increasing.

    `last_duration` is in ticks. If it is 0 or None, the last frame is as long as the frame before, or 1/fps.
    """
    step = max(1, round(1 / (fps * time_base)))
    ticks = delivered
    if np.any(delivered == NO_TICK) or np.any(delivered[1:] <= delivered[:-1]):
        ticks = increasing_ticks(delivered, step=step, clock_jump=round(CLOCK_JUMP_SECONDS / time_base))
    if not last_duration or last_duration < 0:
        last_duration = int(ticks[-1] - ticks[-2]) if len(ticks) > 1 else step
    return Timeline(pts=ticks, time_base=time_base, end=int(ticks[-1]) + last_duration)


def increasing_ticks(delivered: Ticks, *, step: int, clock_jump: int) -> Ticks:
    """Return strictly increasing ticks for timestamps that are missing, repeated or run backward.

    A missing timestamp is `step` after the one before. A small step back becomes one tick forward. A step
    back of more than `clock_jump` is a new clock, which continues where the old one ended.
    """
    ticks: list[int] = []
    shift = 0
    for raw in delivered.tolist():
        if not ticks:
            ticks.append(0 if raw == NO_TICK else raw)
            continue
        tick = ticks[-1] + step if raw == NO_TICK else raw + shift
        if ticks[-1] - tick > clock_jump:
            shift += ticks[-1] + step - tick
            tick = ticks[-1] + step
        ticks.append(max(tick, ticks[-1] + 1))
    return np.array(ticks, dtype=np.int64)


def _damage(path: Path, timeline: Timeline, error: str) -> str:
    return (
        f"{path}: ends after frame {timeline.num_frames} at {timeline.duration_seconds:.2f} s ({error})."
        f" The frames before are good. {ADVICE}"
    )
