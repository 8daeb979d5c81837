"""Features that were extracted elsewhere, as records that a run can score: `aqa score --features`.

A file holds the features of one video: one array (.npy, .csv, .npz), or one array per stream, with the
stream's name (.npz). A file of several videos holds one array per video id. A folder holds one file per
video, or one folder per stream with one file per video.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from aqa_pipeline.errors import AqaError, DatasetError, RunError
from aqa_pipeline.importing.feature_files import (
    READERS,
    Arrays,
    array_digest,
    check_features,
    file_digest,
    files_of_features,
    only_array,
    read_features,
)
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from heads.data.streams import LARGE_STREAMS
from heads.scoring.ensemble import Ensemble

DATASET = "given"


@dataclass(frozen=True, eq=False)
class Features:
    """One stream's features of one video (time, dim), and the SHA-256 of their file or array."""

    array: np.ndarray
    digest: str


@dataclass(frozen=True, eq=False)
class ExternalVideo:
    """A video with features from elsewhere; `read` returns them by stream, or raises `AqaError`."""

    video_id: str
    path: Path
    read: Callable[[], Mapping[str, Features]]


@dataclass(frozen=True)
class StepSeconds:
    """The duration of a row of features, by stream name; "" is for all others. Default: the run's."""

    by_stream: Mapping[str, float]

    def check(self, streams: Sequence[str]) -> None:
        """Raise `RunError` if the seconds of another stream than these are given."""
        if unknown := sorted(set(self.by_stream) - {*streams, ""}):
            raise RunError(
                f"the run reads {', '.join(streams)}, but step seconds are given for {', '.join(unknown)}."
            )

    def of(self, spec: StreamSpec) -> float:
        """Return the seconds of a row; raise `RunError` if neither the caller nor the run states them."""
        chosen = self.by_stream.get(spec.stream, self.by_stream.get("", _seconds_in_spec(spec)))
        if chosen is None:
            raise RunError(
                f"the run does not state how long a row of {spec.stream} lasts: state it with --step-seconds "
                f"{spec.stream}=SECONDS."
            )
        return chosen


def _seconds_in_spec(spec: StreamSpec) -> float | None:
    facts = typed_facts(spec)
    if isinstance(facts.step_seconds, float):
        return facts.step_seconds
    if facts.frames_per_step is None or facts.rate_fps is None:
        return None
    return facts.frames_per_step / facts.rate_fps


def find_external(path: Path, ensemble: Ensemble) -> list[ExternalVideo]:
    """Return the videos whose features `path` holds; raise `AqaError` if it holds none for this run."""
    _check_features(ensemble)
    streams = tuple(ensemble.specs)
    found = _in_folder(path, streams) if path.is_dir() else _in_file(path, streams)
    if not found:
        raise DatasetError(
            f"no file of features in {path}: expected one per video ({', '.join(READERS)})"
            + (f", in a folder for each of {', '.join(streams)}." if len(streams) > 1 else ".")
        )
    return found


def _check_features(ensemble: Ensemble) -> None:
    if large := [stream for stream in ensemble.specs if stream in LARGE_STREAMS]:
        raise RunError(
            f"the run {ensemble.run_dir} reads {', '.join(large)}, which files of features do not "
            "hold: score videos."
        )


def arrays_as_video(arrays: Mapping[str, ArrayLike] | ArrayLike, ensemble: Ensemble) -> ExternalVideo:
    """Return features in memory as a video: an array (time, dim) per stream name, or one array.

    Raises `RunError` for a run that reads maps or pictures, and for one array where the run reads several
    streams.
    """
    _check_features(ensemble)
    streams = tuple(ensemble.specs)
    if not isinstance(arrays, Mapping):
        if len(streams) > 1:
            raise RunError(f"the run reads {', '.join(streams)}: give one array for each, by name.")
        arrays = {streams[0]: arrays}
    if unknown := sorted(set(arrays) - set(streams)):
        raise RunError(f"the run reads {', '.join(streams)}, not {', '.join(unknown)}.")
    by_stream = {stream: np.asarray(array) for stream, array in arrays.items()}
    return ExternalVideo("array", Path("array"), lambda: _with_digests(by_stream, list(by_stream)))


