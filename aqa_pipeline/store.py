"""The feature store: a folder of small HDF5 files, one per record. The one module that imports h5py.

    STORE/store.json                                    schema version
    STORE/<dataset>/<stream>-<spec hash>/<video id>.h5  one record: absent or complete, never half

A record is built in memory, written under a temporary name, synced, and moved in place: a kill, a full disk
or a second writer never leaves half a record. The folders are the index, so there is no other one to break.
"""

import hashlib
import io
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote, unquote

import h5py
import numpy as np

from aqa_pipeline.errors import SpecMismatch, StoreError
from aqa_pipeline.records import Record, StreamSpec

SCHEMA = 1
STREAM_FOLDER = re.compile(r"(?P<stream>.+)-(?P<hash>[0-9a-f]{12})")
VERSIONED_LIBRARIES = ("aqa-pipeline", "av", "numpy", "torch", "torchvision")


@dataclass(frozen=True)
class StreamSummary:
    """One row of `aqa store ls`."""

    dataset: str
    spec: StreamSpec
    num_records: int
    num_bytes: int


@dataclass(frozen=True)
class Problem:
    """One broken or left-over file, and what is wrong with it."""

    path: Path
    reason: str


@dataclass(frozen=True, eq=False)
class MappedRecord:
    """A record whose features stay on disk: `features` is a read-only view of the file, read where touched.

    Its content is not checked here; `checksum`, a SHA-256, stands for all that the record says.
    """

    spec: StreamSpec
    features: np.ndarray
    pts_seconds: np.ndarray
    extras: Mapping[str, np.ndarray]
    checksum: str


