"""Sample frames by time, in exact arithmetic and without a decoder.

Container times are integer ticks of a rational time base. This module compares only integers and fractions,
so a frame is never lost or taken twice because 1/30 is not a binary number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Rational, Real

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import VideoError
from aqa_pipeline.plurals import counted

Ticks = npt.NDArray[np.int64]

# 60 hours at 50 samples per second. More samples mean a damaged timestamp, and would fill the memory.
MAX_NUM_SAMPLES = 10_000_000
# A frame that is shown for long is taken many times. One flipped bit in a timestamp can show 21 frames for 20
# hours. The limits allow slides of a minute each, and a still picture of ten minutes.
MAX_SECONDS_PER_FRAME = 60
MAX_SECONDS_OF_A_STILL = 600
# A rate this close to n * 1000/1001 is an NTSC rate: 23.976, 29.97 and 59.94 are all within 1.1e-6.
NTSC_TOLERANCE = 1e-5


@dataclass(frozen=True, eq=False)
class Timeline:
    """The display times of frames, in presentation order.

    Frame i is shown during [pts[i], pts[i + 1]), the last one during [pts[-1], end), in ticks of `time_base`
    seconds. `pts` is (frame,) int64 and strictly increasing. Seconds count from the first frame.
    """

    pts: Ticks
    time_base: Fraction
    end: int

    def __post_init__(self) -> None:
        pts = np.array(self.pts, dtype=np.int64)
        if pts.ndim != 1 or not len(pts):
            raise ValueError(f"a timeline needs at least one frame in one row, got shape {pts.shape}")
        if np.any(pts[1:] <= pts[:-1]) or self.end <= pts[-1]:
            raise ValueError("the ticks of a timeline and its end must be strictly increasing")
        if self.time_base <= 0:
            raise ValueError(f"a time base is a positive number of seconds, got {self.time_base}")
        pts.flags.writeable = False
        object.__setattr__(self, "pts", pts)
        object.__setattr__(self, "time_base", Fraction(self.time_base))  # not a library's own rational
        object.__setattr__(self, "end", int(self.end))

    def __repr__(self) -> str:
        return f"Timeline({counted(self.num_frames, 'frame')}, {self.duration_seconds:.3f} s)"

    @property
    def num_frames(self) -> int:
        """Return the number of frames."""
        return len(self.pts)

    @property
    def duration(self) -> Fraction:
        """Return the exact seconds from the start of the first frame to the end of the last frame."""
        return (self.end - int(self.pts[0])) * self.time_base

    @property
    def duration_seconds(self) -> float:
        """Return the duration in seconds."""
        return float(self.duration)

    @property
    def start_seconds(self) -> float:
        """Return the time of the first frame on the clock of the file, which may not begin at zero."""
        return float(int(self.pts[0]) * self.time_base)

    @cached_property
    def pts_seconds(self) -> npt.NDArray[np.float64]:
        """Return the start of each frame in seconds from the first frame, (frame,), as the nearest double."""
        numerator, denominator = self.time_base.as_integer_ratio()
        # Division of Python integers rounds once and cannot overflow; NumPy would round the product too.
        return np.array([tick * numerator / denominator for tick in self._elapsed.tolist()])

    @property
    def stop_seconds(self) -> npt.NDArray[np.float64]:
        """Return the end of each frame in seconds from the first frame, (frame,)."""
        return np.append(self.pts_seconds[1:], self.duration_seconds)

    def window(self, start_frame: int, stop_frame: int | None = None) -> "Timeline":
        """Return the frames [start_frame, stop_frame) in presentation order; None means the end.

        Raises `VideoError` if there are fewer frames.
        """
        stop = self.num_frames if stop_frame is None else stop_frame
        if not 0 <= start_frame < stop <= self.num_frames:
            raise VideoError(
                f"frames [{start_frame}, {'end' if stop_frame is None else stop}) were asked for, "
                f"but there {'is' if self.num_frames == 1 else 'are'} {counted(self.num_frames, 'frame')}. "
                "Check the start and end frames of the labels, "
                "and that the labels belong to this file."
            )
        end = self.end if stop == self.num_frames else int(self.pts[stop])
        return Timeline(pts=self.pts[start_frame:stop], time_base=self.time_base, end=end)

    def frame_at(self, times: Sequence[Rational | Real | float]) -> Ticks:
        """Return the index of the frame shown at each time, (time,).

        Times are seconds from the first frame, and are compared exactly. A float that is the nearest double
        to the start of a frame means that frame, so `frame_at(pts_seconds)` is 0, 1, 2, ... Raises
        `ValueError` for a time before the first frame.
        """
        ticks = [self._tick_at(time) for time in times]
        if ticks and min(ticks) < 0:
            raise ValueError(f"time {min(times)} s is before the first frame")
        return self._frame_at_elapsed(ticks)

    @property
    def _elapsed(self) -> Ticks:
        return self.pts - self.pts[0]

    def _tick_at(self, time: Rational | Real | float) -> int:
        exact = Fraction(time) / self.time_base  # type: ignore[arg-type]
        nearest = round(exact)
        if isinstance(time, float) and float(nearest * self.time_base) == time:
            return nearest
        return math.floor(exact)

    def _frame_at_elapsed(self, ticks: Sequence[int]) -> Ticks:
        last = self.end - int(self.pts[0]) - 1  # also keeps any integer within 64 bits
        clamped = np.array([min(tick, last) for tick in ticks], dtype=np.int64)
        return np.searchsorted(self._elapsed, clamped, side="right").astype(np.int64) - 1


@dataclass(frozen=True, eq=False)
class Samples:
    """Frames sampled at a constant rate. Sample k covers [start_pts_seconds[k], stop_pts_seconds[k]).

    `frame_index` is (sample,) int64 and never decreases. A frame shown for longer than 1/rate is taken again.
    """

    frame_index: Ticks
    start_pts_seconds: npt.NDArray[np.float64]
    stop_pts_seconds: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame_index)

    @property
    def pts_seconds(self) -> npt.NDArray[np.float64]:
        """Return the start and the stop of each sample's interval, (sample, 2)."""
        return np.stack([self.start_pts_seconds, self.stop_pts_seconds], axis=1)


