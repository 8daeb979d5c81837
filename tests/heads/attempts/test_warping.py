"""Dynamic time warping against brute force, and the map of times that comes from it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heads.attempts.time_map import from_the_start, map_of_path
from heads.attempts.warping import warping_path


def every_path(num_a: int, num_b: int) -> list[list[tuple[int, int]]]:
    """Return all paths from the first to the last pair, by walking back from it."""
    if num_a == num_b == 1:
        return [[(0, 0)]]
    shorter = [(num_a - 1, num_b - 1), (num_a - 1, num_b), (num_a, num_b - 1)]
    ways = itertools.chain.from_iterable(every_path(*each) for each in shorter if min(each) > 0)
    return [[*way, (num_a - 1, num_b - 1)] for way in ways]


def cost(path, distances: np.ndarray, detour: float) -> float:
    straight = [
        bool(after[0] > before[0] and after[1] > before[1]) for before, after in itertools.pairwise(path)
    ]
    return sum(distances[a, b] for a, b in path) + detour * straight.count(False)


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([0.0, 0.3]), st.integers(0, 2**32 - 1))
def test_no_path_is_cheaper(num_a, num_b, detour, seed):
    distances = np.random.default_rng(seed).random((num_a, num_b))
    path = warping_path(distances, detour=detour)
    cheapest = min(cost(each, distances, detour) for each in every_path(num_a, num_b))
    assert cost(path, distances, detour) == pytest.approx(cheapest)
    assert tuple(path[0]) == (0, 0)
    assert tuple(path[-1]) == (num_a - 1, num_b - 1)
    assert set(map(tuple, np.diff(path, axis=0))) <= {(0, 1), (1, 0), (1, 1)}


def test_where_nothing_differs_the_path_is_straight():
    path = warping_path(np.ones((6, 6)), detour=0.1)
    assert path.tolist() == [[step, step] for step in range(6)]


def test_a_slower_attempt_is_found_again():
    """The second sequence waits for three steps and then does what the first one does."""
    moment = np.array([0.0, 1.0, 4.0, 9.0, 16.0])
    slower = np.concatenate([[0.0] * 3, moment])
    path = warping_path(np.abs(moment[:, None] - slower))
    found = map_of_path(path, np.arange(5.0), np.arange(8.0), "test")
    assert [found(second) for second in (0.0, 1.0, 2.5, 4.0)] == [3.0, 4.0, 5.5, 7.0]
    assert (found(-1.0), found(5.0)) == (2.0, 8.0), "outside of the pairs both run equally fast"
    back = map_of_path(path[:, ::-1], np.arange(8.0), np.arange(5.0), "test")
    assert [back(second) for second in (0.0, 3.0, 5.5, 7.0)] == [-3.0, 0.0, 2.5, 4.0]


def test_a_step_that_belongs_to_several_is_put_to_their_mean():
    path = np.array([[0, 0], [1, 1], [1, 2], [1, 3], [2, 4]])
    found = map_of_path(path, np.arange(3.0), np.arange(5.0), "test")
    assert (found.here.tolist(), found.there.tolist()) == ([0, 1, 2], [0, 2, 4])
    single = map_of_path(np.array([[0, 0], [0, 1], [0, 2]]), np.arange(1.0), np.arange(3.0), "test")
    assert (single.here.tolist(), single.there.tolist()) == ([0], [1])


def test_from_the_start_changes_no_time():
    assert [from_the_start()(second) for second in (0.0, 2.5, 100.0)] == [0.0, 2.5, 100.0]
