"""Where the main thread's time goes: waiting for frames or the disk, detecting persons, in the network."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = {
    "decode": "decoding",
    "detect": "detection",
    "track": "tracking",
    "network": "the networks",
    "write": "writing",
}


class Clock:
    """Seconds spent per named phase."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def limit(self) -> tuple[str, float]:
        """The phase that took most of the time, and its share."""
        if not self.total_seconds:
            return "start", 1.0
        name, seconds = max(self.seconds.items(), key=lambda phase: phase[1])
        return name, seconds / self.total_seconds

    @property
    def total_seconds(self) -> float:
        """All phases together."""
        return sum(self.seconds.values())

    def plus(self, other: "Clock") -> "Clock":
        """A clock that shows both clocks' times together, and runs on with neither."""
        both = Clock()
        for clock in (self, other):
            for name, seconds in list(clock.seconds.items()):
                both.seconds[name] += seconds
        return both
