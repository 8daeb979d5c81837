"""One record as an HDF5 group: the root of a file of its own, or a group among others in a pack.

What is read may come from strangers, and HDF5 is a file system in a file: links and virtual datasets lead to
other files, filters load libraries, a few bytes claim petabytes. We write plain numbers in one piece, so
only these are read, and only as many as the file has bytes.
"""

import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec
from aqa_pipeline.spec_facts import parse_spec
from aqa_pipeline.store.content import MappedRecord, Stored, arrays_of, checksum_of, facts_of
from aqa_pipeline.store.facts import (
    parse_counts,
    parse_events,
    parse_field_of_view,
    parse_footage,
    parse_picture,
    parse_source,
)

SCHEMA = 4
NUMBERS = frozenset("fiub")
MAX_EXTRAS = 100
VERSIONED_LIBRARIES = ("aqa-pipeline", "av", "numpy", "torch", "torchvision")

# What the HDF5 library and a record's own checks raise for bytes that are no record.
UNSOUND = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError, MemoryError)


class OtherSchema(StoreError):
    """A record of another version of this program: not ours to judge."""


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Yield the file, to read. Nothing is locked: files here are replaced whole and never changed."""
    with h5py.File(path, "r", locking=False) as file:
        yield file


def fill(group: h5py.Group, record: Record, *, libraries: str) -> None:
    """Write the record into an empty group. `libraries` are the versions that made it, as JSON."""
    for name, array in arrays_of(record).items():
        group.create_dataset(name, data=array)
    group.attrs["schema"] = SCHEMA
    texts = {
        "dataset": record.dataset,
        "video_id": record.video_id,
        "stream": record.spec.stream,
        "spec": record.spec.to_json(),
        "spec_hash": record.spec.hash,
        **{name: json.dumps(fact, sort_keys=True) for name, fact in facts_of(record).items()},
        "libraries": libraries,
        "content_sha256": checksum_of(record),
    }
    for name, text in texts.items():
        write_text(group, name, text)


def write_text(group: h5py.Group, name: str, text: str) -> None:
    """Write an attribute of fixed length.

    HDF5 keeps others in heaps, which have no checksum, and walks by the sizes that it finds there.
    """
    content = text.encode()
    if b"\0" in content:
        raise StoreError(f"the {name} {text!r} has a zero byte in it, which HDF5 cannot hold.")
    group.attrs.create(name, content, dtype=h5py.string_dtype("utf-8", max(1, len(content))))


def read_group(group: h5py.Group, *, steps: slice = slice(None)) -> Stored:
    """Return the record in that group, or some of its time steps. A whole one is compared with its checksum.

    Raises `OtherSchema`, and `StoreError` or any of `UNSOUND` for what is no sound record.
    """
    _check_schema(group)
    arrays = {name: _dataset(group, name)[steps] for name in _dataset_names(group)}
    record = Record(
        dataset=_text(group, "dataset"),
        video_id=_text(group, "video_id"),
        spec=read_spec(group),
        features=arrays.pop("features"),
        pts_seconds=arrays.pop("pts_seconds"),
        source=read_source(group),
        extras={name.removeprefix("extras/"): array for name, array in arrays.items()},
        counts=parse_counts(_text(group, "counts")),
        events=parse_events(_text(group, "events")),
        pictures=Pictures(
            footage=parse_footage(_text(group, "footage")),
            field_of_view=parse_field_of_view(_text(group, "field_of_view")),
            conversions=parse_picture(_text(group, "picture")),
        ),
    )
    if steps == slice(None) and checksum_of(record) != _text(group, "content_sha256"):
        raise StoreError("the content does not match its checksum")
    return Stored(record, libraries=_text(group, "libraries"))


def _check_schema(group: h5py.Group) -> None:
    schema = attribute_number(group, "schema")
    if schema != SCHEMA:
        raise OtherSchema(f"it has schema {schema}, expected {SCHEMA}: extract it again.")


def map_group(group: h5py.Group) -> MappedRecord:
    """Return the record in that group, features left in the file; raises as `read_group`."""
    header = read_group(group, steps=slice(0, 0)).record
    small = {name: _dataset(group, name)[:] for name in _dataset_names(group) if name != "features"}
    return MappedRecord(
        spec=header.spec,
        features=_mapped(_dataset(group, "features")),
        pts_seconds=small.pop("pts_seconds"),
        extras={name.removeprefix("extras/"): array for name, array in small.items()},
        checksum=_text(group, "content_sha256"),
    )


def is_named(group: h5py.Group, names: Iterable[str]) -> bool:
    """Return whether something has these names. No link is followed: reading it will tell."""
    for name in names:
        if not isinstance(group, h5py.Group) or not group.id.links.exists(name.encode()):
            return False
        if not _is_hard(group, name):
            return True
        group = group[name]
    return True


def _is_hard(group: h5py.Group, name: str) -> bool:
    # h5py's own `in` and `get` look behind links, that is, open other files.
    return bool(group.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD)


def is_of_another_program(path: Path) -> bool:
    """Return whether that is an HDF5 file which says nothing of what a record says."""
    try:
        with opened(path) as file:
            return not {"schema", "spec", "content_sha256"} & set(file.attrs)
    except UNSOUND:
        return False


def read_spec(group: h5py.Group) -> StreamSpec:
    """Return how the record in that group was made. Raise any of `UNSOUND` if the spec does not fit."""
    return parse_spec(_text(group, "spec"))


def read_source(group: h5py.Group) -> Source:
    """Return what the record in that group was made from; raises as `read_group`."""
    _check_schema(group)
    return parse_source(_text(group, "source"))


def num_bytes_of(group: h5py.Group) -> int:
    """How large the arrays of the record in that group are."""
    return sum(_num_bytes(_dataset(group, name)) for name in _dataset_names(group))


def inner_group(group: h5py.Group, name: str) -> h5py.Group:
    """Return the group of that name, if it lies in this very file."""
    found = _own(group, name)
    if not isinstance(found, h5py.Group):
        raise ValueError(f"{name} is no group")
    return found


@cache
def library_versions() -> str:
    """Return the versions that decide what features look like, as JSON."""
    versions = {}
    for name in VERSIONED_LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return json.dumps(versions, sort_keys=True)


def _own(group: h5py.Group, name: str) -> Any:
    """Return what has that name, if no link leads to it: links may point anywhere on the reader's disk."""
    if not group.id.links.exists(name.encode()) or not _is_hard(group, name):
        raise ValueError(f"{name} is missing, or points outside the record")
    return group[name]


