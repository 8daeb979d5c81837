"""A new HDF5 file, written straight to the disk and sealed: absent or complete, never half."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.store.seal import seal_file


@contextmanager
def new_file(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Yield the file to fill, and a check that raises `OSError` once the disk has refused something.

    When the block ends well, the file is sealed and synced and takes its place. The same content gives the
    same bytes.
    """
    with whole_file(path) as part:
        with _Output(part) as output:
            with h5py.File(output, "w", libver="v110") as file:
                yield file, output.check
            output.check()
        seal_file(part)


class _Output(io.FileIO):
    """A new file that keeps the disk's first refusal for later, and from then on writes nothing.

    HDF5 cannot close a file that it cannot write: it tries again with every object, and tells of each.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._refusal: OSError | None = None

    def write(self, content: Any) -> int:
        view = memoryview(content).cast("B")
        done = 0
        while done < len(view) and self._refusal is None:
            try:
                done += super().write(view[done:]) or 0
            except OSError as error:
                self._refusal = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._refusal = self._refusal or error
            return size or 0

    def check(self) -> None:
        """Raise the refusal, if there was one."""
        if self._refusal is not None:
            raise self._refusal