class Store:
    """Reads and writes the records under one folder.

    Raises `StoreError` if the folder is a store of another schema, or holds something else.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._check_schema()

    def _check_schema(self) -> None:
        marker = self.root / "store.json"
        if not marker.exists():
            if self.root.is_dir() and any(self.root.iterdir()):
                raise StoreError(
                    f"{self.root} is not a feature store (no store.json in it): "
                    "name a new or empty folder with --store."
                )
            if self.root.exists() and not self.root.is_dir():
                raise StoreError(f"{self.root} is a file; a store is a folder: name another with --store.")
            return
        try:
            schema = json.loads(marker.read_text())["schema"]
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise StoreError(
                f"{marker} cannot be read ({error}): expected {{'schema': {SCHEMA}}}."
            ) from error
        if schema != SCHEMA:
            raise StoreError(
                f"{self.root} has schema {schema}, this version reads and writes schema {SCHEMA}: "
                "use the version that made it, or extract into a new store."
            )

    def path(self, dataset: str, video_id: str, spec: StreamSpec) -> Path:
        """Where that record is, or would be. Ids are percent-encoded: no id can leave its folder."""
        return self._folder(dataset, spec) / f"{file_name(video_id)}.h5"

    def _folder(self, dataset: str, spec: StreamSpec) -> Path:
        return self.root / file_name(dataset) / f"{spec.stream}-{spec.hash}"

    def has(self, dataset: str, video_id: str, spec: StreamSpec) -> bool:
        """Whether that record is there, hence complete."""
        return self.path(dataset, video_id, spec).is_file()

    def video_ids(self, dataset: str, spec: StreamSpec) -> list[str]:
        """Ids with a record of exactly this spec, sorted."""
        return sorted(unquote(path.stem) for path in self._folder(dataset, spec).glob("[!.]*.h5"))

    def specs(self, dataset: str, stream: str) -> list[StreamSpec]:
        """Every spec under which records of that stream exist."""
        return [row.spec for row in self.contents() if row.dataset == dataset and row.spec.stream == stream]

    def contents(self) -> list[StreamSummary]:
        """What the store holds, one row per dataset, stream and spec."""
        rows = []
        for folder in self._stream_folders():
            paths = sorted(folder.glob("[!.]*.h5"))
            spec = next(filter(None, map(_spec_of, paths)), None)
            if spec is not None:
                size = sum(path.stat().st_size for path in paths)
                rows.append(StreamSummary(unquote(folder.parent.name), spec, len(paths), size))
        return rows

    def _stream_folders(self) -> Iterator[Path]:
        for folder in sorted(self.root.glob("*/*")):
            if folder.is_dir() and STREAM_FOLDER.fullmatch(folder.name):
                yield folder

    def read(self, dataset: str, video_id: str, spec: StreamSpec, *, steps: slice = slice(None)) -> Record:
        """The record, or its time steps `steps` alone.

        Raises `SpecMismatch` if the video has the stream under other specs only, else `StoreError`.
        """
        path = self.path(dataset, video_id, spec)
        if not path.is_file():
            raise self._absence(dataset, video_id, spec)
        return read_record(path, steps=steps)

    def map(self, dataset: str, video_id: str, spec: StreamSpec) -> MappedRecord:
        """The record with its features left on disk: for streams that memory does not hold.

        Raises as `read`, but for damaged features, which `verify` finds.
        """
        path = self.path(dataset, video_id, spec)
        if not path.is_file():
            raise self._absence(dataset, video_id, spec)
        return map_record(path)

    def _absence(self, dataset: str, video_id: str, spec: StreamSpec) -> StoreError:
        others = [other for other in self.specs(dataset, spec.stream) if self.has(dataset, video_id, other)]
        if not others:
            return StoreError(
                f"{self.root} has no {spec.stream} of {dataset} video {video_id!r}: "
                f"run `aqa extract --dataset {dataset} --streams {spec.stream} --store {self.root}`."
            )
        shown = "\n".join(
            f"  wanted {spec.hash}, stored {other.hash}: {'; '.join(spec.differences(other))}"
            for other in others
        )
        return SpecMismatch(
            f"the {spec.stream} of {dataset} video {video_id!r} were made another way (wanted != stored):\n"
            f"{shown}\nExtract again with the wanted settings, or ask for the stored ones."
        )

    def write(self, record: Record) -> Path:
        """Writes the record whole, replacing an older one; raises `StoreError` if the disk refuses."""
        path = self.path(record.dataset, record.video_id, record.spec)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(
                self.root / "store.json", json.dumps({"schema": SCHEMA}).encode(), only_if_absent=True
            )
            write_whole(path, _to_hdf5(record))
        except OSError as error:
            raise StoreError(
                f"cannot write {path}: {error.strerror or error}. The store is undamaged; free some space "
                "or name another --store, then run the same command again: it goes on where it stopped."
            ) from error
        return path

    def verify(self) -> Iterator[tuple[Path, Problem | None]]:
        """Checks every record's checksum, place and shapes; yields (path, None) for a sound one."""
        for folder in self._stream_folders():
            for path in sorted(folder.iterdir()):
                yield path, self._problem(path)

    def _problem(self, path: Path) -> Problem | None:
        if path.name.endswith(".part"):
            return Problem(path, "left over from an interrupted write; safe to delete")
        try:
            record = read_record(path)
        except StoreError as error:
            return Problem(path, str(error))
        if self.path(record.dataset, record.video_id, record.spec) != path:
            return Problem(path, f"holds {record}: it does not belong in this place")
        return None

    def remove_leftovers(self) -> None:
        """Deletes temporary files whose writer on this machine no longer runs."""
        for part in self.root.glob("**/.*.part"):
            host, pid = part.name.split("@")[-2:]
            if host == socket.gethostname() and not _is_running(int(pid.removesuffix(".part"))):
                part.unlink(missing_ok=True)


def file_name(text: str) -> str:
    """Any id as one safe file name, reversible by `urllib.parse.unquote`: '../x' -> '%2E%2E%2Fx'."""
    encoded = quote(text, safe=" ")
    encoded = encoded.replace(".", "%2E") if encoded.startswith(".") else encoded
    if len(encoded) > 200:
        raise StoreError(f"the id {text[:40]!r}... is too long for a file name ({len(encoded)} > 200 bytes).")
    return encoded


