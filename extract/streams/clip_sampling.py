"""Plan which frames make which clip, and the views of each clip: Weight-Decider 3.1 and 4.3, GDLT's code.

Frames are counted, not timed: Weight-Decider takes the last 96 frames as they are (MTL-AQA has 25 a second),
GDLT all frames of videos with 25 a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aqa_pipeline.errors import AqaError
from aqa_pipeline.video import Timeline
from extract.streams.stream import Steps

Span = Literal["last-96", "whole", "middle"]
ViewChoice = Literal["all", "reference"]

NUM_LAST_FRAMES = 96
NUM_END_FRAMES = 6


@dataclass(frozen=True)
class View:
    """A clip shifted `end_offset` frames towards the start, and mirrored left to right if `flip`."""

    name: str
    end_offset: int
    flip: bool


PLAIN, FLIP = View("plain", 0, False), View("flip", 0, True)

# The first one is the reference: not augmented, what heads are tested on.
VIEWS: dict[Span, tuple[View, ...]] = {
    "last-96": (
        *(View(f"end-{offset}", offset, False) for offset in range(NUM_END_FRAMES)),
        *(View(f"end-{offset}-flip", offset, True) for offset in range(NUM_END_FRAMES)),
    ),
    "whole": (PLAIN, FLIP),
    "middle": (PLAIN, FLIP),
}


@dataclass(frozen=True)
class ClipSampling:
    """The frames that become clips, and the views of each clip.

    `last-96` takes the 96 frames up to each of the last six frames, also mirrored. `whole` takes every frame.
    `middle` takes full clips alone: half of the frames that are left over is dropped at either end.
    """

    span: Span = "last-96"
    views: ViewChoice = "all"

    @property
    def chosen_views(self) -> tuple[View, ...]:
        """Return the views that are stored; the first one is the reference."""
        return VIEWS[self.span] if self.views == "all" else VIEWS[self.span][:1]

    def check_fits(self, backbone: str, frames_per_clip: int) -> None:
        """Raise `AqaError` for clips that do not fill the 96 frames."""
        if self.span == "last-96" and NUM_LAST_FRAMES % frames_per_clip:
            raise AqaError(
                f"stream clips divides the last {NUM_LAST_FRAMES} frames into clips without a rest; backbone "
                f"{backbone} takes {frames_per_clip} frames, which do not divide {NUM_LAST_FRAMES}. Choose a "
                "backbone that takes 8, 16 or 32, or the whole video with --clips whole."
            )


def plan_clips(timeline: Timeline, *, sampling: ClipSampling, frames_per_clip: int) -> Steps:
    """Return consecutive clips up to the span's end, each with the frames before it that its views need.

    A step holds max(end_offset) frames more than a clip: 5 frames before clip [4, 8) for the views that end
    up to 5 frames earlier. Times are the reference view's. Frames that would lie before the video are its
    first one again, and are counted: num_frames=5, frames_per_clip=4, whole -> [[0, 0, 0, 0], [1, 2, 3, 4]].
    num_frames=11, frames_per_clip=4, middle -> [[1, 2, 3, 4], [5, 6, 7, 8]].
    """
    num_clips, end = _extent(sampling.span, timeline.num_frames, frames_per_clip)
    num_before = max(view.end_offset for view in sampling.chosen_views)
    clip_start = end + frames_per_clip * np.arange(-num_clips, 0)
    frame_index = np.maximum(clip_start[:, None] + np.arange(-num_before, frames_per_clip), 0)
    reference = reference_frames(frame_index, frames_per_clip)
    shown_until = np.append(timeline.pts_seconds[1:], timeline.duration_seconds)
    pts_seconds = np.stack([timeline.pts_seconds[reference[:, 0]], shown_until[reference[:, -1]]], axis=1)
    num_repeated = max(0, num_clips * frames_per_clip + num_before - end)
    return Steps(frame_index, pts_seconds, {"num_repeated_frames": num_repeated})


def _extent(span: Span, num_frames: int, frames_per_clip: int) -> tuple[int, int]:
    """Return the number of clips, and the frame behind the last one. A short video gives one clip."""
    num_full, left_over = divmod(num_frames, frames_per_clip)
    if span == "middle" and num_full:
        return num_full, num_frames - (left_over - left_over // 2)
    wanted = NUM_LAST_FRAMES if span == "last-96" else num_frames
    return -(-wanted // frames_per_clip), num_frames


def reference_frames(frame_index: np.ndarray, frames_per_clip: int) -> np.ndarray:
    """Return the frames of the reference view, which are the last ones, of a plan's frames (step, frame)."""
    return frame_index[:, -frames_per_clip:]


def cut_views(step: np.ndarray, *, views: Sequence[View], frames_per_clip: int) -> list[np.ndarray]:
    """Return each view's clip (frame, height, width, 3) of a step's frames, without copying."""
    starts = [len(step) - frames_per_clip - view.end_offset for view in views]
    clips = [step[start : start + frames_per_clip] for start in starts]
    return [clip[:, :, ::-1] if view.flip else clip for clip, view in zip(clips, views, strict=True)]
