"""Open files from untrusted sources: only regular files of a bounded size.

Reading a pipe would wait, a device never ends, and a file may be larger than the memory. Each of them raises
an `OSError` with the reason.
"""

import codecs
import errno
import io
import json
import math
import os
import stat
from pathlib import Path
from typing import Any, NoReturn, TextIO

MIB = 1024**2
RUN_BYTES = 16 * MIB  # of a JSON file of a run: 100,000 videos by name take 2
LABEL_BYTES = 64 * MIB  # a line of 100 bytes for each of 600,000 videos
KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def check_bounded(path: Path, *, most_bytes: int | None = None) -> None:
    """Raise `OSError` unless `path` is a regular file of at most `most_bytes`, or a link to one."""
    _check(os.stat(path), most_bytes)


def open_bounded(path: Path, *, most_bytes: int | None = None) -> io.BufferedReader:
    """Open a regular file of at most `most_bytes` for reading; raise `OSError` at once for anything else."""
    check_bounded(path, most_bytes=most_bytes)  # before opening: opening a device may already act on it
    file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115  returned
    try:
        _check(os.fstat(file.fileno()), most_bytes)
    except OSError:
        file.close()
        raise
    return file


def open_bounded_text(path: Path, *, most_bytes: int, newline: str | None = None) -> TextIO:
    """Open as `open_bounded` does, for UTF-8 text with or without a byte order mark."""
    return io.TextIOWrapper(open_bounded(path, most_bytes=most_bytes), encoding="utf-8-sig", newline=newline)


def read_bounded_bytes(path: Path, *, most_bytes: int) -> bytes:
    """Return the bytes of a regular file of at most `most_bytes`."""
    with open_bounded(path, most_bytes=most_bytes) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:  # files in /proc report a size of 0, and a file may grow
        raise _too_large(len(content), most_bytes)
    return content


def read_bounded_text(path: Path, *, most_bytes: int) -> str:
    """Return the text of a regular file of at most `most_bytes`, with lines that end in a line feed.

    The text is UTF-8, or UTF-16 with a byte order mark. Raises `OSError` and `UnicodeDecodeError`.
    """
    content = read_bounded_bytes(path, most_bytes=most_bytes)
    text = content.decode("utf-16" if content.startswith(UTF_16_MARKS) else "utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bounded_json(path: Path, *, most_bytes: int) -> Any:
    """Return the content of a JSON file of at most `most_bytes`.

    All numbers are finite, and integers fit in 64 bits. Raises `OSError`, and `ValueError` for other numbers,
    for text that is not JSON and for JSON that is nested too deeply.
    """
    content = read_bounded_bytes(path, most_bytes=most_bytes)
    try:
        return json.loads(content, parse_int=_int64, parse_float=_finite, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _int64(text: str) -> int:
    if len(text) > 20 or abs(int(text)) >= 2**63:
        raise ValueError(f"the number {text[:40]} is too large")
    return int(text)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _check(facts: os.stat_result, most_bytes: int | None) -> None:
    kind = stat.S_IFMT(facts.st_mode)
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"it is {KINDS.get(kind, 'not a file')}, expected a regular file")
    if most_bytes is not None and facts.st_size > most_bytes:
        raise _too_large(facts.st_size, most_bytes)


def _too_large(size: int, most_bytes: int) -> OSError:
    return OSError(errno.EFBIG, f"it has {size:,} bytes, expected at most {most_bytes:,}")


def _without_waiting(path: str, flags: int) -> int:
    # After the check the file may have been replaced by a pipe.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
