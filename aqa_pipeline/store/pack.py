"""A store as one HDF5 file, for sharing: `aqa store pack`. It is read in the place of a folder.

    PACK.h5/<dataset>/<stream>-<spec hash>/<video id>/   arrays, and what they are as attributes

It is written at once, then sealed, and never changed. Any HDF5 program can read it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import h5py

from aqa_pipeline.disk.files import clear_left_overs
from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.content import Stored
from aqa_pipeline.store.hdf5 import (
    UNSOUND,
    OtherSchema,
    attribute_number,
    fill,
    inner_group,
    is_named,
    num_bytes_of,
    opened,
    read_group,
)
from aqa_pipeline.store.output import new_file
from aqa_pipeline.store.places import Problem, RecordName, StreamName
from aqa_pipeline.store.seal import is_sealed, seal_problem

PACK_SCHEMA = 1
PACK_ATTRIBUTE = "aqa_pack"


class PackedRecords:
    """The records in one file. Raises `StoreError` if it is no pack of this version."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with self._opened() as file:
            if PACK_ATTRIBUTE not in file.attrs:
                raise StoreError("it is no packed store; `aqa store pack` makes one, and a store is a folder")
            if (schema := attribute_number(file, PACK_ATTRIBUTE)) != PACK_SCHEMA:
                raise StoreError(f"it is a pack of version {schema}, this program reads {PACK_SCHEMA}")

    @contextmanager
    def _opened(self) -> Iterator[h5py.File]:
        try:
            with opened(self.root) as file:
                yield file
        except (StoreError, *UNSOUND) as error:
            raise StoreError(f"{self.root} cannot be read as features: {error}.") from error

    def path(self, name: RecordName) -> Path:
        """How that record is called in messages."""
        return self.root.joinpath(*name)

    def has(self, name: RecordName) -> bool:
        """Return whether the pack holds that record."""
        with self._opened() as file:
            return is_named(file, name)

    @contextmanager
    def group(self, name: RecordName) -> Iterator[h5py.Group]:
        """Yield the record's group, to read; whatever is wrong with it is a `StoreError`."""
        with self._opened() as file:
            try:
                yield _inner(file, name)
            except (StoreError, *UNSOUND) as error:
                raise StoreError(
                    f"{self.path(name)} is not a sound record ({error}): get the file again."
                ) from error

    def streams(self, dataset: str | None = None) -> Iterator[StreamName]:
        """Yield the names of all streams, or of those of one dataset."""
        with self._opened() as file:
            datasets = list(file) if dataset is None else [dataset] if is_named(file, [dataset]) else []
            names = [StreamName(of, stream) for of in datasets for stream in inner_group(file, of)]
        yield from (name for name in names if name.is_one)

    def videos(self, stream: StreamName) -> list[str]:
        """Return the names of the stream's records."""
        with self._opened() as file:
            return list(_inner(file, stream)) if is_named(file, stream) else []

    def num_bytes(self, stream: StreamName) -> int:
        """Return the size of a stream's records before they were packed, in bytes."""
        with self._opened() as file:
            return attribute_number(_inner(file, stream), "num_bytes")

    def write(self, name: RecordName, stored: Stored) -> Path:
        """Raise `StoreError`: a pack is only read."""
        raise StoreError(
            f"{self.root} is a packed store, which is only read: `aqa store unpack {self.root} FOLDER`, "
            "then name the folder."
        )

    def problems(self) -> Iterator[tuple[Path, Problem | None]]:
        """Each record, and what is wrong with it; at last what is wrong with the bytes around them."""
        found = False
        for stream in self.streams():
            for video in self.videos(stream):
                problem = self._problem(RecordName(*stream, video))
                found = found or problem is not None
                yield self.path(RecordName(*stream, video)), problem
        damage = seal_problem(self.root) if is_sealed(self.root) else "its seal is gone: a program changed it"
        if damage and not found:
            reason = f"{damage}; each record by itself is sound"
            yield self.root, Problem(self.root, reason, kind="damaged")

    def _problem(self, name: RecordName) -> Problem | None:
        path = self.path(name)
        try:
            with opened(self.root) as file:
                record = read_group(_inner(file, name)).record
            belongs = RecordName.of(record.dataset, record.video_id, record.spec)
        except OtherSchema as error:
            return Problem(path, str(error), kind="foreign")
        except (StoreError, *UNSOUND) as error:
            return Problem(path, f"it is not a sound record: {error}", kind="damaged")
        if belongs != name:
            return Problem(path, f"it holds {record}, which does not belong in this place", kind="damaged")
        return None

    def remove_left_over(self) -> None:
        """Nothing is written here, so nothing is left over."""


def write_pack(
    path: Path, records: Iterable[tuple[RecordName, Callable[[], Stored]]], *, progress: Callable[[], None]
) -> None:
    """Write the records, ordered by name, into one sealed file; equal records give equal bytes.

    Raises `StoreError`, and nothing is left behind, if the disk refuses or a record is broken.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_left_overs(path.parent)
        with new_file(path) as (file, check):
            file.attrs[PACK_ATTRIBUTE] = PACK_SCHEMA
            for stream, members in groupby(records, key=lambda item: StreamName(*item[0][:2])):
                group = file.create_group("/".join(stream))
                for _ in _written(group, members):
                    check()
                    progress()
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}. Nothing was left behind; free some space or "
            "name another --out."
        ) from error


def _written(
    group: h5py.Group, members: Iterable[tuple[RecordName, Callable[[], Stored]]]
) -> Iterator[RecordName]:
    """Write the records of one stream, one by one."""
    num_bytes = 0
    for name, read in members:
        stored = read()
        record = group.create_group(name.video)
        fill(record, stored.record, libraries=stored.libraries)
        num_bytes += num_bytes_of(record)
        yield name
    group.attrs["num_bytes"] = num_bytes


def _inner(file: h5py.Group, names: Iterable[str]) -> h5py.Group:
    for name in names:
        file = inner_group(file, name)
    return file
