"""Where the main thread's time goes: waiting for decoded frames, detecting persons, in the network."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds spent per named phase."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def limit(self) -> tuple[str, float]:
        """The phase that took most of the time, and its share."""
        total = self.seconds.total()
        if not total:
            return "start", 1.0
        name, seconds = self.seconds.most_common(1)[0]
        return name, seconds / total
