"""The frames from which each step of features was computed, and the times at which a player shows them."""

import math

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.records import Record
from aqa_pipeline.video import Timeline
from heads.pages.track import Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def step_frames(record: Record, timeline: Timeline) -> Ints:
    """Return frame indices (time, frame); without stored indices, the frame in the middle of each step."""
    if "frame_index" in record.extras:
        index = np.asarray(record.extras["frame_index"], np.int64)
        index = index.reshape(len(index), math.prod(index.shape[1:]))  # -1 fails where there is no step
        return np.clip(index, 0, timeline.num_frames - 1)
    middles = np.clip(record.pts_seconds.mean(axis=1), 0, np.nextafter(timeline.duration_seconds, 0))
    return timeline.frame_at(middles.tolist())[:, None]


def jump_seconds(track: Track, frames: Ints, timeline: Timeline) -> Floats:
    """Return (time, 2): per step, a time at which a player shows its first frame, and that frame's start.

    The time is the middle of the overlap of the frame and the step's bar, as far from the neighboring frames
    as possible: players round to microseconds, containers to milliseconds.
    """
    starts, stops = timeline.pts_seconds[frames], timeline.stop_seconds[frames]
    bar_starts, bar_stops = track.bars.T
    first = np.argmax(stops > bar_starts[:, None], axis=1)[
        :, None
    ]  # if steps overlap, the bar begins after the step
    begins = np.take_along_axis(starts, first, axis=1)[:, 0]
    low = np.maximum(begins, bar_starts)
    high = np.minimum(np.take_along_axis(stops, first, axis=1)[:, 0], bar_stops)
    return np.stack([np.where(low < high, (low + high) / 2, bar_starts), begins], axis=1)
