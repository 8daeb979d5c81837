"""From a store to one file for sharing and back, and to plain arrays for other programs."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import numpy as np

from aqa_pipeline.disk.files import clear_left_overs, file_name, write_whole
from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record
from aqa_pipeline.store.content import Stored, arrays_of, facts_of
from aqa_pipeline.store.feature_store import Store
from aqa_pipeline.store.folder import ENDING
from aqa_pipeline.store.pack import write_pack
from aqa_pipeline.store.places import Problem, RecordName

Layout = Literal["npy", "safetensors"]


@dataclass(frozen=True)
class Unpacked:
    """What an unpacking did. Of a damaged pack the sound records come out.

    Of the records that were there already, `num_other` were made from something else than those in the pack.
    """

    num_written: int
    num_already_there: int
    num_other: int
    broken: tuple[Problem, ...]


def pack(
    store: Store,
    path: Path,
    *,
    datasets: Sequence[str] = (),
    streams: Sequence[str] = (),
    progress: Callable[[], None] = lambda: None,
) -> int:
    """Write the store's records, or those of some datasets and streams, into one file; how many.

    Each is compared with its checksum. Raises `StoreError` if the file exists, if there is nothing to pack,
    and for a broken record: then nothing is left behind.
    """
    if path.suffix != ENDING:
        raise StoreError(f"a packed store is named *{ENDING}, got {path}.")
    if path.exists():
        raise StoreError(f"{path} is there already: delete it, or name another --out.")
    chosen = _chosen(store, datasets, streams)
    write_pack(path, chosen, progress=progress)
    return len(chosen)


def export(
    store: Store,
    folder: Path,
    *,
    layout: Layout,
    datasets: Sequence[str] = (),
    streams: Sequence[str] = (),
    progress: Callable[[], None] = lambda: None,
) -> int:
    """Write one plain file per record, `<dataset>/<stream>-<spec hash>/<video id>.<layout>`; how many.

    `npy` holds the features alone, `safetensors` all arrays and, as metadata, what made them. Files that are
    there are replaced. Raises `StoreError` for a broken record, and if the disk refuses.
    """
    chosen = _chosen(store, datasets, streams)
    for target in {folder / name.dataset / name.stream for name, _ in chosen}:
        clear_left_overs(target)
    for name, read in chosen:
        path = folder / name.dataset / name.stream / f"{name.video}.{layout}"
        content = LAYOUTS[layout](read().record)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror or error}.") from error
        progress()
    return len(chosen)


def _npy(record: Record) -> bytes:
    file = io.BytesIO()
    np.save(file, record.features, allow_pickle=False)
    return file.getvalue()


def _safetensors(record: Record) -> bytes:
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in arrays_of(record).items()}
    names = {"dataset": record.dataset, "video_id": record.video_id, "spec": record.spec.to_json()}
    facts = {name: json.dumps(fact, sort_keys=True) for name, fact in facts_of(record).items()}
    return save(arrays, metadata=names | facts)


LAYOUTS: Mapping[Layout, Callable[[Record], bytes]] = {"npy": _npy, "safetensors": _safetensors}


def _chosen(
    store: Store, datasets: Sequence[str], streams: Sequence[str]
) -> list[tuple[RecordName, Callable[[], Stored]]]:
    found = [
        (name, read)
        for name, read in store.stored()
        if (not datasets or unquote(name.dataset) in datasets)
        and (not streams or name.stream.rpartition("-")[0] in map(file_name, streams))
    ]
    if not found:
        raise StoreError(f"{store.root} has no features of that kind: see `aqa store ls {store.root}`.")
    return found


def unpack(packed: Store, into: Store, *, progress: Callable[[], None] = lambda: None) -> Unpacked:
    """Write the sound records of one store into another; what is there already stays.

    Raises `StoreError` if the disk refuses, or if simulated features would lie beside real ones.
    """
    _check_unmixed(packed, into)
    num_written, num_already_there, num_other, broken = 0, 0, 0, []
    for name, read in packed.stored():
        progress()
        try:
            stored = read()
        except StoreError as error:
            broken.append(Problem(packed.root.joinpath(*name), str(error), kind="damaged"))
            continue
        record = stored.record
        if into.has(record.dataset, record.video_id, record.spec):
            num_already_there += 1
            there = into.source(record.dataset, record.video_id, record.spec)
            num_other += not there.is_as(record.source)
        else:
            into.write_stored(stored)
            num_written += 1
    return Unpacked(num_written, num_already_there, num_other, tuple(broken))


def _check_unmixed(packed: Store, into: Store) -> None:
    there = {(row.dataset, row.spec.simulated) for row in into.contents()}
    mixed = {row.dataset for row in packed.contents() if (row.dataset, not row.spec.simulated) in there}
    if mixed:
        raise StoreError(
            f"simulated features do not go beside real ones, and {packed.root} and {into.root} hold both of "
            f"{', '.join(sorted(mixed))}: unpack into another folder."
        )
