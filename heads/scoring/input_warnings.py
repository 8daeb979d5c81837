"""Warnings about a new video: it differs from the run's training videos, or is one of them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aqa_pipeline.records import Record
from heads.runs.training_statistics import (
    StreamStatistics,
    TrainingStatistics,
    features_of_record,
    frames_without_person,
    share_without_person,
)

LENGTH_TOLERANCE = 0.1  # relative: a tenth beyond the training videos is still the same kind of video
USUAL_SHARE_WITHOUT_PERSON = 0.2  # detectors miss an athlete now and then
SIGNIFICANCE = 0.05
FAR = 2.0  # relative to the farthest training video; beyond it, it is another kind of video
OWN_FILE = "Not scored: this file, or a part of it, is in the run's training set."


def input_warnings(
    records: Mapping[str, Record], facts: Sequence[TrainingStatistics | None]
) -> tuple[str, ...]:
    """Return the warnings about a video, one sentence each; `facts` describe the training set of each split.

    A warning is given only if it holds for every split.
    """
    known = [each for each in facts if each is not None]
    warnings = list(_without_person(records, known))
    if len(known) < len(facts) or not known:
        warnings.append(
            "The run has no statistics of its training videos to compare the video with: run its `aqa fit` "
            "command again (nothing is trained twice), then score again."
        )
        return tuple(warnings)
    return (*_own_file(records, known), *warnings, *_length(records, known), *_features(records, known))


def reason_not_scored(
    records: Mapping[str, Record], facts: Sequence[TrainingStatistics | None]
) -> str | None:
    """Return why the video has no meaningful score; None if it has one.

    The reasons: no person was found in any frame; or, in each split, the features lie more than `FAR` times
    as far from the training videos' mean as the farthest training video.
    """
    for stream, record in records.items():
        if share_without_person(record) == 1:
            return f"no athlete was found in any frame of {stream}"
    for stream, record in records.items():
        known = [each.streams[stream] for each in facts if each and each.streams[stream].distances]
        if not known or not len(record.features):
            continue
        rows = features_of_record(record)
        times = min(each.distance(rows) / max(each.distances) for each in known)
        if times > FAR:
            return (
                f"its {_compared(record)} lie {times:.1f} times as far from the mean of the training videos "
                "as the farthest of them"
            )
    return None


def _own_file(records: Mapping[str, Record], facts: Sequence[TrainingStatistics]) -> Iterator[str]:
    digests = {record.source.digest for record in records.values()}
    if any(digests & set(each.source_digests) for each in facts):
        yield OWN_FILE


def _without_person(records: Mapping[str, Record], facts: Sequence[TrainingStatistics]) -> Iterator[str]:
    usual = max([USUAL_SHARE_WITHOUT_PERSON, *(each.largest_share_without_person for each in facts)])
    for stream, record in records.items():
        share, (num_frames, _) = share_without_person(record), frames_without_person(record)
        if share == 1:
            yield f"No athlete was found in any of the {num_frames} frames of {stream}."
        elif share > usual:
            yield (
                f"No athlete was found in {share:.0%} of the {num_frames} frames of {stream} "
                f"(usual: up to {usual:.0%})."
            )


def _length(records: Mapping[str, Record], facts: Sequence[TrainingStatistics]) -> Iterator[str]:
    seconds = max(record.duration_seconds for record in records.values())
    shortest, longest = min(each.seconds[0] for each in facts), max(each.seconds[1] for each in facts)
    ends = dict.fromkeys(f"{end:.1f}" for end in (shortest, longest))  # one where they are the same
    usual = f"the training videos last {' to '.join(ends)} s"
    if seconds < (1 - LENGTH_TOLERANCE) * shortest:
        yield f"The video is shorter than every training video: {seconds:.1f} s; {usual}."
    if seconds > (1 + LENGTH_TOLERANCE) * longest:
        yield f"The video is longer than every training video: {seconds:.1f} s; {usual}."


def _features(records: Mapping[str, Record], facts: Sequence[TrainingStatistics]) -> Iterator[str]:
    for stream, record in records.items():
        of_stream = [each.streams[stream] for each in facts if each.streams[stream].distances]
        if not len(record.features) or not of_stream:
            continue
        nearest = max((distance_rank(record, each) for each in of_stream), key=lambda usual: usual[0])
        p, num_farther, num_videos, distance, median = nearest
        if p <= max(SIGNIFICANCE, 1 / (num_videos + 1)):
            yield (
                f"The {_compared(record)} differ from the training videos: their distance from the mean is "
                f"{distance / median:.1f} times the median; {num_farther} of {num_videos} training videos "
                "are as far away."
            )


def _compared(record: Record) -> str:
    """Return what of a record is compared with the training videos: its stream, or the colors of pictures."""
    return "colors" if record.spec.stores_pictures else record.spec.stream


def distance_rank(record: Record, facts: StreamStatistics) -> tuple[float, int, int, float, float]:
    """Return p = (1 + farther) / (n + 1), the count `farther`, n, the video's distance, and the median.

    `farther` counts the training videos at least as far from the mean; the median is of their distances.
    Source: the conformal p-value of Vovk, Gammerman & Shafer (Algorithmic Learning in a Random World, 2005),
    with the training videos' own distances, each from the mean of the others.
    """
    distance = facts.distance(features_of_record(record))
    num_farther = sum(other >= distance for other in facts.distances)
    num_videos = len(facts.distances)
    median = float(np.median(facts.distances))
    return (1 + num_farther) / (num_videos + 1), num_farther, num_videos, distance, median
