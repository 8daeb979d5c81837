"""Many decoders share a budget: what waits never exceeds it but for one item alone, and nobody starves."""

import random
import threading

import pytest

from extract.decoding.feeds import Budget

LIMIT = 100


@pytest.mark.parametrize("seed", range(5))
def test_threads_never_hold_more_than_the_budget_and_all_of_them_end(seed):
    budget, lock = Budget(LIMIT), threading.Lock()
    held: list[int] = []
    most: list[tuple[int, int]] = []

    def work(numbers: random.Random) -> None:
        for _ in range(30):
            size = numbers.choice([1, 10, 60, 250])
            assert budget.take(size)
            with lock:
                held.append(size)
                most.append((sum(held), len(held)))
            with lock:
                held.remove(size)
            budget.give_back(size)

    threads = [threading.Thread(target=work, args=(random.Random(seed * 10 + at),)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert len(most) == 4 * 30
    assert all(total <= LIMIT or number == 1 for total, number in most)


def test_closing_wakes_all_who_wait():
    budget = Budget(LIMIT)
    assert budget.take(LIMIT)
    answers: list[bool] = []
    waiting = [threading.Thread(target=lambda: answers.append(budget.take(1))) for _ in range(5)]
    for thread in waiting:
        thread.start()
    budget.close()
    for thread in waiting:
        thread.join(60)
    assert answers == [False] * 5
