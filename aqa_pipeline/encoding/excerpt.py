"""Write a part of a video as a film of its own, frame by frame, also slower."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.encoding.film import TimedPicture, write_film
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo, open_video

CRF = 18
ROUNDED_SECONDS = 0.1  # pages show tenths: an end beyond the video by less is its end


@dataclass(frozen=True)
class Excerpt:
    """What was written: its frames, their duration in seconds, and the size of a picture."""

    num_frames: int
    seconds: float
    width: int
    height: int


def write_excerpt(
    video: Video, out: Path, *, start: float, stop: float, speed: float, encoder: str
) -> Excerpt:
    """Write what a player shows of the video during [start, stop) seconds, at `speed` times its rate.

    Every frame that is shown in this time is in the film, for as long as it is shown; frames are neither
    made up nor left out. The film has no sound. Raises `VideoError` for an interval that is not in the
    video, if `out` is there already, and if the video cannot be read.
    """
    if out.exists():
        raise VideoError(f"{out} is there already: choose another name, nothing is overwritten.")
    with open_video(video) as opened:
        stop = _checked_stop(opened, start, stop)
        index = _frames_shown(opened, start, stop)
        width, height = opened.width // 2 * 2, opened.height // 2 * 2
        fps = len(index) / (stop - start) * speed
        out.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(out) as part:
            shown = _timed(opened, index, start, stop, speed)
            write_film(part, shown, width=width, height=height, fps=fps, crf=CRF, encoder=encoder)
    return Excerpt(len(index), (stop - start) / speed, width, height)


def _checked_stop(opened: OpenVideo, start: float, stop: float) -> float:
    duration = float(opened.timeline.duration_seconds)
    if not 0 <= start < stop <= duration + ROUNDED_SECONDS or start >= duration:
        raise VideoError(
            f"{start:g} to {stop:g} s is not a part of the video, which is {duration:.2f} s long: give a "
            "start and an end within it."
        )
    return min(stop, duration)


def _frames_shown(opened: OpenVideo, start: float, stop: float) -> range:
    """Return the indices of the frames that are shown during [start, stop)."""
    timeline = opened.timeline
    first = int(timeline.frame_at([start])[0])
    return range(first, int(np.searchsorted(timeline.pts_seconds, stop, side="left")))


def _timed(
    opened: OpenVideo, index: range, start: float, stop: float, speed: float
) -> Iterator[TimedPicture]:
    """Yield the frames with their times in the film."""
    timeline = opened.timeline
    for frame, picture in opened.frames(index):
        begins = max(float(timeline.pts_seconds[frame]), start)
        ends = min(float(timeline.stop_seconds[frame]), stop)
        yield TimedPicture((begins - start) / speed, (ends - start) / speed, np.asarray(picture))
