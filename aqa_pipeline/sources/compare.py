"""Whether a record was made from what lies there now: cheap facts first, the digest on doubt."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Source, StreamSpec, Video
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.video.sources import Disk, shown_fps

ANNOTATIONS = "annotations"  # the detector or tracker that reads the boxes of the dataset
POINTED = "pointed"  # the start that reads the box in which somebody pointed at the athlete
ELSEWHERE = "elsewhere:"  # before the digest of quads that a user named: the dataset does not know them


@dataclass(frozen=True)
class Comparison:
    """What became of a record's source. `reasons` say what is another now; no reason, no change.

    `gone` names what is no longer there to be compared. `now` is the source with today's size and time, where
    these alone changed.
    """

    reasons: tuple[str, ...] = ()
    gone: str | None = None
    now: Source | None = None


def boxes_of(spec: StreamSpec, video: Video) -> Path | None:
    """Return the boxes of the dataset that such a stream reads; None where it reads none."""
    facts = typed_facts(spec)
    return video.boxes if needs_boxes(spec) or facts.start == POINTED else None


def needs_boxes(spec: StreamSpec) -> bool:
    """Return whether such a stream cannot be made of a video without boxes."""
    facts = typed_facts(spec)
    return ANNOTATIONS in (facts.detector, facts.tracker)


def boxes_digest(path: Path | None, *, elsewhere: bool = False) -> str | None:
    """Return what a source says of boxes or quads; None where there are none."""
    if path is None or not path.is_file():
        return None
    with open_bounded(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{ELSEWHERE}{digest}" if elsewhere else digest


def compare(
    source: Source,
    video: Video,
    *,
    disk: Disk,
    boxes: str | None = None,
    need_boxes: bool = True,
    thorough: bool = False,
) -> Comparison:
    """Compare a record's source with the video as it is now, and with the digest of its boxes.

    Boxes that are no longer there leave the record as it is, unless the stream can be made without them
    (`need_boxes` is False). The digest of the video is taken where only its time is another, or where
    `thorough`. Imported and simulated records never change.
    """
    if source.size is None:
        return Comparison()
    if not video.path.exists():
        return Comparison(gone=str(video.path))
    if source.boxes_digest and boxes is None and need_boxes:
        return Comparison(gone=f"the boxes of {video.video_id}")
    try:
        facts = disk.size_and_time(video.path)
    except (VideoError, OSError) as error:  # a folder without pictures, or one that may not be read
        return Comparison(gone=str(error))
    unsettled = thorough or facts != (source.size, source.mtime_ns)
    reasons = [*_another_window(source, video)]
    if facts[0] != source.size or (unsettled and disk.digest(video.path) != source.digest):
        reasons.append("other pictures" if video.path.is_dir() else "another file")
    if boxes != source.boxes_digest:
        reasons.append("other boxes")
    touched = not reasons and facts[1] != source.mtime_ns
    return Comparison(tuple(reasons), now=replace(source, mtime_ns=facts[1]) if touched else None)


def _another_window(source: Source, video: Video) -> list[str]:
    reasons = []
    then, now = (source.start_frame, source.stop_frame), (video.start_frame, video.stop_frame)
    if then != now:
        reasons.append(f"frames {_window(*now)} instead of {_window(*then)}")
    if source.fps != (fps := shown_fps(video)):
        reasons.append(f"{fps or 0:g} fps instead of {source.fps or 0:g}")
    return reasons


def _window(start: int | None, stop: int | None) -> str:
    return f"{start} to {'the end' if stop is None else stop}"


def in_words(changes: Mapping[str, Sequence[str]], *, shown: int = 20) -> str:
    """Which videos, and why: `a.mp4 (another file), b.mp4 (other boxes)`."""
    named = [f"{name} ({', '.join(reasons)})" for name, reasons in list(changes.items())[:shown]]
    more = len(changes) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")
