"""Ctrl-C waits for the end of a block that it would harm, and is heard then."""

import signal
import subprocess
import sys
import threading

import pytest

from aqa_pipeline.interrupts import interrupts_wait

# A process of its own: a Ctrl-C that goes astray would end the process that runs the tests.
PRESS_CTRL_C_IN_A_BLOCK = """
import signal
from aqa_pipeline.interrupts import interrupts_wait

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
try:
    with interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        print("the rest of the block")
    print("after the block")
except KeyboardInterrupt:
    print("heard", signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


def test_a_ctrl_c_is_heard_when_the_block_has_ended():
    result = subprocess.run(
        [sys.executable, "-c", PRESS_CTRL_C_IN_A_BLOCK], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines() == ["the rest of the block", "heard True"]


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
