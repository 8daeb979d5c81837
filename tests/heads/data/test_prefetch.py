"""Batches made ahead: the same items in the same order, and errors that reach the reader."""

import threading
import time
from collections.abc import Iterator

import pytest

from heads.data.prefetch import Loading, Prefetched


def counting(number: int, made: list[int]) -> Iterator[int]:
    for item in range(number):
        made.append(item)
        yield item


def test_items_come_in_their_order() -> None:
    assert list(Prefetched(counting(20, []))) == list(range(20))


def test_few_items_are_made_ahead() -> None:
    made: list[int] = []
    reader = iter(Prefetched(counting(20, made), ahead=2))
    assert next(reader) == 0
    time.sleep(0.3)
    assert 2 <= len(made) <= 4
    reader.close()  # type: ignore[attr-defined]


def test_a_reader_that_stops_ends_the_thread() -> None:
    before = threading.active_count()
    reader = iter(Prefetched(counting(20, [])))
    next(reader)
    reader.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_an_error_reaches_the_reader_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    reader = iter(Prefetched(broken()))
    assert next(reader) == 1
    with pytest.raises(ValueError, match="no more"):
        next(reader)


def test_waiting_is_measured() -> None:
    def slow() -> Iterator[int]:
        for item in range(3):
            time.sleep(0.05)
            yield item

    items = Prefetched(slow())
    assert list(items) == [0, 1, 2]
    assert items.waited_seconds >= 0.1


def test_the_share_of_waiting_is_that_of_the_slower_side() -> None:
    def slow() -> Iterator[int]:
        for item in range(3):
            time.sleep(0.05)
            yield item

    of_data = Loading(in_a_thread=True)
    assert list(of_data.ahead(slow())) == [0, 1, 2]
    of_network = Loading(in_a_thread=True)
    for _ in of_network.ahead(iter(range(3))):
        time.sleep(0.05)
    assert of_data.share is not None
    assert of_network.share is not None
    assert of_data.share > 0.8
    assert of_network.share < 0.2
    in_memory = Loading(in_a_thread=False)
    assert list(in_memory.ahead(iter(range(3)))) == [0, 1, 2]
    assert in_memory.share is None
