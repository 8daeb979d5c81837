"""Plan which frames are stored for training: the last ones of a video, or the whole video at a rate."""

import math
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import SpecValue
from aqa_pipeline.video import Timeline, sample_by_time
from extract.streams.stream import Steps

# The last 103 frames of (M)USDL and TSA-Net at each of their seven end frames. Weight-Decider's 96 frames at
# each of six end frames, and the 100 frames of its code, are among them.
NUM_LAST_FRAMES = 109
MOST_BETWEEN = 16  # frames that a tracker sees at once, as many as a clip of the stream tubes has


@dataclass(frozen=True)
class PixelSampling:
    """The last `num_frames` frames, or with `rate_fps` the whole video at that rate.

    Raise `AqaError` for numbers out of range.
    """

    num_frames: int = NUM_LAST_FRAMES
    rate_fps: float | None = None

    def __post_init__(self) -> None:
        if self.num_frames < 1:
            raise AqaError(f"stream pixels stores one frame or more; got {self.num_frames}.")
        if self.rate_fps is not None and not (self.rate_fps > 0 and math.isfinite(self.rate_fps)):
            raise AqaError(f"stream pixels samples more than 0 frames a second; got {self.rate_fps}.")

    @property
    def facts(self) -> dict[str, SpecValue]:
        """The sampling's part of a stream's spec."""
        return {"num_frames": self.num_frames} if self.rate_fps is None else {"rate_fps": self.rate_fps}


def plan_pixels(timeline: Timeline, *, sampling: PixelSampling, is_tracked: bool) -> Steps:
    """Return one step per stored frame, which is the last frame of its step.

    A video shorter than the last frames begins with copies of its first frame, which are counted. At a rate,
    steps of a tracked stream also hold the frames since the step before, at most `MOST_BETWEEN` and evenly
    spaced: a tracker loses an athlete whom it sees once a second.
    """
    if sampling.rate_fps is None:
        return _last_frames(timeline, sampling.num_frames)
    samples = sample_by_time(timeline, rate_fps=sampling.rate_fps)
    frame_index = samples.frame_index[:, None]
    return Steps(frame_index if not is_tracked else with_frames_between(frame_index), samples.pts_seconds)


def _last_frames(timeline: Timeline, num_frames: int) -> Steps:
    first = timeline.num_frames - num_frames
    index = np.maximum(np.arange(first, timeline.num_frames), 0)
    pts_seconds = np.stack([timeline.pts_seconds[index], timeline.stop_seconds[index]], axis=1)
    return Steps(index[:, None], pts_seconds, {"num_repeated_frames": max(0, -first)})


def with_frames_between(frame_index: np.ndarray) -> np.ndarray:
    """Return each step's frame (step, 1) behind those since the step before, (step, frame).

    [[2], [5], [5], [6]] -> [[0, 1, 2], [3, 4, 5], [5, 5, 5], [6, 6, 6]].
    """
    index = frame_index[:, 0]
    first = np.minimum(np.append(0, index[:-1] + 1), index)
    num_frames = min(MOST_BETWEEN, int((index - first).max()) + 1)
    # Up to `MOST_BETWEEN` frames the spacing is 1 or less, so that rounding leaves out no frame.
    return np.rint(np.linspace(first, index, num_frames)).astype(index.dtype).T
