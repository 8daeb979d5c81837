"""Statistics of a split's training videos, so that a video unlike them is noticed when it is scored.

`split-NAME/training_statistics.json` holds, of the training videos: how long they were, the largest share of
sampled frames without an athlete, the digests of their files, and per stream the mean and the deviation
over videos of the features averaged over time.

Distance of a video: `sqrt(mean_j ((f_j - mean_j) / deviation_j)^2)`, Mahalanobis with a diagonal covariance,
per dimension. What is usual is told by the training videos themselves, each measured against the others
(leave one out), so that small sets do not make every stranger look near.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.store import Store, write_whole
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from heads.data.feature_set import FeatureSet
from heads.data.pixels.pictures import mean_colors, pictures_of

FILE = "training_statistics.json"
MIN_VIDEOS = 3  # fewer have no deviation once one is left out
SMALLEST_DEVIATION = 0.01  # of the mean deviation: a dimension that never moved says little
SIGNIFICANT_DIGITS = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StreamStatistics:
    """One stream: mean and deviation per dimension, and each training video's distance from the others."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    distances: tuple[float, ...]

    def distance(self, features: Floats) -> float:
        """Return the distance of a video with these features `(time, dim)` from the training videos."""
        return _distance(features.mean(axis=0), np.array(self.mean), np.array(self.deviation))


@dataclass(frozen=True)
class TrainingStatistics:
    """Statistics to compare a new video with; `seconds` are the shortest and the longest training video."""

    num_videos: int
    seconds: tuple[float, float]
    largest_share_without_person: float
    source_digests: tuple[str, ...]
    streams: Mapping[str, StreamStatistics]


def gather_training_statistics(
    samples: FeatureSet, train: NDArray[np.int64], headers: Mapping[str, Sequence[Record]]
) -> TrainingStatistics:
    """Return the statistics of the videos `train`; `headers` are their records, read without features."""
    seconds = _seconds(samples, train, headers)
    records = [record for of_stream in headers.values() for record in of_stream]
    return TrainingStatistics(
        num_videos=len(train),
        seconds=(float(seconds.min()), float(seconds.max())),
        largest_share_without_person=max((share_without_person(record) for record in records), default=0.0),
        source_digests=tuple(sorted({record.source.digest for record in records})),
        streams={stream: _stream_facts(samples, stream, train) for stream in samples.lengths},
    )


def _seconds(
    samples: FeatureSet, train: NDArray[np.int64], headers: Mapping[str, Sequence[Record]]
) -> Floats:
    """Return the length of each training video; without footage, the end of the last step."""
    seconds = np.zeros(len(train))
    for stream, intervals in samples.pts_seconds.items():
        for at, (video, header) in enumerate(zip(train, headers[stream], strict=True)):
            end = float(intervals[video][-1, 1]) if len(intervals[video]) else 0.0
            seconds[at] = max(seconds[at], header.duration_seconds if header.pictures.footage else end)
    return seconds


def share_without_person(record: Record) -> float:
    """Return the share of frames without an athlete; 0 for streams of whole frames."""
    num_frames, num_missed = frames_without_person(record)
    return num_missed / num_frames if num_frames else 0.0


def frames_without_person(record: Record) -> tuple[int, int]:
    """Return the number of frames that were searched for the athlete, and how many of them showed nobody.

    Steps of crops are single frames; steps of tubes are clips, whose frames are counted by the tracker.
    """
    if "num_tracked_frames" in record.counts:
        return record.counts["num_tracked_frames"], record.counts.get("num_frames_without_athlete", 0)
    return record.counts.get("num_steps", 0), record.counts.get("num_steps_without_person", 0)


def reference_features(features: NDArray[Any]) -> Floats:
    """Return `(time, dim)` of the view that is not augmented; of maps the mean over grid positions."""
    rows = np.asarray(features, dtype=np.float64)
    if rows.ndim > 2:
        rows = rows[:, 0]
    return rows.reshape(*rows.shape[:2], -1).mean(axis=-1) if rows.ndim > 2 else rows


def features_of_record(record: Record) -> Floats:
    """Return `(time, dim)` of a record as `reference_features` does; of pictures their mean colors."""
    if not record.spec.stores_pictures:
        return reference_features(record.features)
    pictures = pictures_of(record.spec, record.features, record.extras)
    return mean_colors(pictures, range(len(pictures)))


def _stream_facts(samples: FeatureSet, stream: str, train: NDArray[np.int64]) -> StreamStatistics:
    lengths = samples.lengths[stream]
    rows = [samples.rows(stream, video) for video in train.tolist() if int(lengths[video])]
    if len(rows) < MIN_VIDEOS:
        return StreamStatistics((), (), ())
    means = np.stack([reference_features(of_video).mean(axis=0) for of_video in rows])
    mean, deviation = means.mean(axis=0), _floored(means.std(axis=0, ddof=1))
    return StreamStatistics(_rounded(mean), _rounded(deviation), _rounded(sorted(leave_one_out(means))))


def leave_one_out(means: Floats) -> list[float]:
    """Return the distance of each row from the others, computed from sums over all rows."""
    num = len(means)
    centred = means - means.mean(axis=0)  # keeps the difference of squares below exact enough
    squares = (centred**2).sum(axis=0)
    distances = []
    for row in centred:
        mean = -row / (num - 1)
        variance = (squares - row**2 - (num - 1) * mean**2) / (num - 2)
        distances.append(_distance(row, mean, _floored(np.sqrt(np.maximum(variance, 0)))))
    return distances


def _floored(deviation: Floats) -> Floats:
    return np.asarray(np.maximum(deviation, SMALLEST_DEVIATION * deviation.mean() + 1e-12))


def _distance(features: Floats, mean: Floats, deviation: Floats) -> float:
    return float(np.sqrt(np.mean(((features - mean) / deviation) ** 2)))


def _rounded(values: Any) -> tuple[float, ...]:
    """Six digits: thousands of dimensions are written, and more says nothing."""
    return tuple(float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values)


def write_training_statistics(
    folder: Path,
    load: Callable[[], FeatureSet],
    train: NDArray[np.int64],
    *,
    store: Store,
    dataset: str,
    specs: Mapping[str, StreamSpec],
) -> None:
    """Write the statistics into a split's folder; if they are there, load no features and do nothing."""
    if (folder / FILE).is_file():
        return
    samples = load()
    nothing = slice(0, 0)  # counts and digests stand in the header; the features are in `samples`
    headers = {
        stream: [store.read(dataset, samples.video_ids[video], spec, steps=nothing) for video in train]
        for stream, spec in specs.items()
    }
    facts = gather_training_statistics(samples, train, headers)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, (json.dumps(asdict(facts)) + "\n").encode())


def read_training_statistics(folder: Path) -> TrainingStatistics | None:
    """Return the statistics in a split's folder, or None if the file is not there.

    Raises `RunError` if they are damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        values = read_bounded_json(path, most_bytes=RUN_BYTES)
        streams = values.pop("streams")
        return TrainingStatistics(
            num_videos=values["num_videos"],
            seconds=(float(values["seconds"][0]), float(values["seconds"][1])),
            largest_share_without_person=float(values["largest_share_without_person"]),
            source_digests=tuple(values["source_digests"]),
            streams={
                name: StreamStatistics(*(tuple(facts[part]) for part in ("mean", "deviation", "distances")))
                for name, facts in streams.items()
            },
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunError(
            f"{path} is damaged ({error!r}): delete it and run the same `aqa fit` again, it is written anew."
        ) from error
