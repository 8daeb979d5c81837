"""The test videos as fixtures, and PyAV's plain decode loop as the reference of all tests here."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from kinds_of_videos import Videos
from numbered_videos import draw_number, number_in


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `video_name` for every test video."""
    if "video_name" in metafunc.fixturenames:
        metafunc.parametrize("video_name", Videos.names)


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Videos:
    return Videos(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="session")
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture(scope="session")
def paint_number() -> Callable[..., np.ndarray]:
    return draw_number


def _sequential(path: Path) -> Iterator[np.ndarray]:
    """Every frame, by nothing but PyAV's plain decode loop; the reference of all tests here."""
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        packets = container.demux(stream)
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                yield frame.to_ndarray(format="rgb24")


@pytest.fixture(scope="session")
def decode_all() -> Callable[[Path], list[np.ndarray]]:
    cache: dict[Path, list[np.ndarray]] = {}

    def decode(path: Path) -> list[np.ndarray]:
        if path not in cache:
            cache.clear()  # one file's pictures at a time
            cache[path] = list(_sequential(path))
        return cache[path]

    return decode
