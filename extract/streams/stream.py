"""The interface of a stream: which frames it takes, what it keeps of a frame, how frames become features."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Box, Event, StreamSpec, Video
from aqa_pipeline.video import Timeline, sample_by_time
from extract.clock import Clock

Rest = Literal["dropped", "padded"]  # what becomes of a last step that the video does not fill


@dataclass(frozen=True, eq=False)
class Steps:
    """The plan of one stream for one video: the frames of each step, and the time it covers.

    `frame_index` is (step, frame): steps may share frames and repeat them, but come in the order of their
    first and of their last frames. `pts_seconds` is (step, 2), half-open. `counts` go into the record's.
    """

    frame_index: np.ndarray
    pts_seconds: np.ndarray
    counts: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        in_order = (np.diff(self.first_frame) >= 0).all() and (np.diff(self.last_frame) >= 0).all()
        assert in_order, "the steps of a plan are in the order of their first and of their last frames"

    def __len__(self) -> int:
        return len(self.frame_index)

    @cached_property
    def first_frame(self) -> np.ndarray:
        """The earliest frame of each step, (step,)."""
        earliest: np.ndarray = self.frame_index.min(axis=1)
        return earliest

    @cached_property
    def last_frame(self) -> np.ndarray:
        """The latest frame of each step, (step,): with it the step is complete."""
        latest: np.ndarray = self.frame_index.max(axis=1)
        return latest


@dataclass(frozen=True, eq=False)
class Encoded:
    """Features (kept, dim) or (kept, view, ...) of a batch of steps, and which of them were kept.

    `extras` have a row per kept step; the `counts` of all batches add up in the record's.
    """

    features: np.ndarray
    kept: np.ndarray
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ending:
    """The results at a video's end: its extras as they are stored, further counts, and events."""

    extras: dict[str, np.ndarray]
    counts: Mapping[str, int] = field(default_factory=dict)
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, eq=False)
class Encoder:
    """The function that turns one video into features.

    `encode` takes the prepared frames of a batch, (step * frame) of them, and their indices (step, frame).
    `finish` takes the extras of all batches. `field_of_view` is the part of the frames that the network sees,
    or None if it differs from frame to frame.
    """

    encode: Callable[[list[np.ndarray], np.ndarray], Encoded]
    finish: Callable[[dict[str, np.ndarray]], Ending] = Ending
    field_of_view: Box | None = None

    def __call__(self, frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
        """Return the features of one batch."""
        return self.encode(frames, frame_index)


@dataclass(frozen=True)
class Intake:
    """The part of a stream that runs in a decoding process.

    `plan` says which frames make which step. `prepare` returns what is kept of an RGB frame
    (height, width, 3), uint8. Both functions can be pickled, and neither knows the network.
    """

    plan: Callable[[Timeline], Steps]
    prepare: Callable[[np.ndarray], np.ndarray]


def whole_frame(frame: np.ndarray) -> np.ndarray:
    """Return the frame as it is, for streams whose encoder needs every pixel."""
    return frame


class Stream(Protocol):
    """One kind of feature. Its intake works in a decoding process, its encoder in the main one."""

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec, whose hash names its folder in the store."""
        ...

    @property
    def batch_size(self) -> int:
        """Return the number of steps that the network takes at once."""
        ...

    @property
    def dtype(self) -> str:
        """Return the type of number that features are stored in."""
        ...

    @property
    def intake(self) -> Intake:
        """Return the part of the stream that works in a decoding process."""
        ...

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function that turns a batch of prepared steps into features."""
        ...


def plan_steps(
    timeline: Timeline, *, rate_fps: Fraction | float, frames_per_step: int, rest: Rest = "dropped"
) -> Steps:
    """Return consecutive steps of `frames_per_step` samples at `rate_fps`, without overlap.

    An incomplete last step is dropped, or padded with copies of the last sample, which are counted. A video
    shorter than one step always gives a padded one: samples=[0, 5, 10], frames_per_step=5 ->
    [0, 5, 10, 10, 10].
    """
    samples = sample_by_time(timeline, rate_fps=rate_fps)
    index, pts = samples.frame_index, samples.pts_seconds
    is_short = len(index) < frames_per_step
    num_repeated = -len(index) % frames_per_step if rest == "padded" or is_short else 0
    index = np.concatenate([index, np.repeat(index[-1:], num_repeated)])
    num_steps = len(index) // frames_per_step
    frame_index = index[: num_steps * frames_per_step].reshape(num_steps, frames_per_step)
    first = np.arange(num_steps) * frames_per_step
    last = np.minimum(first + frames_per_step, len(pts)) - 1
    counts = {"num_repeated_frames": num_repeated} if rest == "padded" else {}
    return Steps(frame_index, np.stack([pts[first, 0], pts[last, 1]], axis=1), counts)
