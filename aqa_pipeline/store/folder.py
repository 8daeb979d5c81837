"""A store as a folder of small files, one per record: what extraction writes and resumes.

    STORE/store.json                                    schema version
    STORE/<dataset>/dataset.json                        where it was made from (see `origin.py`)
    STORE/<dataset>/<stream>-<spec hash>/<video id>.h5  one record: absent or complete, never half

The folders are the index, so there is no other one to break or to rebuild.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from aqa_pipeline.disk.files import clear_left_overs, is_part, write_whole
from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.content import Stored
from aqa_pipeline.store.entries import entries_of, foreign, is_file, is_folder, is_regular, problems_with_part
from aqa_pipeline.store.hdf5 import (
    SCHEMA,
    UNSOUND,
    OtherSchema,
    fill,
    is_of_another_program,
    opened,
    read_group,
)
from aqa_pipeline.store.output import new_file
from aqa_pipeline.store.places import ORIGIN, Problem, RecordName, StreamName
from aqa_pipeline.store.seal import is_sealed, seal_problem
from aqa_pipeline.untrusted.bounded_files import read_bounded_bytes

ENDING = ".h5"
MARKER, MARKER_BYTES = "store.json", 10_000
SET_ASIDE = ".set-aside"  # what a repair took out; no dataset is called so: a dot in front is encoded


class RecordFolder:
    """The records under one folder. Raises `StoreError` if it is of another schema, or holds other things."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self._check_schema()
        except OSError as error:
            raise StoreError(f"{root} cannot be read: {error.strerror or error}.") from error

    def _check_schema(self) -> None:
        marker = self.root / MARKER
        if not os.path.lexists(marker):
            # The marker is the first thing to be written: beside a half-written one nothing else lies.
            if self.root.is_dir() and not all(is_part(path) for path in self.root.iterdir()):
                raise StoreError(
                    f"{self.root} is not a feature store (no {MARKER} in it): "
                    "name a new or empty folder with --store."
                )
            return
        try:
            schema = json.loads(read_bounded_bytes(marker, most_bytes=MARKER_BYTES))["schema"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise StoreError(
                f"{marker} cannot be read ({error!r}): expected {{'schema': {SCHEMA}}}."
            ) from error
        if schema != SCHEMA:
            raise StoreError(
                f"{self.root} has schema {schema}, this version reads and writes {SCHEMA}: "
                "use the version that made it, or extract into a new store."
            )

    def path(self, name: RecordName) -> Path:
        """Return the file of that record, there or not."""
        return self.root / name.dataset / name.stream / f"{name.video}{ENDING}"

    def has(self, name: RecordName) -> bool:
        """Return whether the record's file is there: a file of this store, which no link stands for."""
        return is_regular(self.path(name)) and not self._link_to(name)

    def _link_to(self, name: RecordName) -> Path | None:
        """Return the folder on the way to that record that is a link, and may lead out of the store."""
        folder = self.path(name).parent
        return next((each for each in (folder.parent, folder) if each.is_symlink()), None)

    @contextmanager
    def group(self, name: RecordName) -> Iterator[h5py.Group]:
        """Yield the record's file, to read; whatever is wrong with it is a `StoreError`."""
        path = self.path(name)
        try:
            if not self.has(name):  # a pipe would be waited for, and a link may lead anywhere
                raise StoreError("it is no file of this store")
            with opened(path) as file:
                yield file
        except (StoreError, *UNSOUND) as error:
            raise StoreError(
                f"{path} is not a sound record ({error}): run `aqa store repair {self.root}`, "
                "then the extraction again."
            ) from error

    def streams(self, dataset: str | None = None) -> Iterator[StreamName]:
        """Yield the names of all streams, or of those of one dataset."""
        datasets = [dataset] if dataset else [e.name for e in entries_of(self.root) if is_folder(e)]
        for name in datasets:
            if not (self.root / name).is_symlink():
                inner = (StreamName(name, e.name) for e in entries_of(self.root / name) if is_folder(e))
                yield from (stream for stream in inner if stream.is_one)

    def _folder(self, stream: StreamName) -> Path:
        return self.root / stream.dataset / stream.stream

    def _records(self, stream: StreamName) -> Iterator["os.DirEntry[str]"]:
        if not any(each.is_symlink() for each in (self.root / stream.dataset, self._folder(stream))):
            for entry in entries_of(self._folder(stream)):
                if entry.name.endswith(ENDING) and entry.name[0] != "." and is_file(entry):
                    yield entry

    def videos(self, stream: StreamName) -> list[str]:
        """Return the names of the stream's records, in no order."""
        return [entry.name.removesuffix(ENDING) for entry in self._records(stream)]

    def num_bytes(self, stream: StreamName) -> int:
        """Return the size of a stream's records on disk, in bytes."""
        return sum(entry.stat(follow_symlinks=False).st_size for entry in self._records(stream))

    def write(self, name: RecordName, stored: Stored) -> Path:
        """Write the record whole, replacing an older one; raises `StoreError` if the disk refuses."""
        path = self.path(name)
        try:
            write_marker(self.root)
            if link := self._link_to(name):
                raise StoreError(f"{link} is a link, which a store never follows: put a folder in its place.")
            path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path) as (file, _):
                fill(file, stored.record, libraries=stored.libraries)
        except OSError as error:
            raise refusal(path, error) from error
        return path

    def problems(self) -> Iterator[tuple[Path, Problem | None]]:
        """Each file in the store, and what is wrong with it; what is not the store's is not looked into."""
        for entry in entries_of(self.root):
            path = self.root / entry.name
            if is_folder(entry) and entry.name != SET_ASIDE:
                yield from self._problems_of_dataset(path)
            elif is_part(path):
                yield from problems_with_part(path)
            elif entry.name not in (MARKER, SET_ASIDE) or not (is_file(entry) or is_folder(entry)):
                yield path, foreign(entry)

    def _problems_of_dataset(self, folder: Path) -> Iterator[tuple[Path, Problem | None]]:
        for entry in entries_of(folder):
            stream, path = StreamName(folder.name, entry.name), folder / entry.name
            if is_folder(entry) and stream.is_one:
                yield from self._problems_of_stream(stream)
            elif is_part(path):
                yield from problems_with_part(path)
            elif entry.name != ORIGIN or not is_file(entry):
                yield path, foreign(entry)

    def _problems_of_stream(self, stream: StreamName) -> Iterator[tuple[Path, Problem | None]]:
        for entry in entries_of(self._folder(stream)):
            path = self._folder(stream) / entry.name
            if is_part(path):
                yield from problems_with_part(path)
            elif path.suffix != ENDING or not is_file(entry):
                yield path, foreign(entry)
            else:
                yield path, self._problem(path, stream)

    def _problem(self, path: Path, stream: StreamName) -> Problem | None:
        try:
            if damage := seal_problem(path):
                others = not is_sealed(path) and is_of_another_program(path)
                return Problem(path, damage, kind="foreign" if others else "damaged")
        except OSError as error:
            return Problem(path, f"it cannot be read: {error.strerror or error}", kind="unreadable")
        return self._problem_with_record(path, stream)

    def _problem_with_record(self, path: Path, stream: StreamName) -> Problem | None:
        try:
            if not is_sealed(path) and is_of_another_program(path):
                return Problem(path, "it is an HDF5 file of another program", kind="foreign")
            with opened(path) as file:
                record = read_group(file).record
            belongs = RecordName.of(record.dataset, record.video_id, record.spec)
        except OtherSchema as error:
            return Problem(path, str(error), kind="foreign")
        except (StoreError, *UNSOUND) as error:
            return Problem(path, f"it is not a sound record: {error}", kind="damaged")
        if not is_sealed(path):
            return Problem(path, "its seal is gone: another program changed it", kind="damaged")
        if belongs != RecordName(*stream, path.name.removesuffix(ENDING)):
            return Problem(path, f"it holds {record}, which does not belong in this place", kind="damaged")
        return None

    def remove_left_over(self) -> None:
        """Delete temporary files that nobody writes any more. One that cannot be deleted harms nobody."""
        clear_left_overs(self.root)
        for entry in filter(is_folder, entries_of(self.root)):
            clear_left_overs(self.root / entry.name)
        for stream in self.streams():
            clear_left_overs(self._folder(stream))


def refusal(path: Path, error: OSError) -> StoreError:
    """Return what to say where the disk refuses a file of the store."""
    return StoreError(
        f"cannot write {path}: {error.strerror or error}. The store is undamaged; free some space "
        "or name another --store, then run the same command again: it goes on where it stopped."
    )


def write_marker(root: Path) -> None:
    """Say that this folder is a store, before anything else is written there."""
    root.mkdir(parents=True, exist_ok=True)
    write_whole(root / MARKER, json.dumps({"schema": SCHEMA}).encode(), only_if_absent=True)
