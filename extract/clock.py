"""Count where the main thread's time goes: decoding, detection, tracking, resizing, networks, writing."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = {
    "decode": "decoding",
    "detect": "detection",
    "track": "tracking",
    "resize": "resizing",
    "network": "the networks",
    "write": "writing",
}


class Clock:
    """Seconds spent per named phase."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time spent inside the `with` block to the phase `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def limit(self) -> tuple[str, float]:
        """Return the phase that took the most time, and its share of all time; ("start", 1.0) before any."""
        if not self.total_seconds:
            return "start", 1.0
        name, seconds = max(self.seconds.items(), key=lambda phase: phase[1])
        return name, seconds / self.total_seconds

    @property
    def total_seconds(self) -> float:
        """The seconds of all phases together."""
        return sum(self.seconds.values())

    def plus(self, other: "Clock") -> "Clock":
        """Return a new clock with the sum of both clocks' times so far."""
        both = Clock()
        for clock in (self, other):
            for name, seconds in list(clock.seconds.items()):
                both.seconds[name] += seconds
        return both
