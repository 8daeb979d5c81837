"""The feature store: what a stage asks for by dataset, video and spec, wherever the records lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from aqa_pipeline.disk.files import file_name
from aqa_pipeline.errors import SpecMismatch, StoreError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store.content import MappedRecord, Stored
from aqa_pipeline.store.folder import ENDING, RecordFolder
from aqa_pipeline.store.hdf5 import library_versions, map_group, read_group, read_source, read_spec
from aqa_pipeline.store.origin import Origin, read_origin
from aqa_pipeline.store.pack import PackedRecords
from aqa_pipeline.store.places import Place, Problem, RecordName, StreamName


@dataclass(frozen=True)
class StreamSummary:
    """One row of `aqa store ls`."""

    dataset: str
    spec: StreamSpec
    num_records: int
    num_bytes: int


class Store:
    """Reads and writes the records under one folder, or reads those of one packed file.

    With `verify`, every record is compared with its checksum before a part of it is read or it is mapped;
    a record that is read whole always is.
    Raises `StoreError` if the folder is a store of another schema, or holds something else.
    """

    def __init__(self, root: Path, *, verify: bool = False) -> None:
        self.root = Path(root)
        self._place = _place_at(self.root)
        self._verified: set[RecordName] | None = set() if verify else None

    def __len__(self) -> int:
        """Return the number of records."""
        return sum(row.num_records for row in self.contents())

    def __iter__(self) -> Iterator[tuple[str, str, StreamSpec]]:
        """Yield the key of each record: dataset, video id, spec."""
        for row in self.contents():
            for video_id in self.video_ids(row.dataset, row.spec):
                yield row.dataset, video_id, row.spec

    def __getitem__(self, key: tuple[str, str, str | StreamSpec]) -> Record:
        """Return the record of (dataset, video id, stream); a spec instead of a stream's name is exact.

        Raises `StoreError` if there is none, or if the video has the stream under several specs.
        """
        dataset, video_id, stream = key
        if isinstance(stream, StreamSpec):
            return self.read(dataset, video_id, stream)
        stored = [spec for spec in self.specs(dataset, stream) if self.has(dataset, video_id, spec)]
        if not stored:
            raise self._absence(dataset, video_id, StreamSpec(stream, {}))
        if len(stored) > 1:
            shown = "\n".join(f"  {spec.hash}: {spec.in_words}" for spec in stored)
            raise StoreError(
                f"{self.root} has {stream!r} of {dataset} video {video_id!r} made in {len(stored)} ways:\n"
                f"{shown}\nName one by its spec: `store.specs({dataset!r}, {stream!r})` lists them."
            )
        return self.read(dataset, video_id, stored[0])

    def __repr__(self) -> str:
        records, datasets = counted(len(self), "record"), counted(len(self.datasets()), "dataset")
        return f"Store({self.root}: {records} of {datasets})"

    def path(self, dataset: str, video_id: str, spec: StreamSpec) -> Path:
        """Where that record is, or would be. Ids are percent-encoded: no id can leave its folder."""
        return self._place.path(RecordName.of(dataset, video_id, spec))

    def has(self, dataset: str, video_id: str, spec: StreamSpec) -> bool:
        """Whether that record is there, hence complete."""
        return self._place.has(RecordName.of(dataset, video_id, spec))

    def video_ids(self, dataset: str, spec: StreamSpec) -> list[str]:
        """Ids with a record of exactly this spec, sorted."""
        return sorted(map(unquote, self._place.videos(StreamName.of(dataset, spec))))

    def specs(self, dataset: str, stream: str) -> list[StreamSpec]:
        """Every spec under which records of that stream exist."""
        found = (self._spec_of(name, self._place.videos(name)) for name in self._streams(dataset, stream))
        return [spec for spec in found if spec is not None]

    def datasets(self) -> list[str]:
        """Names of the datasets with records, sorted."""
        return sorted({unquote(name.dataset) for name in self._place.streams()})

    def origin(self, dataset: str) -> Origin | None:
        """Where that dataset's features were made from; None where nothing says so, as in a packed store."""
        return None if self.root.is_file() else read_origin(self.root, dataset)

    def contents(self) -> list[StreamSummary]:
        """Return what the store holds, one row per dataset, stream and spec."""
        rows = []
        for name in self._place.streams():
            videos = self._place.videos(name)
            if spec := self._spec_of(name, videos):
                size = self._place.num_bytes(name)
                rows.append(StreamSummary(unquote(name.dataset), spec, len(videos), size))
        return rows

    def _streams(self, dataset: str, stream: str) -> Iterator[StreamName]:
        for name in self._place.streams(file_name(dataset)):
            if name.stream.rpartition("-")[0] == file_name(stream):
                yield name

    def _spec_of(self, name: StreamName, videos: list[str]) -> StreamSpec | None:
        """Return the spec of these records, by the first that can be read; `verify` tells of the others."""
        for video in videos:
            try:
                with self._place.group(RecordName(*name, video)) as group:
                    spec = read_spec(group)
            except StoreError:
                continue
            if StreamName.of(unquote(name.dataset), spec) == name:
                return spec
        return None

    def read(self, dataset: str, video_id: str, spec: StreamSpec, *, steps: slice = slice(None)) -> Record:
        """Return the record, or its time steps `steps` alone.

        Raises `SpecMismatch` if the video has the stream under other specs only, else `StoreError`.
        """
        name = self._checked_name(dataset, video_id, spec, whole=steps == slice(None))
        return self._read(name, steps=steps).record

    def source(self, dataset: str, video_id: str, spec: StreamSpec) -> Source:
        """Return what that record was made from, its arrays not read; raises as `read`."""
        with self._place.group(self._checked_name(dataset, video_id, spec)) as group:
            return read_source(group)

    def change_source(self, dataset: str, video_id: str, spec: StreamSpec, source: Source) -> None:
        """Write the record again with that source, nothing else changed; raises as `read` and `write`."""
        stored = self._read(self._checked_name(dataset, video_id, spec))
        self.write_stored(replace(stored, record=replace(stored.record, source=source)))

    def map(self, dataset: str, video_id: str, spec: StreamSpec) -> MappedRecord:
        """Return the record with its features left on disk: for streams that memory does not hold.

        Raises as `read`; damaged features are found by `verify` only, the method or the option.
        """
        name = self._checked_name(dataset, video_id, spec)
        with self._place.group(name) as group:
            return map_group(group)

    def stored(self) -> Iterator[tuple[RecordName, Callable[[], Stored]]]:
        """Each record's name, in order, and how to read it as it lies there."""
        for stream in self._place.streams():
            for video in sorted(self._place.videos(stream)):
                name = RecordName(*stream, video)
                yield name, lambda name=name: self._read(name)  # type: ignore[misc]

    def _read(self, name: RecordName, *, steps: slice = slice(None)) -> Stored:
        with self._place.group(name) as group:
            stored = read_group(group, steps=steps)
            record = stored.record
            if RecordName.of(record.dataset, record.video_id, record.spec) != name:
                raise StoreError(f"it holds {record}, which does not belong in this place")
        return stored

    def _checked_name(
        self, dataset: str, video_id: str, spec: StreamSpec, *, whole: bool = False
    ) -> RecordName:
        """Return the record's name if it is there and, where that is asked for, sound."""
        name = RecordName.of(dataset, video_id, spec)
        if not self._place.has(name):
            raise self._absence(dataset, video_id, spec)
        if self._verified is not None and not whole and name not in self._verified:
            self._read(name)
            self._verified.add(name)
        return name

    def _absence(self, dataset: str, video_id: str, spec: StreamSpec) -> StoreError:
        others = [other for other in self.specs(dataset, spec.stream) if self.has(dataset, video_id, other)]
        if not others:
            origin = self.origin(dataset)
            where = f"{origin.adapter} --root {origin.root} --name {dataset}" if origin else dataset
            return StoreError(
                f"{self.root} has no {spec.stream} of {dataset} video {video_id!r}: "
                f"run `aqa extract --dataset {where} --streams {spec.stream} --store {self.root}`."
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
        """Write the record whole, replacing an older one; raises `StoreError` if the disk refuses."""
        return self.write_stored(Stored(record, libraries=library_versions()))

    def write_stored(self, stored: Stored) -> Path:
        """As `write`, of a record that was made elsewhere."""
        record = stored.record
        return self._place.write(RecordName.of(record.dataset, record.video_id, record.spec), stored)

    def verify(self) -> Iterator[tuple[Path, Problem | None]]:
        """Check every record's bytes, content and place; yields (path, None) for a sound one."""
        return self._place.problems()

    def remove_leftovers(self) -> None:
        """Delete temporary files whose writer on this machine no longer runs."""
        self._place.remove_left_over()


def _place_at(root: Path) -> Place:
    try:
        is_file, is_folder, exists = root.is_file(), root.is_dir(), root.exists()
    except OSError as error:  # a name that no file system takes
        raise StoreError(f"there can be no store at {str(root)[:200]}: {error.strerror}.") from error
    if is_file:
        return PackedRecords(root)
    if exists and not is_folder:
        raise StoreError(f"there is no store at {root}: it is neither a folder nor a file.")
    if root.suffix == ENDING and not exists:
        raise StoreError(f"there is no packed store at {root}; a store to write is a folder, no {ENDING}.")
    return RecordFolder(root)
