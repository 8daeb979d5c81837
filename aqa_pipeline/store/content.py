"""What a record says, in one fixed order, and the checksum of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from aqa_pipeline.records import Record, StreamSpec


@dataclass(frozen=True, eq=False)
class MappedRecord:
    """A record whose features stay on disk: `features` is a read-only view of the file, read where touched.

    `checksum`, a SHA-256, stands for all that the record says. Whether the content still fits it is checked
    by `Store.verify`, or when it is mapped, if the store was opened with `verify=True`.
    """

    spec: StreamSpec
    features: np.ndarray
    pts_seconds: np.ndarray
    extras: Mapping[str, np.ndarray]
    checksum: str


@dataclass(frozen=True, eq=False)
class Stored:
    """A record as it lies in a file. `libraries` are the versions that made it, as JSON."""

    record: Record
    libraries: str


def arrays_of(record: Record) -> dict[str, np.ndarray]:
    """Return the record's arrays by their name in the file."""
    extras = {f"extras/{name}": array for name, array in sorted(record.extras.items())}
    return {"features": record.features, "pts_seconds": record.pts_seconds, **extras}


def facts_of(record: Record) -> dict[str, Any]:
    """Return what the record says beside its arrays and its name, by its name in the file; JSON holds it."""
    pictures = record.pictures
    return {
        "source": asdict(record.source),
        "counts": dict(record.counts),
        "picture": dict(pictures.conversions),
        "events": [astuple(event) for event in record.events],
        "footage": asdict(pictures.footage) if pictures.footage else None,
        "field_of_view": pictures.field_of_view,
    }


def checksum_of(record: Record) -> str:
    """SHA-256 over everything that the record says, in one fixed order."""
    facts = [record.dataset, record.video_id, record.spec.to_json(), facts_of(record)]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in arrays_of(record).items():
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
