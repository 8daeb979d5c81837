"""What threads freed goes back to the system, once a second."""

import sys
import threading
import time

import numpy as np
import pytest

from extract.run.trim_memory import TRIM_SECONDS, MemoryTrim

CHUNK_BYTES, NUM_CHUNKS = 100_000, 2_000  # smaller than what glibc maps one by one

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only glibc has to be asked")


def resident_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


@linux_only
def test_memory_of_another_thread_is_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks: list[np.ndarray] = []

    def fill() -> None:
        chunks.extend(np.ones(CHUNK_BYTES, np.uint8) for _ in range(NUM_CHUNKS))

    trim = MemoryTrim()
    if trim._trim is None:
        pytest.skip("this C library is not glibc")
    thread = threading.Thread(target=fill)
    thread.start()
    thread.join()
    del chunks[:-1]  # the last one keeps the top of the thread's arena in use
    kept = resident_mb()
    monkeypatch.setattr(time, "monotonic", lambda: trim._last + 2 * TRIM_SECONDS)
    trim()
    assert kept - resident_mb() > 100


def test_it_waits_between_two_trims(monkeypatch: pytest.MonkeyPatch) -> None:
    now, calls = [100.0], []
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    trim = MemoryTrim()
    monkeypatch.setattr(trim, "_trim", lambda pad: calls.append(now[0]))
    for now[0] in (100.5, 101.5, 101.9, 103.0):
        trim()
    assert calls == [101.5, 103.0]
