"""Pickles and .npy files of other people, read without running anything that they ask for.

A pickle is a program: it names functions, and Python's own reader imports and calls them. The reader here
knows no function of anybody's. The few names that plain data needs (numpy arrays, sets, ...) stand for
small builders of this file, which check what they are given; every other name is an error. numpy's own
constructors are not called either: a forged dtype state makes them read raw bytes as object pointers.
"""

import math
import pickle
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.opcodes import excess_of_pickle

PLAIN_DTYPE = re.compile(r"[<>|=]?([?O]|O8|[biufc]\d+|[SU]\d+)")
ATOMS = (int, float, complex, str, bytes, bytearray, type(None), np.generic)


def read_pickle(path: Path) -> object:
    """What is pickled in that file: plain containers, numbers, strings and numpy arrays, of Python 2 or 3.

    Raises `DatasetError` for a pickle that needs any other name (and says which), or is damaged.
    """
    with _open(path) as file:
        return _unpickle(file, path)


def read_npy(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """The array of a .npy file, mapped from disk, or the arrays of a saved dict, `{name: array}`.

    Raises `DatasetError` for any other array of Python objects, and for what is no .npy file.
    """
    with _open(path) as file:
        dtype, shape = _npy_header(file, path)
        if dtype.hasobject:
            return _saved_dict(file, path, dtype=dtype, shape=shape)
    try:
        return np.load(path, mmap_mode="r" if math.prod(shape) else None, allow_pickle=False)
    except (ValueError, OverflowError, OSError) as error:
        raise DatasetError(f"{path} is a damaged .npy file ({error}): get it again.") from error


def _open(path: Path) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error


def _npy_header(file: BinaryIO, path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = readers[version](file)
    except Exception as error:  # numpy lets through what its parsers raise: TokenError, RecursionError, ...
        raise DatasetError(
            f"{path} is no .npy file that is known here ({error}): expected what numpy.save writes."
        ) from error
    return dtype, shape


def _saved_dict(
    file: BinaryIO, path: Path, *, dtype: np.dtype, shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
    if shape != () or dtype != np.dtype(object):
        raise DatasetError(
            f"{path} is an array of Python objects, {dtype} {shape}: expected an array of numbers, or "
            "what numpy.save writes of a dict {name: array}."
        )
    holder = _unpickle(file, path)
    content = holder.item() if isinstance(holder, np.ndarray) and holder.shape == () else holder
    if not isinstance(content, dict):
        raise DatasetError(f"{path} holds a {type(content).__name__}: expected a dict {{name: array}}.")
    for name, array in content.items():
        if not isinstance(name, str) or not isinstance(array, np.ndarray) or array.dtype.hasobject:
            raise DatasetError(
                f"{path} holds {name!r}: a {type(array).__name__}"
                f"{' of objects' if isinstance(array, np.ndarray) else ''}; expected names and plain arrays."
            )
    return content


def _unpickle(file: BinaryIO, path: Path) -> object:
    try:
        start = file.tell()
        if problem := excess_of_pickle(file):
            raise _Excess(problem)
        file.seek(start)
        return _plain(_Reader(file).load(), {})
    except _Excess as excess:
        raise DatasetError(
            f"{path} was refused: {excess}. Get it again from where it is trusted."
        ) from excess
    except _Refused as refusal:
        raise DatasetError(
            f"{path} cannot be read without running code: {refusal}. Nothing of it was run. Expected plain "
            "containers, numbers, strings and numpy arrays; save it again as these."
        ) from refusal
    except Exception as error:
        # A damaged pickle may raise anything at all (the pickle module's own words).
        raise DatasetError(
            f"{path} is a damaged pickle ({type(error).__name__}: {error}): get it again."
        ) from error


class _Excess(Exception):
    """The pickle asks for more time or memory than its data can need."""


class _Refused(Exception):
    """The pickle asks for something that is no plain data."""


class _Reader(pickle.Unpickler):
    """Looks names up in `BUILDERS` alone; nothing is ever imported."""

    def __init__(self, file: BinaryIO) -> None:
        # Python 2 wrote text and raw bytes alike; latin1 keeps both, byte by byte.
        super().__init__(file, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in BUILDERS:
            raise _Refused(f"it wants to use {module}.{name}")
        return BUILDERS[module, name]

    def persistent_load(self, pid: object) -> NoReturn:
        raise _Refused(f"it refers to something outside, {pid!r}")


@dataclass(frozen=True)
class _Builder:
    """One name that a pickle may use, and what it makes. A pickle cannot change it."""

    name: str
    build: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        return self.build(*arguments)

    def __setstate__(self, state: object) -> NoReturn:
        raise _Refused(f"it wants to change {self.name}")


class _Dtype:
    """Stands for a `numpy.dtype` while its pickle is read: a code such as `f8`, then its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not PLAIN_DTYPE.fullmatch(code):
            raise _Refused(f"it holds an array of type {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, sub_dtype, names, fields, *_ = state
        if (sub_dtype, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise _Refused("it holds a structured array")
        # Sizes and flags of the state are not taken: the code says the size, and flags can be forged.
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for an array while its pickle is read; `_plain` puts the array in its place."""

    __slots__ = ("cells", "column_major", "dtype", "shape")

    def __init__(self) -> None:
        self._take((0,), np.dtype(np.uint8), column_major=False, cells=b"")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_major, cells = state
        self._take(shape, _checked(dtype), column_major=bool(column_major), cells=cells)

    def _take(self, shape: object, dtype: np.dtype, *, column_major: bool, cells: object) -> None:
        shape = (shape,) if isinstance(shape, int) else shape
        if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(f"an array of shape {shape!r}")
        self.shape, self.dtype, self.column_major = shape, dtype, column_major
        self.cells = cells if dtype.hasobject else _raw(cells)
        expected = math.prod(shape) * (1 if dtype.hasobject else dtype.itemsize)
        if not isinstance(self.cells, list | bytes) or len(self.cells) != expected:
            raise ValueError(f"an array {dtype} {shape} without its content")

    def fill(self, cells: list[object] | bytes) -> np.ndarray:
        """The array of these cells, writable."""
        if isinstance(cells, bytes):
            order: Literal["C", "F"] = "F" if self.column_major else "C"
            return np.frombuffer(cells, self.dtype).reshape(self.shape, order=order).copy(order)
        # Objects are pickled row by row, whatever the order in memory was.
        flat = np.empty(len(cells), dtype=object)
        for index, cell in enumerate(cells):
            flat[index] = cell
        return flat.reshape(self.shape)


def _checked(dtype: object) -> np.dtype:
    if not isinstance(dtype, _Dtype):
        raise ValueError(f"{dtype!r} in the place of a dtype")
    return dtype.dtype


def _raw(data: object = b"") -> bytes:
    """Bytes, which Python 2 wrote as text."""
    if isinstance(data, str):
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"a {type(data).__name__} in the place of bytes")
    return bytes(data)


def _bytearray(data: object = b"") -> bytearray:
    return bytearray(_raw(data))


def _reconstruct(*_: object) -> _Array:
    """numpy's first half of an array; the state that follows says everything."""
    return _Array()


def _from_buffer(data: object, dtype: object, shape: object, order: str) -> _Array:
    """numpy's arrays of pickle protocol 5."""
    array = _Array()
    array._take(shape, _checked(dtype), column_major=order == "F", cells=data)
    return array


def _scalar(dtype: object, data: object = b"") -> Any:
    checked = _checked(dtype)
    if checked.hasobject:
        raise _Refused("it holds a numpy scalar of type object")
    array = _Array()
    array._take((), checked, column_major=False, cells=data)
    return array.fill(_raw(data))[()]


def _encode(text: str, encoding: str = "") -> bytes:
    """How protocol 2 writes bytes: as text of latin1."""
    if encoding != "latin1":
        raise _Refused(f"it wants to encode text as {encoding!r}")
    return text.encode("latin1")


def _ordered(pairs: Iterable[Any] = ()) -> dict[Any, Any]:
    return dict(pairs)


def _no_array(*_: object) -> NoReturn:
    raise _Refused("it wants to make an array in a way that is not known here")


def _builders() -> dict[tuple[str, str], _Builder]:
    builds: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): _Dtype,
        ("numpy", "ndarray"): _no_array,
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): _ordered,
    }
    for core in ("numpy.core", "numpy._core"):
        builds |= {
            (f"{core}.multiarray", "_reconstruct"): _reconstruct,
            (f"{core}.multiarray", "scalar"): _scalar,
            (f"{core}.numeric", "_frombuffer"): _from_buffer,
        }
    for builtins in ("builtins", "__builtin__"):
        builds |= {
            (builtins, "set"): set,
            (builtins, "frozenset"): frozenset,
            (builtins, "complex"): complex,
            (builtins, "bytearray"): _bytearray,
            (builtins, "bytes"): _raw,
        }
    return {key: _Builder(".".join(key), build) for key, build in builds.items()}


BUILDERS = _builders()


def _plain(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The value with arrays in the places of their stand-ins.

    `done` maps the id of what was seen to it and its result: shared parts stay shared, else a few nested
    lists could ask for more memory than there is.
    """
    if id(value) not in done:
        done[id(value)] = (value, _plain_once(value, done))
    return done[id(value)][1]


def _plain_once(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(value, _Array):
        cells = value.cells if isinstance(value.cells, bytes) else _plain(value.cells, done)
        return value.fill(cells)
    if isinstance(value, _Dtype):
        return value.dtype
    if isinstance(value, dict):
        return {_plain(key, done): _plain(item, done) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_plain(item, done) for item in value)
    if isinstance(value, ATOMS):
        return value
    raise _Refused(f"it holds {value.name if isinstance(value, _Builder) else type(value).__name__}")