def as_rate(rate_fps: Real | float) -> Fraction:
    """Return the exact rate that a number stands for: 23.976 -> 24000/1001, 0.1 -> 1/10, 25 -> 25.

    Raises `ValueError` unless the rate is a positive finite number.
    """
    if not math.isfinite(rate_fps) or rate_fps <= 0:
        raise ValueError(f"a rate is a positive number of frames per second, got {rate_fps}")
    if isinstance(rate_fps, Rational):
        return Fraction(rate_fps)
    nominal = round(float(rate_fps) * 1001 / 1000)
    ntsc = Fraction(nominal * 1000, 1001)
    if nominal and abs(float(rate_fps) / float(ntsc) - 1) < NTSC_TOLERANCE:
        return ntsc
    # No frame rate is written with more than six decimals; tiny rates need their own scale.
    return Fraction(float(rate_fps)).limit_denominator(1_000_000) or Fraction(float(rate_fps))


def sample_by_time(timeline: Timeline, rate_fps: Real | float) -> Samples:
    """Sample frames at a rate: sample k covers [k/rate, (k+1)/rate) seconds and takes its middle frame.

    The middle is used, not the start, because containers round times (.webm to 1 ms). At rate = fps a frame
    may start a little after k/rate, so that the start of an interval would sometimes show the frame before.
    The middle is half an interval away from such rounding. Samples whose middle is beyond the end are not
    taken, but there is always one: max(1, ceil(duration * rate - 1/2)) samples.

    Raises `ValueError` for a rate that is not positive, `VideoError` for an impossibly long timeline, or one
    that is impossibly long for its number of frames.
    """
    rate = as_rate(rate_fps)
    num_samples = max(1, math.ceil(timeline.duration * rate - Fraction(1, 2)))
    if num_samples > MAX_NUM_SAMPLES:
        raise VideoError(
            f"{num_samples} samples would be taken: {timeline.duration_seconds / 3600:.1f} hours at"
            f" {float(rate):g} per second. The timestamps of the file are damaged, or the rate is too high."
        )
    if timeline.duration > max(MAX_SECONDS_OF_A_STILL, MAX_SECONDS_PER_FRAME * timeline.num_frames):
        shown = counted(timeline.num_frames, "frame, which is", "frames, which are")
        raise VideoError(
            f"{num_samples} samples would be taken of {shown} shown for"
            f" {timeline.duration_seconds:.0f} s. The timestamps of the file are damaged: re-encode it with a"
            " constant rate, such as ffmpeg -i OLD -vf setpts=N/25/TB -r 25 NEW.mp4"
        )
    # The middle of sample k in ticks is (2k + 1) / (2 * rate * time_base). Ticks are integers, so the frame
    # shown there is the frame at its floor. Python integers do not overflow, and take 0.05 s for an hour.
    half, whole = (1 / (2 * rate * timeline.time_base)).as_integer_ratio()
    ticks = [(2 * k + 1) * half // whole for k in range(num_samples)]
    frames, seconds = rate.as_integer_ratio()
    edges = np.array([k * seconds / frames for k in range(num_samples + 1)])
    return Samples(
        frame_index=timeline._frame_at_elapsed(ticks),
        start_pts_seconds=edges[:-1],
        stop_pts_seconds=edges[1:],
    )
