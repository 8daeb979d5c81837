"""Time left, with a clock that the test moves."""

import pytest

from heads.training.pool.workload import Load, Workload


def test_nothing_is_known_before_something_was_timed() -> None:
    work = Workload({"a": Load(10, 1.0, "net")}, num_workers=1)
    assert work.seconds_left() is None
    work.see("a", 0, at_seconds=0.0)
    assert work.seconds_left() is None


def test_cells_of_the_same_kind_take_what_was_measured() -> None:
    loads = {"a": Load(10, 1.0, "net"), "b": Load(20, 1.0, "net")}
    work = Workload(loads, num_workers=1)
    work.see("a", 0, at_seconds=100.0)
    work.see("a", 5, at_seconds=110.0)
    assert work.seconds_left() == pytest.approx((5 + 20) * 2.0)
    assert (work.num_done, work.num_epochs) == (5, 30)


def test_other_kinds_are_guessed_in_proportion() -> None:
    work = Workload({"a": Load(10, 1.0, "net"), "b": Load(4, 5.0, "slow")}, num_workers=1)
    work.see("a", 0, at_seconds=0.0)
    work.see("a", 10, at_seconds=30.0)  # three times slower than guessed
    assert work.seconds_left() == pytest.approx(4 * 5.0 * 3)


def test_several_workers_share_but_one_cell_stays_with_one() -> None:
    loads = {"a": Load(10, 1.0, "net"), "b": Load(10, 1.0, "net"), "c": Load(10, 1.0, "net")}
    work = Workload(loads, num_workers=2)
    work.see("a", 0, at_seconds=0.0)
    work.see("a", 10, at_seconds=10.0)
    assert work.seconds_left() == pytest.approx(10.0)
    assert Workload(loads, num_workers=9, _seen=work._seen).seconds_left() == pytest.approx(10.0)


def test_epochs_of_an_earlier_call_are_done_but_tell_no_speed() -> None:
    work = Workload({"a": Load(100, 1.0, "net")}, num_workers=1)
    work.see("a", 90, at_seconds=5.0)
    work.see("a", 92, at_seconds=9.0)
    assert work.num_done == 92
    assert work.seconds_left() == pytest.approx(8 * 2.0)