def _in_folder(folder: Path, streams: Sequence[str]) -> list[ExternalVideo]:
    by_stream = {stream: _by_id(folder / stream) for stream in streams if (folder / stream).is_dir()}
    if not by_stream:
        files = _by_id(folder)
        return [ExternalVideo(name, file, partial(_read_one, file, streams)) for name, file in files.items()]
    ids = sorted({video_id for files in by_stream.values() for video_id in files})
    return [
        ExternalVideo(video_id, _first(by_stream, video_id), partial(_read_each, by_stream, video_id))
        for video_id in ids
    ]


def _first(by_stream: Mapping[str, Mapping[str, Path]], video_id: str) -> Path:
    """Return the video's file in the first stream that has one."""
    return next(files[video_id] for files in by_stream.values() if video_id in files)


def _by_id(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in files_of_features(folder):
        if path.stem in files:
            raise DatasetError(f"{path} and {files[path.stem].name} belong to one video: keep one of them.")
        files[path.stem] = path
    return files


def _read_each(by_stream: Mapping[str, Mapping[str, Path]], video_id: str) -> dict[str, Features]:
    files = {stream: of_stream[video_id] for stream, of_stream in by_stream.items() if video_id in of_stream}
    return {stream: Features(only_array(path), file_digest(path)) for stream, path in files.items()}


def _read_one(path: Path, streams: Sequence[str]) -> dict[str, Features]:
    content = read_features(path)
    if isinstance(content, dict) and set(streams) <= set(content):
        return _with_digests(content, streams)
    if len(streams) > 1:
        raise DatasetError(
            f"the run reads {', '.join(streams)}: expected an .npz file with an array for each, named so, or "
            f"a folder for each with one file per video; got {_description(content)}."
        )
    return {streams[0]: Features(only_array(path), file_digest(path))}


def _with_digests(arrays: Arrays, names: Sequence[str]) -> dict[str, Features]:
    return {name: Features(arrays[name], array_digest(arrays[name])) for name in names}


def _description(content: np.ndarray | Arrays) -> str:
    if isinstance(content, dict):
        return f"arrays named {', '.join(list(content)[:5])}"
    return f"one array {content.shape}"


def _in_file(path: Path, streams: Sequence[str]) -> list[ExternalVideo]:
    """Return one video, or each video of a file that holds an array per video id, for a run of one stream."""
    content = read_features(path)
    many = isinstance(content, dict) and len(content) > 1 and len(streams) == 1
    if not many or streams[0] in content:
        return [ExternalVideo(path.stem, path, partial(_read_one, path, streams))]
    assert isinstance(content, dict), "many arrays are named"
    (stream,) = streams
    return [
        ExternalVideo(video_id, path, partial(_of_many, stream, array)) for video_id, array in content.items()
    ]


def _of_many(stream: str, array: np.ndarray) -> dict[str, Features]:
    return {stream: Features(array, array_digest(array))}


def external_records(video: ExternalVideo, ensemble: Ensemble, seconds: StepSeconds) -> dict[str, Record]:
    """Return the video's features as records of the run; raise `AqaError` if they do not fit the run.

    The files state neither times nor how the features were made. Rows are taken to follow each other from
    0 s without a gap, and to have the run's specs.
    """
    given = video.read()
    records = {}
    for stream, spec in ensemble.specs.items():
        if stream not in given:
            raise RunError(f"the run reads {', '.join(ensemble.specs)}; no {stream} of this video was given.")
        features = given[stream]
        try:
            check_features(features.array)
            _check_shape(features.array, spec, dim=ensemble.config.streams[stream].dim)
        except AqaError as error:
            raise DatasetError(f"{stream}: {error}") from error
        ends = seconds.of(spec) * np.arange(len(features.array) + 1)
        records[stream] = Record(
            dataset=DATASET,
            video_id=video.video_id,
            spec=spec,
            features=np.array(features.array, dtype=np.float32),  # a copy: a mapped file cannot be written
            pts_seconds=np.stack([ends[:-1], ends[1:]], axis=1),
            source=Source(features.digest),
            counts={"num_steps": len(features.array)},
        )
    return records


def _check_shape(array: np.ndarray, spec: StreamSpec, *, dim: int) -> None:
    views = (len(spec.views),) if spec.views else ()
    if array.ndim != 2 + len(views) or array.shape[1:] != (*views, dim):
        wanted = ", ".join(["time", *(f"{number} views" for number in views), str(dim)])
        raise DatasetError(f"it has the shape {array.shape}: the run was trained on ({wanted}).")
