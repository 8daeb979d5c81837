"""Limit the time and memory that reading a pickle takes: by its opcodes before, by bytes while it is read.

A few bytes can make any reader of pickles ask for gigabytes (a memo that begins at a billion), or search for
a name of a megabyte for minutes. The opcodes show both before anything is built.
"""

import pickletools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import BinaryIO

MEMO_OPCODES = ("PUT", "BINPUT", "LONG_BINPUT")
NAME_OPCODES = ("GLOBAL", "INST")
UNUSED_NUMBERS = 100_000  # a memo of these is a megabyte
LONGEST_NAME = 1_000  # of a function or class that a pickle uses: `numpy.core.multiarray._reconstruct`
# Bytes that a pickle may make. Text of Python 2, decoded, encoded and put into arrays, takes 4 copies.
FREE_BYTES, BYTES_PER_BYTE = 64 * 1024**2, 8

_left: ContextVar[list[int]] = ContextVar("left")


class Excess(Exception):
    """The pickle asks for more time or memory than its data can need."""


def excess_of_pickle(file: BinaryIO) -> str | None:
    """Return why the pickle that begins here cannot be read in bounded time and memory; None if it can.

    The file position is then the end of the pickle. Raises the errors of `pickletools.genops` for bytes that
    are not a pickle.
    """
    for num_before, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if opcode.name in MEMO_OPCODES and int(argument or 0) > num_before + UNUSED_NUMBERS:
            return f"it stores value number {argument:,} but has made at most {num_before:,} values"
        if opcode.name in NAME_OPCODES and len(str(argument)) > LONGEST_NAME:
            return f"it uses a name of {len(str(argument)):,} characters"
    return None


def allowance(size: int) -> int:
    """Return how many bytes a pickle in a file of `size` bytes may make."""
    return FREE_BYTES + BYTES_PER_BYTE * size


@contextmanager
def at_most(num_bytes: int) -> Iterator[None]:
    """Limit to `num_bytes` what the builders of `pickle_builders.py` make within the block.

    A pickle may name one value many times: a thousand copies of a megabyte take a few thousand bytes.
    """
    token = _left.set([num_bytes])
    try:
        yield
    finally:
        _left.reset(token)


def spend(num_bytes: int) -> None:
    """Count bytes that were made. Raise `Excess` if they are more than `at_most` allows."""
    left = _left.get()
    left[0] -= num_bytes
    if left[0] < 0:
        raise Excess("it makes far more data than it has bytes")
