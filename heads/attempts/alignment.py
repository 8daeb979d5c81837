"""Align two attempts in time by their stored features: poses if there are any, else the finest stream."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from aqa_pipeline.records import Record
from heads.attempts.time_map import TimeMap, from_the_start, map_of_path
from heads.attempts.warping import warping_path
from heads.runs.training_statistics import TrainingStatistics, features_of_record

POSES = "poses"
MOST_STEPS = 1000  # of an attempt: the time of a warping grows with the square
DETOUR = 0.1  # of the median distance: where features say nothing, the path is straight

Floats = NDArray[np.float64]


def align(
    here: Mapping[str, Record], there: Mapping[str, Record], facts: Sequence[TrainingStatistics | None]
) -> TimeMap:
    """Return the map from the time of one attempt to the time of the other, from their records by stream.

    Features are standardized with the mean and the deviation of the training videos. An attempt with less
    than two steps cannot be aligned: both are then mapped from their start.
    """
    stream = stream_to_align(here)
    if stream is None or any(len(each[stream].features) < 2 for each in (here, there)):
        return from_the_start("both from their start: there are too few steps to align them")
    (times, features), (other_times, other_features) = (_thinned(each[stream]) for each in (here, there))
    center, deviation = _standard(stream, facts, np.concatenate([features, other_features]))
    distances = cdist((features - center) / deviation, (other_features - center) / deviation)
    path = warping_path(distances, detour=DETOUR * float(np.median(distances)))
    what = "poses" if stream == POSES else f"features of {stream}"
    return map_of_path(path, times, other_times, f"automatic, by the {what}")


def stream_to_align(records: Mapping[str, Record]) -> str | None:
    """Return the poses, or else the stream with the most steps; None without any."""
    return POSES if POSES in records else max(records, key=lambda s: len(records[s].features), default=None)


def _thinned(record: Record) -> tuple[Floats, Floats]:
    """Return the middle (time,) and the features (time, dim) of at most `MOST_STEPS` steps."""
    every = -(-len(record.features) // MOST_STEPS)
    return record.pts_seconds.mean(axis=1)[::every], features_of_record(record)[::every]


def _standard(
    stream: str, facts: Sequence[TrainingStatistics | None], features: Floats
) -> tuple[Floats, Floats]:
    """Return mean and deviation (dim,) of the training videos; without them, those of both attempts."""
    known = [each.streams[stream] for each in facts if each is not None and stream in each.streams]
    usable = [each for each in known if len(each.mean) == features.shape[1]]
    if usable:
        mean = np.mean([each.mean for each in usable], axis=0)
        return mean, np.mean([each.deviation for each in usable], axis=0)
    deviation = features.std(axis=0)
    return features.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
