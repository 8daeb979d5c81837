"""Compute the quality of each performance: the normal score of its label's rank, about N(0, 1)."""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset


def quality_of_videos(dataset: Dataset) -> dict[str, float]:
    """Return normal scores by video id, from the ranks of the first target; ties share their rank.

    Ranks are among the videos of one default split, training and test set together (Rhythmic Gymnastics: one
    apparatus). Raises `DatasetError` for a video without label.
    """
    target = dataset.target().name
    labels_of = {video.video_id: video.labels.get(target, np.nan) for video in dataset.videos}
    qualities: dict[str, float] = {}
    for video_ids in _ranked_together(dataset):
        labels = np.array([labels_of[video_id] for video_id in video_ids])
        if not np.isfinite(labels).all():
            lacking = [v for v, label in zip(video_ids, labels, strict=True) if not np.isfinite(label)]
            raise DatasetError(
                f"{counted(len(lacking), 'video has', 'videos have')} no {target} score, such as "
                f"{lacking[:3]}: add their scores, or remove these videos from the label files."
            )
        scores = ndtri((rankdata(labels) - 0.5) / len(labels))
        qualities |= dict(zip(video_ids, scores.tolist(), strict=True))
    return qualities


def _ranked_together(dataset: Dataset) -> Iterator[list[str]]:
    """Yield the video ids of each default split that were in no split before, then all other ids."""
    left = {video.video_id: None for video in dataset.videos}
    for name in dataset.default_splits:
        split = dataset.split(name)
        group = [video_id for video_id in (*split.train, *split.test) if video_id in left]
        left = {video_id: None for video_id in left if video_id not in set(group)}
        if group:
            yield group
    if left:
        yield list(left)
