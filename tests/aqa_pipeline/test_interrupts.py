"""Ctrl-C waits for the end of a block that it would harm, and is heard then."""

import signal
import threading

import pytest

from aqa_pipeline.interrupts import interrupts_wait


def test_a_ctrl_c_is_heard_when_the_block_has_ended():
    steps = []
    before = signal.getsignal(signal.SIGINT)

    def work():
        with interrupts_wait():
            signal.raise_signal(signal.SIGINT)
            steps.append("the rest of the block")
        steps.append("after the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["the rest of the block"]
    assert signal.getsignal(signal.SIGINT) is before


def test_without_a_ctrl_c_nothing_is_raised():
    before = signal.getsignal(signal.SIGINT)
    with interrupts_wait():
        pass
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_block_is_not_hidden():
    with pytest.raises(ValueError, match="of the block"), interrupts_wait():
        raise ValueError("of the block")


def test_in_another_thread_the_block_runs_as_it_is():
    ran = []

    def run():
        with interrupts_wait():
            ran.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ran == [True]
