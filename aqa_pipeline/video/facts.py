"""Read the facts of a video without decoding all its pictures, for checking a dataset."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.container import (
    ADVICE,
    clock_of,
    codec_name,
    open_container,
    stated_rate,
    video_stream,
)
from aqa_pipeline.video.orientation import frame_orientation, swaps_sides
from aqa_pipeline.video.packets import MP4, NO_TICK, read_packets
from aqa_pipeline.video.plain import picture_facts, sample_aspect, square_width
from aqa_pipeline.video.readers.frame_folder import folder_timeline, list_pictures, read_picture
from aqa_pipeline.video.timeline import FALLBACK_FPS, decoded_frames

AV_TIME_BASE = Fraction(1, 1_000_000)  # seconds a tick of a container's own times


@dataclass(frozen=True)
class FileClock:
    """The start of the earliest stream on the clock of the file, and the length of all streams together.

    A browser takes the length for the end of an mp4.
    """

    start_seconds: float = 0.0
    length_seconds: float = 0.0


@dataclass(frozen=True)
class VideoFacts:
    """The displayed size in square pixels, the number of frames, the duration and the average frame rate.

    `container` is "frames" for a folder. `picture` says how the first frame is converted
    (`plain.picture_facts`).
    """

    width: int
    height: int
    fps: float
    num_frames: int
    duration_seconds: float
    codec: str
    container: str
    has_audio: bool
    clock: FileClock = FileClock()
    picture: Mapping[str, SpecValue] = field(default_factory=dict)


def probe(path: Path, *, fps: float | None = None) -> VideoFacts:
    """Return the facts from the header, or from the packets if the header lacks them; `fps` is for folders.

    The facts are quick to read but not exact; `open_video` lists the exact frames. Raises `VideoError` for a
    file that is not a video, or is cut off.
    """
    if path.is_dir():
        return _probe_folder(path, fps)
    with open_container(path) as container:
        stream = video_stream(container, path)
        num_frames, duration = (
            _count_by_index(stream, path) if _has_whole_index(container, stream) else (0, Fraction(0))
        )
        has_audio = bool(container.streams.audio)
        first = next(decoded_frames(container, stream, path), None)
        if first is None:
            raise VideoError(f"{path}: no frame of its {codec_name(stream)} video can be decoded. {ADVICE}")
        aspect = sample_aspect(stream, path)
        picture = picture_facts([first], aspect)
        width, height = square_width(first.width, aspect), first.height
        if swaps_sides(frame_orientation(first)):
            width, height = height, width
        codec, container_name = codec_name(stream), container.format.name
        clock = FileClock(
            *(float((ticks or 0) * AV_TIME_BASE) for ticks in (container.start_time, container.duration))
        )
    if not num_frames:
        num_frames, duration = _count_packets(path)
    return VideoFacts(
        width=width,
        height=height,
        fps=float(num_frames / duration),
        num_frames=num_frames,
        duration_seconds=float(duration),
        codec=codec,
        container=container_name,
        has_audio=has_audio,
        clock=clock,
        picture=picture,
    )


def _has_whole_index(container: Any, stream: Any) -> bool:
    """Return whether the header lists every packet, as in .mp4 files that are not fragmented."""
    return bool(
        container.format.name == MP4
        and stream.frames
        and stream.duration
        and len(stream.index_entries) == stream.frames
    )


def _count_by_index(stream: Any, path: Path) -> tuple[int, Fraction]:
    """Return the number of shown frames and their duration, from the index.

    Raises `VideoError` if the index points beyond the end of the file.
    """
    entries = list(stream.index_entries)
    needed, there = max(e.pos + e.size for e in entries), path.stat().st_size
    if needed > there:
        raise VideoError(
            f"{path}: the file is cut off: its index needs {needed} bytes, but it has {there}. {ADVICE}"
        )
    return sum(not e.is_discard for e in entries), stream.duration * clock_of(stream, path)


def _count_packets(path: Path) -> tuple[int, Fraction]:
    """Return the number of shown frames and their duration, from all packets.

    Decoding may give a few less.
    """
    with open_container(path) as container:
        stream = video_stream(container, path)
        table = read_packets(container, stream)
        rate, time_base = stated_rate(stream), clock_of(stream, path)
    ticks = table.pts if np.all(table.pts != NO_TICK) else table.dts
    ticks = ticks[ticks != NO_TICK]
    num_frames = table.num_packets - table.num_discarded
    if num_frames < 1:
        raise VideoError(f"{path}: has no frames. {ADVICE}")
    span = int(np.ptp(ticks)) * time_base if len(ticks) else Fraction(0)
    frame = span / (num_frames - 1) if num_frames > 1 and span else 1 / (rate or FALLBACK_FPS)
    return num_frames, span + frame


def _probe_folder(folder: Path, fps: float | None) -> VideoFacts:
    pictures = list_pictures(folder)
    timeline = folder_timeline(folder, len(pictures), fps)
    height, width = read_picture(pictures[0]).shape[:2]
    return VideoFacts(
        width=width,
        height=height,
        fps=timeline.num_frames / timeline.duration_seconds,
        num_frames=timeline.num_frames,
        duration_seconds=timeline.duration_seconds,
        codec=pictures[0].suffix.lower().lstrip("."),
        container="frames",
        has_audio=False,
    )
