"""Read .npy files of numpy from untrusted sources without running any code that they name."""

import math
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.pickles import open_pickle, plain_content


def read_npy(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """Return the array of a .npy file, memory-mapped, or the arrays of a saved dict, `{name: array}`.

    Raises `DatasetError` for any other array of Python objects, and for a file of another format.
    """
    with open_pickle(path) as file:
        dtype, shape = read_header(file, path)
        if dtype.hasobject:
            return _saved_dict(file, path, dtype=dtype, shape=shape)
    try:
        return np.load(path, mmap_mode="r" if math.prod(shape) else None, allow_pickle=False)
    except (ValueError, OverflowError, OSError) as error:
        raise DatasetError(f"{path} is a damaged .npy file ({error}): download or copy it again.") from error


def read_header(file: IO[bytes], path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the dtype and the shape of the array that begins here; `path` is for messages."""
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = readers[version](file)
    except Exception as error:  # numpy passes on the errors of its parsers: TokenError, RecursionError, ...
        raise DatasetError(
            f"{path} cannot be read as a .npy file ({error}): expected a file of numpy.save."
        ) from error
    return dtype, shape


def _saved_dict(
    file: BinaryIO, path: Path, *, dtype: np.dtype, shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
    if shape != () or dtype != np.dtype(object):
        raise DatasetError(
            f"{path} is an array of Python objects, {dtype} {shape}: expected an array of numbers, or "
            "a dict {name: array} saved by numpy.save."
        )
    holder = plain_content(file, path)
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
