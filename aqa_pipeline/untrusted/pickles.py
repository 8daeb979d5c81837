"""Pickles of other people, read without running anything that they ask for.

A pickle is a program: it names functions, and Python's own reader imports and calls them. The reader here
knows no function of anybody's. The few names that plain data needs (numpy arrays, sets, ...) stand for
small builders of our own (`pickle_builders.py`); every other name is an error.
"""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import open_outside
from aqa_pipeline.untrusted.pickle_builders import BUILDERS, Array, Builder, Dtype, Excess, Refused, at_most
from aqa_pipeline.untrusted.pickle_limits import excess_of_pickle

ATOMS = (int, float, complex, str, bytes, bytearray, type(None), np.generic)
# What reading a pickle may take. Text of Python 2, decoded, encoded and put into arrays, is 4 copies.
FREE_BYTES, BYTES_PER_BYTE = 64 * 1024**2, 8


def read_pickle(path: Path) -> object:
    """What is pickled in that file: plain containers, numbers, strings and numpy arrays, of Python 2 or 3.

    Raises `DatasetError` for a pickle that needs any other name (and says which), or is damaged.
    """
    with open_pickle(path) as file:
        return plain_content(file, path)


def open_pickle(path: Path) -> BinaryIO:
    """Open a file of somebody else's; raise `DatasetError` if it is none."""
    try:
        return open_outside(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error


def load(file: BinaryIO, reader: "Reader") -> Any:
    """Return what the reader makes of the pickle that begins here, once its opcodes ask for no excess."""
    start = file.tell()
    if problem := excess_of_pickle(file):
        raise Excess(problem)
    file.seek(start)
    return reader.load()


def allowance(size: int) -> int:
    """Return how many bytes a pickle in a file of that size may make."""
    return FREE_BYTES + BYTES_PER_BYTE * size


def plain_content(file: BinaryIO, path: Path) -> object:
    """Return what is pickled from here on. Raises `DatasetError` as `read_pickle`; `path` names the file."""
    try:
        with at_most(allowance(os.fstat(file.fileno()).st_size)):
            return _plain(load(file, Reader(file, BUILDERS)), {})
    except Excess as excess:
        raise DatasetError(
            f"{path} was refused: {excess}. Get it again from where it is trusted."
        ) from excess
    except Refused as refusal:
        raise DatasetError(
            f"{path} cannot be read without running code: {refusal}. Nothing of it was run. Expected plain "
            "containers, numbers, strings and numpy arrays; save it again as these."
        ) from refusal
    except Exception as error:
        # A damaged pickle may raise anything at all (the pickle module's own words).
        raise DatasetError(
            f"{path} is a damaged pickle ({type(error).__name__}: {error}): get it again."
        ) from error


class Reader(pickle.Unpickler):
    """Looks names up in `names` alone; nothing is ever imported."""

    def __init__(self, file: BinaryIO, names: Mapping[tuple[str, str], Any]) -> None:
        # Python 2 wrote text and raw bytes alike; latin1 keeps both, byte by byte.
        super().__init__(file, encoding="latin1")
        self.names = names

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.names[module, name]
        except KeyError:
            raise Refused(f"it wants to use {module}.{name}") from None

    def persistent_load(self, pid: object) -> Any:
        raise Refused(f"it refers to something outside, {pid!r}")


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The value with arrays in the places of their stand-ins.

    `done` maps the id of what was seen to it and its result: shared parts stay shared, else a few nested
    lists could ask for more memory than there is.
    """
    if id(value) not in done:
        done[id(value)] = (value, _plain_once(value, done))
    return done[id(value)][1]


def _plain_once(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, Array):
        cells = value.cells if isinstance(value.cells, bytes) else _plain(value.cells, done)
        return value.fill(cells)
    if isinstance(value, Dtype):
        return value.dtype
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_plain(item, done) for item in value)
    if isinstance(value, ATOMS):
        return value
    raise Refused(f"it holds {value.name if isinstance(value, Builder) else type(value).__name__}")
