"""A store as a folder of small files, one per record: what extraction writes and resumes.

    STORE/store.json                                    schema version
    STORE/<dataset>/dataset.json                        where it was made from (see `origin.py`)
    STORE/<dataset>/<stream>-<spec hash>/<video id>.h5  one record: absent or complete, never half

The folders are the index, so there is no other one to break or to rebuild.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.content import Stored
from aqa_pipeline.store.files import is_left_over, is_part, write_whole
from aqa_pipeline.store.hdf5 import SCHEMA, UNSOUND, OtherSchema, fill, opened, read_group
from aqa_pipeline.store.output import new_file
from aqa_pipeline.store.places import Problem, RecordName, StreamName
from aqa_pipeline.store.seal import is_sealed, seal_problem

log = logging.getLogger(__name__)

ENDING = ".h5"
MARKER = "store.json"


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
        if not marker.exists():
            # The marker is the first thing to be written: beside a half-written one nothing else lies.
            if self.root.is_dir() and not all(is_part(path) for path in self.root.iterdir()):
                raise StoreError(
                    f"{self.root} is not a feature store (no {MARKER} in it): "
                    "name a new or empty folder with --store."
                )
            return
        try:
            schema = json.loads(marker.read_bytes())["schema"]
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
        """The file of that record, there or not."""
        return self.root / name.dataset / name.stream / f"{name.video}{ENDING}"

    def has(self, name: RecordName) -> bool:
        return self.path(name).is_file()

    @contextmanager
    def group(self, name: RecordName) -> Iterator[h5py.Group]:
        """The record's file, to read; whatever is wrong with it is a `StoreError`."""
        path = self.path(name)
        try:
            if not path.is_file():  # a pipe would be waited for
                raise StoreError("it is no file")
            with opened(path) as file:
                yield file
        except (StoreError, *UNSOUND) as error:
            raise StoreError(
                f"{path} is not a sound record ({error}): run `aqa store repair {self.root}`, "
                "then the extraction again."
            ) from error

    def streams(self, dataset: str | None = None) -> Iterator[StreamName]:
        for folder in sorted(self.root.glob(f"{dataset or '*'}/*")):
            name = StreamName(folder.parent.name, folder.name)
            if name.is_one and folder.is_dir():
                yield name

    def videos(self, stream: StreamName) -> list[str]:
        """The names of the stream's records, in no order."""
        folder = self.root / stream.dataset / stream.stream
        names = os.listdir(folder) if folder.is_dir() else []
        return [name.removesuffix(ENDING) for name in names if name.endswith(ENDING) and name[0] != "."]

    def num_bytes(self, stream: StreamName) -> int:
        with os.scandir(self.root / stream.dataset / stream.stream) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.name.endswith(ENDING))

    def write(self, name: RecordName, stored: Stored) -> Path:
        """Writes the record whole, replacing an older one; raises `StoreError` if the disk refuses."""
        path = self.path(name)
        try:
            write_marker(self.root)
            path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(path) as (file, _):
                fill(file, stored.record, libraries=stored.libraries)
        except OSError as error:
            raise StoreError(
                f"cannot write {path}: {error.strerror or error}. The store is undamaged; free some space "
                "or name another --store, then run the same command again: it goes on where it stopped."
            ) from error
        return path

    def problems(self) -> Iterator[tuple[Path, Problem | None]]:
        """Each file in the folders of records, and what is wrong with it."""
        for part in sorted(self.root.glob("**/.*.part")):
            if problem := _problem_with_part(part):
                yield part, problem
        for stream in self.streams():
            for path in sorted((self.root / stream.dataset / stream.stream).iterdir()):
                if not is_part(path):
                    yield path, self._problem(path, stream)

    def _problem(self, path: Path, stream: StreamName) -> Problem | None:
        if path.suffix != ENDING or not path.is_file():
            return Problem(path, "it is no record", kind="foreign")
        try:
            if damage := seal_problem(path):
                return Problem(path, damage, kind="damaged")
        except OSError as error:
            return Problem(path, f"it cannot be read: {error.strerror or error}", kind="unreadable")
        return self._problem_with_record(path, stream)

    def _problem_with_record(self, path: Path, stream: StreamName) -> Problem | None:
        try:
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
        """Deletes temporary files that nobody writes any more. One that cannot be deleted harms nobody."""
        for part in self.root.glob("**/.*.part"):
            try:
                if is_left_over(part):
                    part.unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s is left over and cannot be deleted: %s", part, error)


def write_marker(root: Path) -> None:
    """Say that this folder is a store, before anything else is written there."""
    root.mkdir(parents=True, exist_ok=True)
    write_whole(root / MARKER, json.dumps({"schema": SCHEMA}).encode(), only_if_absent=True)


def _problem_with_part(part: Path) -> Problem | None:
    """A write that still runs is none; one that was interrupted is harmless and takes room."""
    try:
        left_over = is_left_over(part)
    except FileNotFoundError:  # it is in its place by now
        return None
    return Problem(part, "it is left over from an interrupted write", kind="left over") if left_over else None
