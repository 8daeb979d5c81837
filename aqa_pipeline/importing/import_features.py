"""Features that others extracted and pass around, taken into the store; no code of theirs runs.

Two layouts are known: folders with one file per video (`<video id>.npy`, .npz, .csv or .txt, (time, dim)), as
ACTION-NET's and GDLT's authors give them out and JIGSAWS its kinematics, and files with the arrays of many
videos by id: what numpy saved of a dict, as in PAMFN, an .npz, or a table with a column `video`. The spec
says `imported`, and which files: with other files it is another stream.

Nothing in these files tells time, so the times are nominal: rows follow each other from 0 without a gap.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from aqa_pipeline.errors import AqaError, DatasetError, StoreError
from aqa_pipeline.importing.feature_files import (
    READERS,
    array_digest,
    check_features,
    file_digest,
    files_of_features,
    only_array,
    read_features,
)
from aqa_pipeline.importing.match_names import match_names
from aqa_pipeline.importing.step_lengths import StepLengths
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec
from aqa_pipeline.store import Store

Layout = Literal["folder", "files"]
STREAM_NAME = re.compile(r"[a-z][a-z0-9_-]*")
STORED_DTYPE = "float32"


@dataclass(frozen=True)
class FeatureFiles:
    """Where one stream's features lie: in a `folder` or several, or in `files` of many videos each.

    `steps` tells the nominal length of a row. `dim` is what a row must have; None takes the usual one.
    """

    stream: str
    layout: Layout
    paths: tuple[Path, ...]
    backbone: str = "unknown"
    steps: StepLengths = field(default_factory=StepLengths)
    dim: int | None = None

    def __post_init__(self) -> None:
        if not STREAM_NAME.fullmatch(self.stream):
            raise DatasetError(
                f"stream {self.stream!r} is no name for a stream: expected small letters, digits, - and _."
            )


def dynamic_features(folder: Path) -> FeatureFiles:
    """ACTION-NET's `dynamic_feat`: I3D features of 16-frame segments at 5 frames a second."""
    return FeatureFiles("segments", "folder", (folder,), backbone="i3d", steps=StepLengths(16 / 5), dim=1024)


def static_features(folder: Path) -> FeatureFiles:
    """ACTION-NET's `static_feat`: ResNet-50 features of one person crop a second.

    Seconds without a person are left out, nobody knows which: every later row's nominal time is too early.
    """
    return FeatureFiles("crops", "folder", (folder,), backbone="resnet50", dim=2048)


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


@dataclass(frozen=True)
class _Entry:
    """One video's features, not read yet. `digest` is the SHA-256 of the file or, in a dict, of the array."""

    where: str
    read: Callable[[], np.ndarray]
    digest: Callable[[], str]


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
    entries = LAYOUTS[source.layout](source)
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


def _folder_entries(source: FeatureFiles) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for path in [path for folder in source.paths for path in _some_files(folder)]:
        if path.stem in entries:
            raise DatasetError(f"{path} is in {entries[path.stem].where} too: keep one of them.")
        entries[path.stem] = _Entry(str(path), partial(only_array, path), partial(file_digest, path))
    return entries


def _some_files(folder: Path) -> list[Path]:
    paths = files_of_features(folder)
    if not paths:
        raise DatasetError(f"no {' or '.join(READERS)} file in {folder}: expected one <video id> per video.")
    return paths


def _file_entries(source: FeatureFiles) -> dict[str, _Entry]:
    entries: dict[str, _Entry] = {}
    for path in source.paths:
        content = read_features(path)
        if not isinstance(content, dict):
            raise DatasetError(
                f"{path} is one array {content.shape}: expected the arrays of many videos by id (.npz, what "
                "numpy.save writes of a dict, or a table with a column video). Files of one video each go "
                "into a folder, which is named instead."
            )
        for video_id, array in content.items():
            where = f"{path}[{video_id!r}]"
            if video_id in entries:
                raise DatasetError(f"{where} is in {entries[video_id].where} too: name only one of them.")
            entries[video_id] = _Entry(where, partial(_same, array), partial(array_digest, array))
    return entries


def _same(array: np.ndarray) -> np.ndarray:
    return array


LAYOUTS: Mapping[Layout, Callable[[FeatureFiles], dict[str, _Entry]]] = {
    "folder": _folder_entries,
    "files": _file_entries,
}


def _examine(
    source: FeatureFiles, entries: Mapping[str, _Entry], *, progress: Callable[[int], None]
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
    return StreamSpec(
        source.stream,
        {
            "imported": source.layout,
            "backbone": source.backbone,
            "dim": next(iter(sound.values()))[0],
            "step_seconds": source.steps.fact,
            "times": "nominal",
            "files_sha256": hashlib.sha256(lines.encode()).hexdigest(),
            "dtype": STORED_DTYPE,
        },
    )


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
