"""What stands for the few names that plain data in a pickle needs; each checks what it is given.

numpy's own constructors are not called: a forged dtype state makes them read raw bytes as object pointers.
"""

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np

BUILTINS = ("builtins", "__builtin__")  # of Python 3 and 2
PLAIN_DTYPE = re.compile(r"[<>|=]?([?O]|O8|[biufc]\d+|[SU]\d+)")


class Excess(Exception):
    """The pickle asks for more time or memory than its data can need."""


class Refused(Exception):
    """The pickle asks for something that is no plain data."""


_left: ContextVar[list[int]] = ContextVar("left")


@contextmanager
def at_most(num_bytes: int) -> Iterator[None]:
    """Let the builders of this module make that many bytes within the block.

    A pickle may name one value many times: a thousand copies of a megabyte take a few thousand bytes.
    """
    token = _left.set([num_bytes])
    try:
        yield
    finally:
        _left.reset(token)


def spend(num_bytes: int) -> None:
    """Raise `Excess` once more bytes were made than `at_most` allows."""
    left = _left.get()
    left[0] -= num_bytes
    if left[0] < 0:
        raise Excess("it makes far more data than it has bytes")


@dataclass(frozen=True)
class Builder:
    """One name that a pickle may use, and what it makes. A pickle cannot change it."""

    name: str
    build: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        made = self.build(*arguments)
        spend(sys.getsizeof(made))
        return made

    def __setstate__(self, state: object) -> NoReturn:
        raise Refused(f"it wants to change {self.name}")


class Dtype:
    """Stands for a `numpy.dtype` while its pickle is read: a code such as `f8`, then its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not PLAIN_DTYPE.fullmatch(code):
            raise Refused(f"it holds an array of type {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, sub_dtype, names, fields, *_ = state
        if (sub_dtype, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise Refused("it holds a structured array")
        # Sizes and flags of the state are not taken: the code says the size, and flags can be forged.
        self.dtype = self.dtype.newbyteorder(order)


class Array:
    """Stands for an array while its pickle is read; `plain` puts the array in its place."""

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
            spend(len(cells))
            return np.frombuffer(cells, self.dtype).reshape(self.shape, order=order).copy(order)
        # Objects are pickled row by row, whatever the order in memory was.
        flat = np.empty(len(cells), dtype=object)
        for index, cell in enumerate(cells):
            flat[index] = cell
        return flat.reshape(self.shape)


def _checked(dtype: object) -> np.dtype:
    if not isinstance(dtype, Dtype):
        raise ValueError(f"{dtype!r} in the place of a dtype")
    return dtype.dtype


def _raw(data: object = b"") -> bytes:
    """Bytes, which Python 2 wrote as text."""
    if isinstance(data, str):
        spend(len(data))
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"a {type(data).__name__} in the place of bytes")
    return bytes(data)


def _bytearray(data: object = b"") -> bytearray:
    return bytearray(_raw(data))


def _reconstruct(*_: object) -> Array:
    """numpy's first half of an array; the state that follows says everything."""
    return Array()


def _from_buffer(data: object, dtype: object, shape: object, order: str) -> Array:
    """numpy's arrays of pickle protocol 5."""
    array = Array()
    array._take(shape, _checked(dtype), column_major=order == "F", cells=data)
    return array


def _scalar(dtype: object, data: object = b"") -> Any:
    checked = _checked(dtype)
    if checked.hasobject:
        raise Refused("it holds a numpy scalar of type object")
    array = Array()
    array._take((), checked, column_major=False, cells=data)
    return array.fill(_raw(data))[()]


def _encode(text: str, encoding: str = "") -> bytes:
    """How protocol 2 writes bytes: as text of latin1."""
    if encoding != "latin1":
        raise Refused(f"it wants to encode text as {encoding!r}")
    return text.encode("latin1")


class Ordered(dict[Any, Any]):
    """Stands for an OrderedDict, which may carry attributes: torch's `_metadata`. They are dropped."""

    def __init__(self, pairs: Iterable[Any] = ()) -> None:
        super().__init__(pairs)

    def __setstate__(self, state: object) -> None:
        pass


def _no_array(*_: object) -> NoReturn:
    raise Refused("it wants to make an array in a way that is not known here")


def _builders() -> dict[tuple[str, str], Builder]:
    builds: dict[tuple[str, str], Callable[..., Any]] = {
        ("numpy", "dtype"): Dtype,
        ("numpy", "ndarray"): _no_array,
        ("_codecs", "encode"): _encode,
        ("collections", "OrderedDict"): Ordered,
        ("collections", "Counter"): Ordered,
    }
    for core in ("numpy.core", "numpy._core"):
        builds |= {
            (f"{core}.multiarray", "_reconstruct"): _reconstruct,
            (f"{core}.multiarray", "scalar"): _scalar,
            (f"{core}.numeric", "_frombuffer"): _from_buffer,
        }
    for builtins in BUILTINS:
        builds |= {
            (builtins, "set"): set,
            (builtins, "frozenset"): frozenset,
            (builtins, "complex"): complex,
            (builtins, "bytearray"): _bytearray,
            (builtins, "bytes"): _raw,
        }
    return {key: Builder(".".join(key), build) for key, build in builds.items()}


BUILDERS = _builders()
