"""Builders that stand for the few names that plain data in a pickle needs. Each checks its arguments.

The constructors of numpy itself are not called: with a forged dtype state they read raw bytes as pointers.
"""

import math
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np

from aqa_pipeline.untrusted.pickle_limits import spend

BUILTINS = ("builtins", "__builtin__")  # of Python 3 and 2
PLAIN_DTYPE = re.compile(r"[<>|=]?([?O]|O8|[biufc]\d+|[SU]\d+)")


class Refused(Exception):
    """The pickle asks for something other than plain data."""


@dataclass(frozen=True)
class Builder:
    """One name that a pickle may use, and the function that it stands for. A pickle cannot change it."""

    name: str
    build: Callable[..., Any]

    def __call__(self, *arguments: Any) -> Any:
        """Return what the name makes; raise `Excess` beyond the limit of bytes."""
        made = self.build(*arguments)
        spend(sys.getsizeof(made))
        return made

    def __setstate__(self, state: object) -> NoReturn:
        raise Refused(f"it changes {self.name}")


class Dtype:
    """A stand-in for `numpy.dtype` while a pickle is read: a code such as `f8`, then its byte order."""

    __slots__ = ("dtype",)

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not PLAIN_DTYPE.fullmatch(code):
            raise Refused(f"it holds an array of type {code!r}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, order, sub_dtype, names, fields, *_ = state
        if (sub_dtype, names, fields) != (None, None, None) or order not in ("<", ">", "|", "="):
            raise Refused("it holds a structured array")
        # Sizes and flags of the state are ignored: the code says the size, and flags can be forged.
        self.dtype = self.dtype.newbyteorder(order)


class Array:
    """A stand-in for an array while its pickle is read. `fill` makes the array."""

    __slots__ = ("column_major", "content", "dtype", "shape")

    def __init__(self) -> None:
        self._take((0,), np.dtype(np.uint8), column_major=False, content=b"")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_major, content = state
        self._take(shape, _checked(dtype), column_major=bool(column_major), content=content)

    def _take(self, shape: object, dtype: np.dtype, *, column_major: bool, content: object) -> None:
        shape = (shape,) if isinstance(shape, int) else shape
        if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError(f"an array of shape {shape!r}")
        self.shape, self.dtype, self.column_major = shape, dtype, column_major
        self.content = content if dtype.hasobject else _raw(content)
        expected = math.prod(shape) * (1 if dtype.hasobject else dtype.itemsize)
        if not isinstance(self.content, list | bytes) or len(self.content) != expected:
            raise ValueError(f"an array {dtype} {shape} without its content")

    def fill(self, content: list[object] | bytes) -> np.ndarray:
        """Return the array of this content, writable."""
        if isinstance(content, bytes):
            order: Literal["C", "F"] = "F" if self.column_major else "C"
            spend(len(content))
            return np.frombuffer(content, self.dtype).reshape(self.shape, order=order).copy(order)
        # Objects are pickled row by row, whatever the order in memory was.
        flat = np.empty(len(content), dtype=object)
        for index, value in enumerate(content):
            flat[index] = value
        return flat.reshape(self.shape)


def _checked(dtype: object) -> np.dtype:
    if not isinstance(dtype, Dtype):
        raise ValueError(f"{dtype!r} instead of a dtype")
    return dtype.dtype


def _raw(data: object = b"") -> bytes:
    """Return bytes, also from the text as which Python 2 wrote them."""
    if isinstance(data, str):
        spend(len(data))
        return data.encode("latin1")
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"a {type(data).__name__} instead of bytes")
    return bytes(data)


def _bytearray(data: object = b"") -> bytearray:
    return bytearray(_raw(data))


def _reconstruct(*_: object) -> Array:
    """Begin an array as numpy does. The state that follows in the pickle holds its content."""
    return Array()


def _from_buffer(data: object, dtype: object, shape: object, order: str) -> Array:
    """Return a stand-in for an array of pickle protocol 5."""
    array = Array()
    array._take(shape, _checked(dtype), column_major=order == "F", content=data)
    return array


def _scalar(dtype: object, data: object = b"") -> Any:
    checked = _checked(dtype)
    if checked.hasobject:
        raise Refused("it holds a numpy scalar of type object")
    array = Array()
    array._take((), checked, column_major=False, content=data)
    return array.fill(_raw(data))[()]


def _encode(text: str, encoding: str = "") -> bytes:
    """Return the bytes that protocol 2 writes as latin1 text."""
    if encoding != "latin1":
        raise Refused(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


class Ordered(dict[Any, Any]):
    """A stand-in for OrderedDict, which may have attributes (`_metadata` of torch). They are dropped."""

    def __init__(self, pairs: Iterable[Any] = ()) -> None:
        super().__init__(pairs)

    def __setstate__(self, state: object) -> None:
        pass


def _no_array(*_: object) -> NoReturn:
    raise Refused("it makes an array with numpy.ndarray, which numpy itself does not pickle")


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
