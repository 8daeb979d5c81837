"""Read tables of numbers from MATLAB files, and nothing else from them."""

import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, open_bounded

NUMERIC = frozenset(
    ("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
)
MAX_ROWS = 1_000_000
HEADER_BYTES, COMPRESSED = 128, 15  # "MAT-File Level 5 File Format", miCOMPRESSED
MOST_UNPACKED_BYTES = LABEL_BYTES


def read_table(path: Path, *, variable: str, num_columns: int) -> npt.NDArray[np.float64]:
    """Return the numbers of a variable, (row, column). Objects and functions in the file are not read.

    Raises `DatasetError` for a damaged file, and for a variable that is absent or has another shape or type.
    """
    from scipy.io import loadmat, whosmat

    try:
        _check_unpacked(path)
        contents = {name: (shape, kind) for name, shape, kind in whosmat(path, appendmat=False)}
        if variable in contents:
            _check(path, variable, *contents[variable], num_columns=num_columns)
            table = loadmat(path, variable_names=[variable], appendmat=False)[variable]
            if np.iscomplexobj(table):
                raise DatasetError(f"{path}: {variable} holds complex numbers; expected real ones")
            return np.asarray(table, dtype=np.float64)
    except DatasetError:
        raise
    except NotImplementedError as error:
        raise DatasetError(
            f"{path} is a MATLAB 7.3 file: save it as version 7 (save -v7) and try again"
        ) from error
    except Exception as error:
        # scipy passes on any error that a damaged file causes: zlib.error, KeyError, ValueError, ...
        raise DatasetError(
            f"{path} cannot be read as a MATLAB file ({error}): download or copy it again"
        ) from error
    raise DatasetError(f"{path} has no variable {variable}; it holds {', '.join(contents) or 'nothing'}")


def _check_unpacked(path: Path) -> None:
    """Raise `DatasetError` if the compressed parts of the file unpack to far more than a table needs.

    In version 5 of the format, after a header of 128 bytes, each part begins with its type and size.
    """
    left = MOST_UNPACKED_BYTES
    with open_bounded(path, most_bytes=LABEL_BYTES) as file:
        content = memoryview(file.read())
    order: Literal["little", "big"] = "little" if content[126:128] == b"IM" else "big"
    at = HEADER_BYTES
    while at + 8 <= len(content):
        kind, size = (int.from_bytes(content[at + of : at + of + 4], order) for of in (0, 4))
        if kind == COMPRESSED:
            left -= len(zlib.decompressobj().decompress(content[at + 8 : at + 8 + size], left + 1))
        if left < 0:
            raise DatasetError(f"{path} unpacks to more than {MOST_UNPACKED_BYTES:,} bytes: expected a table")
        at += 8 + size


def _check(path: Path, variable: str, shape: tuple[int, ...], kind: str, *, num_columns: int) -> None:
    if kind not in NUMERIC or len(shape) != 2 or shape[1] != num_columns or not 0 < shape[0] <= MAX_ROWS:
        size = "x".join(map(str, shape))
        raise DatasetError(
            f"{path}: {variable} is {kind} {size}; expected numbers, one row of {num_columns} per video"
        )
