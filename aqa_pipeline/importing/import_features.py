"""Features that others extracted and pass around, taken into the store; no code of theirs runs.

The spec says `imported`, and which files: with other files it is another stream.

Nothing in these files tells time, so the times are nominal: rows follow each other from 0 without a gap.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from aqa_pipeline.errors import AqaError, DatasetError, StoreError
from aqa_pipeline.importing.feature_files import check_features
from aqa_pipeline.importing.feature_sources import Entry, FeatureFiles, find_entries
from aqa_pipeline.importing.match_names import match_names
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec
from aqa_pipeline.records.stream_spec import SpecValue
from aqa_pipeline.store import Store

STORED_DTYPE = "float32"


@dataclass(frozen=True)
class Failure:
    """What could not be imported, and why."""

    what: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """What an import did. `unknown` are ids that the dataset lacks, `missing` its videos without features.

    `respelled` has the names of features, by video id, that are not the id itself.
    """

    spec: StreamSpec | None
    num_written: int
    num_resumed: int
    failures: tuple[Failure, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    respelled: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every video has its features, and every file its video."""
        return not (self.failures or self.unknown or self.missing)


def import_features(
    dataset: Dataset,
    store: Store,
    source: FeatureFiles,
    *,
    progress: Callable[[int, int], None] = lambda num_done, num_to_do: None,
) -> Imported:
    """Write the features of every video of `dataset` that `source` has soundly; the rest is in the report.

    Records that are there already stay. `progress` gets the steps done and the steps to do.
    Raises `DatasetError` where nothing can be found, and `StoreError` beside simulated features.
    """
    _check_unmixed(store, dataset)
    entries = find_entries(source)
    matched = match_names([video.video_id for video in dataset.videos], entries)
    known = {video_id: entries[name] for video_id, name in matched.names.items()}
    sound, failures = _examine(source, known, progress=lambda done: progress(done, 2 * len(known)))
    spec = _spec(source, sound) if sound else None
    num_written = 0
    for index, (video_id, (_, digest)) in enumerate(sound.items(), start=1):
        if spec and not store.has(dataset.name, video_id, spec):
            features = known[video_id].read()
            seconds = source.steps.of(video_id)
            store.write(
                _record(dataset.name, video_id, spec, features=features, digest=digest, seconds=seconds)
            )
            num_written += 1
        progress(len(known) + index, len(known) + len(sound))
    return Imported(
        spec=spec,
        num_written=num_written,
        num_resumed=len(sound) - num_written,
        failures=(*failures, *(_unclear(video_id, names) for video_id, names in matched.unclear.items())),
        unknown=tuple(sorted(set(entries) - matched.considered)),
        missing=tuple(
            video.video_id
            for video in dataset.videos
            if video.video_id not in matched.names and video.video_id not in matched.unclear
        ),
        respelled=matched.respelled,
    )


def _unclear(video_id: str, names: tuple[str, ...]) -> Failure:
    return Failure(
        video_id,
        f"no features are named so, and {', '.join(names)} could be its: name one of them {video_id}.",
    )


def _check_unmixed(store: Store, dataset: Dataset) -> None:
    if any(row.spec.simulated for row in store.contents() if row.dataset == dataset.name):
        raise StoreError(
            f"{store.root} holds simulated features of {dataset.name}: real ones do not go beside them. "
            "Name another store."
        )


def _examine(
    source: FeatureFiles, entries: Mapping[str, Entry], *, progress: Callable[[int], None]
) -> tuple[dict[str, tuple[int, str]], list[Failure]]:
    """Feature size and digest of every sound entry by id, and why the others are not sound."""
    found: dict[str, tuple[int, str]] = {}
    failures = []
    for index, (video_id, entry) in enumerate(entries.items(), start=1):
        try:
            source.steps.of(video_id)  # raises if the table has no step length of the video
            found[video_id] = (_check_array(entry.read()), entry.digest())
        except (AqaError, OSError) as error:
            failures.append(Failure(entry.where, str(error)))
        progress(index)
    dim = source.dim or _usual_dim(found)
    for video_id, (its_dim, _) in found.items():
        if its_dim != dim:
            failures.append(
                Failure(entries[video_id].where, f"its rows have {its_dim} numbers: expected {dim}.")
            )
    return {v: facts for v, facts in found.items() if facts[0] == dim}, failures


def _check_array(array: np.ndarray) -> int:
    """Return the feature size; raises `DatasetError` for what cannot be features."""
    if array.ndim != 2:
        raise DatasetError(f"it has the shape {array.shape}: expected (time, dim).")
    check_features(array)
    return int(array.shape[1])


def _usual_dim(found: Mapping[str, tuple[int, str]]) -> int:
    sizes = Counter(dim for dim, _ in found.values())
    return sizes.most_common(1)[0][0] if sizes else 0


def _spec(source: FeatureFiles, sound: Mapping[str, tuple[int, str]]) -> StreamSpec:
    """Return the spec of these very files, whatever order they came in."""
    steps = source.steps.by_video
    lines = "\n".join(
        f"{video_id} {digest}" + (f" {steps[video_id]!r}" if steps else "")
        for video_id, (_, digest) in sorted(sound.items())
    )
    facts: dict[str, SpecValue] = {
        "imported": source.layout,
        "backbone": source.backbone,
        "dim": next(iter(sound.values()))[0],
        "step_seconds": source.steps.fact,
        "times": "nominal",
        "files_sha256": hashlib.sha256(lines.encode()).hexdigest(),
        "dtype": STORED_DTYPE,
    }
    if source.average_views:
        facts["average_views"] = True
    return StreamSpec(source.stream, facts)


def _record(
    dataset: str, video_id: str, spec: StreamSpec, *, features: np.ndarray, digest: str, seconds: float
) -> Record:
    start = seconds * np.arange(len(features) + 1)
    return Record(
        dataset=dataset,
        video_id=video_id,
        spec=spec,
        features=np.asarray(features, dtype=STORED_DTYPE),
        pts_seconds=np.stack([start[:-1], start[1:]], axis=1),
        source=Source(digest),
        counts={"num_steps": len(features)},
    )