def write_whole(path: Path, content: bytes, *, only_if_absent: bool = False) -> None:
    """Writes under a temporary name, syncs and moves in place, so that `path` is never seen half-written."""
    if only_if_absent and path.exists():
        return
    part = path.with_name(f".{path.name}@{socket.gethostname()}@{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_record(path: Path, *, steps: slice = slice(None)) -> Record:
    """One record from its file. A whole read checks the checksum; raises `StoreError` for a broken file."""
    with _opened(path) as file:
        return _from_hdf5(file, steps)


def map_record(path: Path) -> MappedRecord:
    """One record from its file, features left there; raises `StoreError` for a broken file."""
    with _opened(path) as file:
        header = _from_hdf5(file, slice(0, 0))
        small = {name: _dataset(file, name)[:] for name in _dataset_names(file) if name != "features"}
        return MappedRecord(
            spec=header.spec,
            features=_mapped(path, _dataset(file, "features")),
            pts_seconds=small.pop("pts_seconds"),
            extras={name.removeprefix("extras/"): array for name, array in small.items()},
            checksum=file.attrs["content_sha256"],
        )


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The record's file; whatever is wrong with it is a `StoreError`."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{path} is not a sound record ({error}): delete it and run the extraction again."
        ) from error


def _mapped(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    """The dataset as a view of the file's own bytes: they lie there in one piece, uncompressed."""
    if not dataset.size:
        return np.empty(dataset.shape, dataset.dtype)
    offset = dataset.id.get_offset()
    if offset is None:
        raise ValueError(f"{dataset.name} does not lie in one piece")
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)


def _to_hdf5(record: Record) -> bytes:
    """The record as the bytes of an HDF5 file; equal records give equal bytes."""
    image = io.BytesIO()
    with h5py.File(image, "w", libver="v110") as file:
        for name, array in _arrays(record).items():
            file.create_dataset(name, data=array)
        file.attrs.update(
            schema=SCHEMA,
            dataset=record.dataset,
            video_id=record.video_id,
            stream=record.spec.stream,
            spec=record.spec.to_json(),
            spec_hash=record.spec.hash,
            source_sha256=record.source_digest,
            counts=json.dumps(dict(record.counts), sort_keys=True),
            libraries=json.dumps(_library_versions(), sort_keys=True),
            content_sha256=_checksum(record),
        )
    return image.getvalue()


def _from_hdf5(file: h5py.File, steps: slice) -> Record:
    attrs = file.attrs
    if attrs["schema"] != SCHEMA:
        raise StoreError(
            f"{file.filename} has schema {attrs['schema']}, expected {SCHEMA}: extract it again."
        )
    arrays = {name: _dataset(file, name)[steps] for name in _dataset_names(file)}
    record = Record(
        dataset=attrs["dataset"],
        video_id=attrs["video_id"],
        spec=StreamSpec.from_json(attrs["spec"]),
        features=arrays.pop("features"),
        pts_seconds=arrays.pop("pts_seconds"),
        source_digest=attrs["source_sha256"],
        extras={name.removeprefix("extras/"): array for name, array in arrays.items()},
        counts=json.loads(attrs["counts"]),
    )
    if steps == slice(None) and _checksum(record) != attrs["content_sha256"]:
        raise StoreError(
            f"{file.filename}: the content does not match its checksum; delete it and extract again."
        )
    return record


def _dataset_names(file: h5py.File) -> list[str]:
    extras = [f"extras/{name}" for name in file["extras"]] if "extras" in file else []
    return ["features", "pts_seconds", *extras]


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """The named dataset, if it lies in this very file: links may point anywhere on the reader's disk."""
    if not isinstance(file.get(name, getlink=True), h5py.HardLink) or file[name].external:
        raise ValueError(f"{name} points outside the file")
    return file[name]


def _arrays(record: Record) -> dict[str, np.ndarray]:
    extras = {f"extras/{name}": array for name, array in sorted(record.extras.items())}
    return {"features": record.features, "pts_seconds": record.pts_seconds, **extras}


def _checksum(record: Record) -> str:
    """SHA-256 over everything that the record says, in one fixed order."""
    facts = [
        record.dataset,
        record.video_id,
        record.spec.to_json(),
        record.source_digest,
        dict(record.counts),
    ]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in _arrays(record).items():
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _library_versions() -> Mapping[str, str]:
    versions = {}
    for name in VERSIONED_LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return versions


def _spec_of(path: Path) -> StreamSpec | None:
    """The spec in that record, or None if it cannot be read (`verify` tells why)."""
    try:
        with h5py.File(path, "r") as file:
            return StreamSpec.from_json(file.attrs["spec"])
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError):
        return None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