def _dataset_names(group: h5py.Group) -> list[str]:
    extras = list(inner_group(group, "extras")) if "extras" in list(group) else []
    if len(extras) > MAX_EXTRAS:
        raise ValueError(f"it has {len(extras)} extras")
    return ["features", "pts_seconds", *(f"extras/{name}" for name in extras)]


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """Return the named dataset, if it is numbers that lie in this very file, in one piece."""
    folder, _, last = name.rpartition("/")
    dataset = _own(inner_group(group, folder) if folder else group, last)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{name} is no array")
    made = dataset.id.get_create_plist()
    plain = made.get_layout() == h5py.h5d.CONTIGUOUS and not made.get_nfilters()
    if not plain or made.get_external_count():
        raise ValueError(f"{name} points outside the file, or is not stored as plain numbers in one piece")
    if dataset.dtype.kind not in NUMBERS or dataset.dtype.shape or not dataset.shape:
        raise ValueError(f"{name} holds {dataset.dtype} {dataset.shape}")
    _check_room(dataset, name)
    return dataset


def _check_room(dataset: h5py.Dataset, name: str) -> None:
    if not (num_bytes := _num_bytes(dataset)):
        return
    offset, end = dataset.id.get_offset(), dataset.file.id.get_filesize()
    if offset is None or offset + num_bytes > end:
        raise ValueError(f"{name} claims {num_bytes:,} bytes in a file of {end:,}")


def _num_bytes(dataset: h5py.Dataset) -> int:
    # Exact: numpy's own product wraps around.
    return math.prod(map(int, dataset.shape)) * dataset.dtype.itemsize


def _mapped(dataset: h5py.Dataset) -> np.ndarray:
    """Return the dataset as a view of the file's own bytes: they lie there in one piece, uncompressed."""
    if not dataset.size:
        return np.empty(dataset.shape, dataset.dtype)
    return np.memmap(
        dataset.file.filename,
        dtype=dataset.dtype,
        mode="r",
        offset=dataset.id.get_offset(),
        shape=dataset.shape,
    )


def _text(group: h5py.Group, name: str) -> str:
    text = _attribute(group, name)
    if not isinstance(text, str | bytes):
        raise TypeError(f"its {name} is a {type(text).__name__}")
    # HDF5 lets through what is no text: either way raises UnicodeError.
    return text.decode() if isinstance(text, bytes) else text.encode().decode()


def attribute_number(group: h5py.Group, name: str) -> int:
    """Return a whole number among the attributes; raise any of `UNSOUND`."""
    number = _attribute(group, name)
    if not isinstance(number, int | np.integer):
        raise TypeError(f"its {name} is a {type(number).__name__}")
    return int(number)


def _attribute(group: h5py.Group, name: str) -> Any:
    attribute = group.attrs.get_id(name)
    if attribute.shape != ():
        raise ValueError(f"its {name} is an array")
    text = h5py.check_string_dtype(attribute.dtype)
    if text is not None and text.length is None:
        raise TypeError(f"its {name} is of variable length, which is not written here")
    if attribute.dtype.kind not in "Siu":
        raise TypeError(f"its {name} is {attribute.dtype}")
    return group.attrs[name]
