"""Where a window lies among numbered pictures, against a search through the names one by one."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.datasets.reading.broadcasts import BroadcastFolder, Window


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 60), min_size=1),
    st.integers(0, 55),
    st.integers(1, 20),
    st.integers(0, 19),
    st.integers(0, 1),
)
def test_a_window_is_the_pictures_that_bear_its_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    held: set[int],
    start: int,
    length: int,
    num_spare: int,
    first_number: int,
) -> None:
    window = Window(start, start + length, min(num_spare, length - 1))
    numbers = sorted(held)
    needed = range(start + window.num_spare + first_number, window.stop_frame + first_number)
    if all(number in held for number in needed):
        path, begin, end = BroadcastFolder(Path("x"), np.array(numbers), first_number).cut(window)
        taken = numbers[begin:end]
        assert path == Path("x")
        assert taken == list(range(taken[0], window.stop_frame + first_number))
        assert start + first_number <= taken[0] <= needed[0]
        # as many spare ones as there are without a gap
        assert taken[0] == start + first_number or taken[0] - 1 not in held
        return
    folder = tmp_path_factory.mktemp("frames")
    for number in numbers:
        (folder / f"img{number:05d}.jpg").touch()
    path, begin, end = BroadcastFolder(folder, np.array(numbers), first_number).cut(window)
    missing = next(number for number in needed if number not in held)
    assert (path, begin, end) == (folder / f"img{missing:05d}.jpg", window.start_frame, window.stop_frame)
