"""Read pickles from untrusted sources without running any code that they name.

A pickle is a program: it names functions, and Python's own reader imports and calls them. The reader of this
module imports nothing. The few names that plain data needs (numpy arrays, sets, ...) stand for the small
functions of `pickle_builders.py`. Every other name is an error.
"""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.untrusted.pickle_builders import BUILDERS, Array, Builder, Dtype, Refused
from aqa_pipeline.untrusted.pickle_limits import Excess, allowance, at_most, excess_of_pickle

ATOMS = (int, float, complex, str, bytes, bytearray, type(None), np.generic)


def read_pickle(path: Path) -> object:
    """Read a pickle of plain containers, numbers, strings and numpy arrays, written by Python 2 or 3.

    Raises `DatasetError` for a damaged pickle, and for one that needs another name (the error says which).
    """
    with open_pickle(path) as file:
        return plain_content(file, path)


def open_pickle(path: Path) -> BinaryIO:
    """Open a file; raise `DatasetError` if it cannot be opened, or is not a regular file."""
    try:
        return open_bounded(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error


def load(file: BinaryIO, reader: "Reader") -> Any:
    """Return the content of the pickle that begins here. Raise `Excess` if its opcodes ask for too much."""
    start = file.tell()
    if problem := excess_of_pickle(file):
        raise Excess(problem)
    file.seek(start)
    return reader.load()


def plain_content(file: BinaryIO, path: Path) -> object:
    """Return the content of the pickle that begins here, as `read_pickle`. `path` is for messages."""
    try:
        with at_most(allowance(os.fstat(file.fileno()).st_size)):
            return _plain(load(file, Reader(file, BUILDERS)), {})
    except Excess as excess:
        raise DatasetError(
            f"{path} was refused: {excess}. Download it again from a source that you trust."
        ) from excess
    except Refused as refusal:
        raise DatasetError(
            f"{path} cannot be read without running code: {refusal}. None of its code was run. Expected "
            "plain containers, numbers, strings and numpy arrays; save the file again with these."
        ) from refusal
    except Exception as error:
        # A damaged pickle may raise any error, as the documentation of `pickle` says.
        raise DatasetError(
            f"{path} is a damaged pickle ({type(error).__name__}: {error}): download or copy it again."
        ) from error


class Reader(pickle.Unpickler):
    """Looks names up in `names` only, and imports nothing."""

    def __init__(self, file: BinaryIO, names: Mapping[tuple[str, str], Any]) -> None:
        # Python 2 wrote text and raw bytes alike; latin1 keeps both, byte by byte.
        super().__init__(file, encoding="latin1")
        self.names = names

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name; raise `Refused` for any other name."""
        try:
            return self.names[module, name]
        except KeyError:
            raise Refused(f"it uses {module}.{name}") from None

    def persistent_load(self, pid: object) -> Any:
        """Raise `Refused`: plain pickles refer to nothing outside."""
        raise Refused(f"it refers to data outside the pickle, {pid!r}")


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """Return the value with arrays in place of their stand-ins.

    `done` maps the id of a value to the value and its result. Shared parts stay shared: otherwise a few
    nested lists could take more memory than there is.
    """
    if id(value) not in done:
        done[id(value)] = (value, _plain_once(value, done))
    return done[id(value)][1]


def _plain_once(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, Array):
        content = value.content
        return value.fill(content if isinstance(content, bytes) else _plain(content, done))
    if isinstance(value, Dtype):
        return value.dtype
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_plain(item, done) for item in value)
    if isinstance(value, ATOMS):
        return value
    raise Refused(f"it holds {value.name if isinstance(value, Builder) else type(value).__name__}")
