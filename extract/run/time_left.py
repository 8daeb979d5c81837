"""Estimate how long an extraction will take, by seconds of video: long videos count more than short ones."""

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aqa_pipeline.records import Video

LEAST_SECONDS = 2.0  # before that, there is no estimate
SAMPLE_SECONDS = 0.5  # between remembered moments: an hour has 7,200


@dataclass(frozen=True)
class Amount:
    """Seconds of video that are done, and of all videos together."""

    done: float
    total: float


class VideoSeconds:
    """The lengths of videos: those of their labels, exact ones once videos are opened, else the mean."""

    def __init__(self, videos: Sequence[Video]) -> None:
        self._known = {video.video_id: video.duration_seconds or 0.0 for video in videos}
        self._num_unknown = sum(not seconds for seconds in self._known.values())
        self._sum = sum(self._known.values())
        self._ended = 0.0

    @property
    def mean(self) -> float:
        """The mean of the known lengths, in seconds; 1 while none is known, so that videos count alike."""
        num_known = len(self._known) - self._num_unknown
        return self._sum / num_known if num_known else 1.0

    def know(self, video_id: str, seconds: float) -> None:
        """Set the exact length of a video, in seconds."""
        before = self._known[video_id]
        self._num_unknown -= not before
        self._num_unknown += not seconds
        self._sum += seconds - before
        self._known[video_id] = seconds

    def end(self, video_id: str) -> None:
        """Mark the video as done."""
        self._ended += self._known[video_id] or self.mean

    def amount(self, shares: Mapping[str, float], *, more: float = 0.0) -> Amount:
        """Return the seconds done and in all; `shares` are done parts of named videos, `more` of others."""
        under_way = sum(share * (self._known[name] or self.mean) for name, share in shares.items())
        total = self._sum + self._num_unknown * self.mean
        return Amount(min(total, self._ended + under_way + more * self.mean), total)


class TimeLeft:
    """The time that is left at the speed of the second half of what is done.

    The first half may have waited for networks to be loaded and converted.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times: list[float] = []
        self._done: list[float] = []

    def after(self, amount: Amount) -> float | None:
        """Return the seconds left when so much is done; None while it cannot be estimated."""
        now = self._now()
        if not self._times or now - self._times[-1] >= SAMPLE_SECONDS:
            self._times.append(now)
            self._done.append(max([amount.done, *self._done[-1:]]))
        half = (self._done[0] + amount.done) / 2
        since = max(0, bisect_right(self._done, half) - 1)
        elapsed, done = now - self._times[since], amount.done - self._done[since]
        if now - self._times[0] < LEAST_SECONDS or elapsed <= 0 or done <= 0:
            return None
        return elapsed / done * (amount.total - amount.done)
