"""Features from other people's files (.npy, .npz, .csv, .txt), read without running what they ask for."""

import csv
import hashlib
import io
import itertools
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from aqa_pipeline.datasets.reading.disk import read_label_text
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.untrusted.npy import read_header, read_npy
from aqa_pipeline.untrusted.pickle_limits import allowance
from aqa_pipeline.untrusted.pickles import open_pickle

FLOATS = ("float16", "float32", "float64")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy.savez and savez_compressed write
DELIMITERS = ";\t,"
VIDEO = "video"
TEXT = ".txt"
Arrays = dict[str, np.ndarray]


def read_features(path: Path) -> np.ndarray | Arrays:
    """Return a file's array, or its arrays by name: those of an archive, a saved dict, a table of videos.

    Raises `DatasetError` for a file that cannot be read without running code, that is damaged, or that would
    take far more memory than it is long.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path} ends in none of {', '.join(READERS)}: expected a file of features.")
    return reader(path)


def files_of_features(folder: Path) -> list[Path]:
    """Return the files in `folder` that are named like files of features, sorted.

    Hidden files (unfinished downloads) are left out, and so are text files beside others, which are notes.
    """
    paths = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in READERS and not path.name.startswith(".")
    )
    return [path for path in paths if path.suffix.lower() != TEXT] or paths


def only_array(path: Path) -> np.ndarray:
    """Return the features of a file that holds those of one video in one array; raises as `read_features`."""
    content = read_features(path)
    if isinstance(content, dict) and len(content) == 1 and path.suffix.lower() == ".npz":
        (content,) = content.values()
    if isinstance(content, dict):
        raise DatasetError(
            f"it holds {len(content)} arrays ({', '.join(list(content)[:5])}), expected those of one video: "
            f"a file of many videos is named itself, --features {path}."
        )
    return content


def check_features(array: np.ndarray) -> None:
    """Raise `DatasetError` for what cannot be features: finite floats, (time, dim) or (time, view, dim)."""
    if array.dtype.name not in FLOATS:
        raise DatasetError(f"it holds {array.dtype}: expected {', '.join(FLOATS)}.")
    if 0 in array.shape:
        raise DatasetError(f"it is empty, {array.shape}: expected at least one row.")
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32))
    if not finite.all():
        row = int(np.argmin(finite.reshape(len(array), -1).all(axis=1)))
        raise DatasetError(
            f"it holds {(~finite).sum()} values that are not finite, the first in row {row}: get it again."
        )


def _read_npz(path: Path) -> Arrays:
    with open_pickle(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _members(archive, path)
        except DatasetError:
            raise
        except Exception as error:  # a damaged archive may raise anything of zipfile, zlib and numpy
            raise DatasetError(
                f"{path} is a damaged .npz file ({type(error).__name__}: {error}): get it again."
            ) from error


def _members(archive: zipfile.ZipFile, path: Path) -> Arrays:
    """Read every array, after all headers: a member never gives more bytes than the archive says it has."""
    members = archive.infolist()
    total, most = sum(member.file_size for member in members), allowance(path.stat().st_size)
    if total > most:
        raise DatasetError(
            f"{path} would take {total:,} bytes, expected at most {most:,} of a file of its length. Get it "
            "again from where it is trusted."
        )
    arrays: Arrays = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        where = Path(f"{path}[{name!r}]")
        if member.compress_type not in METHODS or name in arrays:
            raise DatasetError(f"{where} is not as numpy.savez writes it: save the arrays again.")
        with archive.open(member) as content:
            dtype, shape = read_header(content, where)
        if dtype.hasobject:
            raise DatasetError(
                f"{where} is an array of Python objects, which only a program can read: save numbers."
            )
        if math.prod(shape) * dtype.itemsize > member.file_size:
            raise DatasetError(f"{where} claims to be {shape}, but is too short for it: get it again.")
        with archive.open(member) as content:
            arrays[name] = np.lib.format.read_array(content, allow_pickle=False)
    return arrays


def _read_csv(path: Path) -> np.ndarray | Arrays:
    """Return the numbers of a table, one row per step; with a column `video`, those of each video."""
    lines = _lines(path)
    number, header = next(lines)
    names = [name.lower() for name in header]
    if VIDEO in names:
        return _by_video(lines, names.index(VIDEO), path)
    if _are_numbers(header):
        lines = itertools.chain([(number, header)], lines)
    return np.stack(list(_rows(lines, path)))


Line = tuple[int, list[str]]


def _lines(path: Path) -> Iterator[Line]:
    """Yield every line that is not blank, read one by one: as numbers they take less than as text."""
    text = read_label_text(path)
    first_line = text.lstrip().splitlines()[0]
    delimiter = next((each for each in DELIMITERS if each in first_line), ",")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield reader.line_num, [field.strip() for field in fields]
    except csv.Error as error:
        raise DatasetError(f"{path} line {reader.line_num} is not CSV: {error}.") from error


def _read_txt(path: Path) -> np.ndarray:
    """Return the numbers of a file without names: one row per step, separated by spaces or commas."""
    lines = enumerate(read_label_text(path).splitlines(), start=1)
    return np.stack(
        list(_rows(((n, line.replace(",", " ").split()) for n, line in lines if line.strip()), path))
    )


def _by_video(lines: Iterator[Line], column: int, path: Path) -> Arrays:
    names: list[str] = []

    def without_name() -> Iterator[Line]:
        for number, fields in lines:
            names.append(fields.pop(column) if column < len(fields) else "")
            if not names[-1]:
                raise DatasetError(f"{path} line {number} names no video.")
            yield number, fields

    rows = list(_rows(without_name(), path))
    of_video: dict[str, list[np.ndarray]] = {}
    for name, row in zip(names, rows, strict=True):
        of_video.setdefault(name, []).append(row)
    return {name: np.stack(own) for name, own in of_video.items()}


def _rows(lines: Iterable[Line], path: Path) -> Iterator[np.ndarray]:
    """Yield each line's numbers; raise `DatasetError` for words, rows of several lengths, or no row."""
    length = 0
    for number, fields in lines:
        length = length or len(fields)
        if not _are_numbers(fields) or len(fields) != length:
            raise DatasetError(
                f"{path} line {number}: expected {length} numbers, one row per step, such as 0.5,1.25."
            )
        yield np.array(fields, dtype=np.float64)
    if not length:
        raise DatasetError(f"{path} has no row of numbers: expected one per step.")


def _are_numbers(fields: list[str]) -> bool:
    try:
        return bool([float(field) for field in fields])
    except ValueError:
        return False


READERS: Mapping[str, Callable[[Path], np.ndarray | Arrays]] = {
    ".npy": read_npy,
    ".npz": _read_npz,
    ".csv": _read_csv,
    TEXT: _read_txt,
}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with open_bounded(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def array_digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array: its type, its shape and its numbers."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
