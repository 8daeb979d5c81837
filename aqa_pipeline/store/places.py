"""Where records lie: the names of a record in a store, and what a store must be able to do with them."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from aqa_pipeline.disk.files import file_name
from aqa_pipeline.records import StreamSpec

if TYPE_CHECKING:
    import h5py

    from aqa_pipeline.store.content import Stored

STREAM = re.compile(r"(?P<stream>.+)-(?P<hash>[0-9a-f]{12})")
ORIGIN = "dataset.json"  # beside the streams of a dataset
Kind = Literal["damaged", "left over", "unreadable", "foreign"]


class StreamName(NamedTuple):
    """The two names under which a stream's records lie, safe as file names."""

    dataset: str
    stream: str

    @classmethod
    def of(cls, dataset: str, spec: StreamSpec) -> "StreamName":
        """Return the names of the stream that has this spec."""
        return cls(file_name(dataset), f"{file_name(spec.stream)}-{spec.hash}")

    @property
    def is_one(self) -> bool:
        """Return whether the folder has the name of a stream, NAME-HASH."""
        return STREAM.fullmatch(self.stream) is not None


class RecordName(NamedTuple):
    """The three names under which a record lies, safe as file names: no id can leave its folder."""

    dataset: str
    stream: str
    video: str

    @classmethod
    def of(cls, dataset: str, video_id: str, spec: StreamSpec) -> "RecordName":
        """Return the names of the record of that video in the stream of this spec."""
        return cls(*StreamName.of(dataset, spec), file_name(video_id))


@dataclass(frozen=True)
class Problem:
    """One file that is no sound record, and what is wrong with it.

    `damaged`: read, and proven to be no record of this place. `left over`: a write that was interrupted.
    `unreadable`: the disk refused to give its bytes. `foreign`: nothing that this version writes.
    """

    path: Path
    reason: str
    kind: Kind


class Place(Protocol):
    """Where records lie: a folder of files, or one packed file."""

    root: Path

    def path(self, name: RecordName) -> Path:
        """Return where the record lies, or would lie."""
        ...

    def has(self, name: RecordName) -> bool:
        """Return whether the record is there."""
        ...

    def group(self, name: RecordName) -> "AbstractContextManager[h5py.Group]":
        """Open the record's HDF5 group for the time of a block."""
        ...

    def streams(self, dataset: str | None = None) -> Iterator[StreamName]:
        """Yield the names of all streams, or of those of one dataset."""
        ...

    def videos(self, stream: StreamName) -> list[str]:
        """Return the names of the videos that a stream has records of."""
        ...

    def num_bytes(self, stream: StreamName) -> int:
        """Return the size of a stream's records, in bytes."""
        ...

    def write(self, name: RecordName, stored: "Stored") -> Path:
        """Write the record whole and return where it lies."""
        ...

    def problems(self) -> Iterator[tuple[Path, Problem | None]]:
        """Yield every file with its problem, or with None for a sound record."""
        ...

    def remove_left_over(self) -> None:
        """Remove the files of writes that were interrupted."""
        ...
