"""Turn moments of a video, as a player shows them, into frames of its file, and back."""

import re

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.video import Timeline

FRACTION = r"(?:[.,]\d{1,6})?"
CLOCK = re.compile(rf"(?:(?:(\d{{1,2}}):)?(\d{{1,4}}):)?([0-5]?\d{FRACTION})|(\d{{1,6}}{FRACTION})", re.ASCII)
ROUNDED_DOWN = 0.0006  # seconds: a clock is written to the millisecond, and may be earlier than its frame


def seconds_of(text: str, *, name: str) -> float:
    """Return a clock such as `1:02.48`, `1:00:02` or `62.48` in seconds; raise `DatasetError` for others."""
    match = CLOCK.fullmatch(text.strip())
    if match is None:
        raise DatasetError(f"{name} {text[:40]!r} is no time: expected minutes and seconds such as 1:02.48")
    hours, minutes, seconds, only_seconds = match.groups()
    return (
        int(hours or 0) * 3600 + int(minutes or 0) * 60 + float((only_seconds or seconds).replace(",", "."))
    )


def clock(seconds: float) -> str:
    """Return seconds as `1:02.480`: minutes, seconds and milliseconds."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def frame_shown(timeline: Timeline, text: str, *, name: str) -> int:
    """Return the index of the frame that a player shows when its clock, `text`, says so.

    A player's clock is the file's, on which the first frame may begin late. Raises `DatasetError` for
    text that is no time, and for a time after the end.
    """
    seconds = seconds_of(text, name=name)
    elapsed = seconds + ROUNDED_DOWN - timeline.start_seconds
    if elapsed >= timeline.duration_seconds + 2 * ROUNDED_DOWN:
        end = clock(timeline.start_seconds + timeline.duration_seconds)
        raise DatasetError(f"{name} {clock(seconds)} is after the end of the video, {end}")
    return int(timeline.frame_at([max(0.0, elapsed)])[0])


def player_seconds(timeline: Timeline, frame_index: int) -> float:
    """Return when a frame begins on the player's clock; a frame after the end is the last one."""
    at = min(frame_index, timeline.num_frames - 1)
    return timeline.start_seconds + float(timeline.pts_seconds[at])
