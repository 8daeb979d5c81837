"""Where features of others lie: folders, files of many videos, and streams joined of several of these.

A folder has one file per video (`<video id>.npy`, .npz, .csv or .txt, (time, dim)), as ACTION-NET's and
GDLT's authors give them out and JIGSAWS its kinematics. A file of many videos has arrays by id: what numpy
saved of a dict, as in PAMFN, an .npz, or a table with a column `video`.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_files import (
    READERS,
    array_digest,
    file_digest,
    files_of_features,
    only_array,
    read_features,
)
from aqa_pipeline.importing.step_lengths import StepLengths

Layout = Literal["folder", "files", "joined"]
STREAM_NAME = re.compile(r"[a-z][a-z0-9_-]*")
MOST_SPARE_ROWS = 1  # of joined streams: a clip at the end may be too short for one of the networks


@dataclass(frozen=True)
class FeatureFiles:
    """Where one stream's features lie: in a `folder` or several, in `files` of many videos each, or `joined`.

    `steps` tells the nominal length of a row. `dim` is what a row must have; None takes the usual one.
    `average_views` takes the mean of arrays (time, view, dim) over the views. A joined stream has the rows of
    its `parts` side by side.
    """

    stream: str
    layout: Layout
    paths: tuple[Path, ...]
    backbone: str = "unknown"
    steps: StepLengths = field(default_factory=StepLengths)
    dim: int | None = None
    average_views: bool = False
    parts: tuple["FeatureFiles", ...] = ()

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
class Entry:
    """Unread features of one video. `digest` is the SHA-256 of the file or, in a dict, of the array."""

    where: str
    read: Callable[[], np.ndarray]
    digest: Callable[[], str]


def joined(stream: str, parts: Sequence[FeatureFiles]) -> FeatureFiles:
    """Return a stream that has the rows of all parts side by side.

    Raises `DatasetError` for fewer than two parts, and for rows of different lengths in seconds.
    """
    if len(parts) < 2:
        raise DatasetError(f"only {len(parts)} stream to join as {stream!r}: expected two or more.")
    if any(part.steps != parts[0].steps for part in parts):
        lengths = ", ".join(f"{part.stream} {part.steps.fact}" for part in parts)
        raise DatasetError(f"streams to join have rows of different lengths in seconds: {lengths}.")
    return FeatureFiles(
        stream,
        "joined",
        (),
        backbone="+".join(part.backbone for part in parts),
        steps=parts[0].steps,
        average_views=any(part.average_views for part in parts),
        parts=tuple(parts),
    )


def find_entries(source: FeatureFiles) -> dict[str, Entry]:
    """Return the features by the names that the source gives them; raise `DatasetError` if there are none."""
    return LAYOUTS[source.layout](source)


def _folder_entries(source: FeatureFiles) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for path in [path for folder in source.paths for path in _some_files(folder)]:
        if path.stem in entries:
            raise DatasetError(f"{path} is in {entries[path.stem].where} too: keep one of them.")
        entries[path.stem] = Entry(
            str(path), _reader(source, partial(only_array, path)), partial(file_digest, path)
        )
    return entries


def _some_files(folder: Path) -> list[Path]:
    paths = files_of_features(folder)
    if not paths:
        raise DatasetError(f"no {' or '.join(READERS)} file in {folder}: expected one <video id> per video.")
    return paths


def _file_entries(source: FeatureFiles) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
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
            entries[video_id] = Entry(
                where, _reader(source, partial(_same, array)), partial(array_digest, array)
            )
    return entries


def _same(array: np.ndarray) -> np.ndarray:
    return array


def _reader(source: FeatureFiles, read: Callable[[], np.ndarray]) -> Callable[[], np.ndarray]:
    return partial(_averaged, read) if source.average_views else read


def _averaged(read: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the mean over the views of (time, view, dim); every other array as it is."""
    array = read()
    if array.ndim != 3 or 0 in array.shape or array.dtype.kind != "f":
        return array
    return np.asarray(array.mean(axis=1, dtype=np.float64), dtype=array.dtype)


def _joined_entries(source: FeatureFiles) -> dict[str, Entry]:
    """Return what all parts have under the same name."""
    parts = [find_entries(part) for part in source.parts]
    common = [name for name in parts[0] if all(name in part for part in parts)]
    if not common:
        streams = ", ".join(part.stream for part in source.parts)
        raise DatasetError(f"no video is named alike in {streams}: they cannot be joined.")
    return {name: _joined([part[name] for part in parts]) for name in common}


def _joined(entries: Sequence[Entry]) -> Entry:
    where = " + ".join(entry.where for entry in entries)
    return Entry(where, lambda: _side_by_side(entries), lambda: _digest(entries))


def _side_by_side(entries: Sequence[Entry]) -> np.ndarray:
    arrays = [entry.read() for entry in entries]
    lengths = [len(array) for array in arrays]
    if max(lengths) - min(lengths) > MOST_SPARE_ROWS:
        raise DatasetError(f"the parts have {lengths} rows: expected as many of each, or one more.")
    return np.concatenate([array[: min(lengths)] for array in arrays], axis=-1)


def _digest(entries: Sequence[Entry]) -> str:
    return hashlib.sha256("\n".join(entry.digest() for entry in entries).encode()).hexdigest()


LAYOUTS: Mapping[Layout, Callable[[FeatureFiles], dict[str, Entry]]] = {
    "folder": _folder_entries,
    "files": _file_entries,
    "joined": _joined_entries,
}
