"""The budget bounds the bytes that wait; one item alone always passes."""

import threading

from extract.decoding.feeds import Budget


def taken_in_time(budget, num_bytes, *, then):
    """Return whether `take` waited until `then` was called, and what it returned."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(budget.take(num_bytes)))
    thread.start()
    thread.join(0.1)
    waited = thread.is_alive()
    then()
    thread.join(5)
    return waited, answers


def test_what_does_not_fit_waits_for_room():
    budget = Budget(100)
    assert budget.take(60)
    assert budget.take(40)
    assert taken_in_time(budget, 1, then=lambda: budget.give_back(60)) == (True, [True])


def test_one_item_larger_than_the_budget_goes_through_alone():
    budget = Budget(100)
    assert budget.take(1000)
    assert taken_in_time(budget, 1000, then=lambda: budget.give_back(1000)) == (True, [True])


def test_a_closed_budget_holds_nobody_up():
    budget = Budget(100)
    assert budget.take(100)
    assert taken_in_time(budget, 1, then=budget.close) == (True, [False])
    assert not budget.take(1)
