"""Arrays of somebody's own, checked, and as a feature set: features, scores, groups, whole numbers."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import column_or_1d

from aqa_pipeline.errors import ArrayError
from aqa_pipeline.plurals import counted
from heads.data.feature_set import FeatureSet


def sequences(X: Sequence[ArrayLike] | ArrayLike) -> list[NDArray[np.float32]]:
    """Return one float32 array (time, dim) per video.

    Raises `ArrayError` unless all have the same dim, at least one step, and finite values.
    """
    videos = [np.asarray(video) for video in X]  # type: ignore[union-attr]  # what cannot be iterated raises
    if not videos:
        raise ArrayError("X holds no video: expected at least one array (time, dim).")
    for number, video in enumerate(videos):
        if video.ndim != 2 or 0 in video.shape or video.dtype.kind not in "fiu":
            raise ArrayError(
                f"video {number} of X is {video.dtype} {video.shape}: expected numbers (time, dim): X "
                "is a list of such arrays, or one array (video, time, dim)."
            )
        if video.shape[1] != videos[0].shape[1]:
            raise ArrayError(
                f"video {number} of X has {video.shape[1]} features per step, video 0 has "
                f"{videos[0].shape[1]}: expected the same number."
            )
    with np.errstate(over="ignore"):
        single = [video.astype(np.float32) for video in videos]
    for number, video in enumerate(single):
        if not np.isfinite(video).all():
            raise ArrayError(f"video {number} of X holds values that are not finite in float32.")
    return single


def feature_set(
    stream: str, videos: Sequence[NDArray[np.float32]], labels: NDArray[np.float64]
) -> FeatureSet:
    """Return the arrays (time, dim) as a feature set of one stream; each step counts as one second."""
    lengths = [len(video) for video in videos]
    padded = torch.zeros(len(videos), max(lengths), videos[0].shape[1])
    for row, video in zip(padded, videos, strict=True):
        row[: len(video)] = torch.from_numpy(video)
    return FeatureSet(
        video_ids=tuple(map(str, range(len(videos)))),
        streams={stream: padded},
        lengths={stream: torch.tensor(lengths)},
        pts_seconds={stream: tuple(_seconds(length) for length in lengths)},
        labels=labels,
    )


def _seconds(length: int) -> NDArray[np.float64]:
    starts = np.arange(length, dtype=np.float64)
    return np.stack([starts, starts + 1], axis=1)


def raw_scores(y: ArrayLike, *, num_videos: int) -> NDArray[np.float64]:
    """Return `y` as float64 (video,); raise `ArrayError` unless it has one finite score per video."""
    if y is None:
        raise ArrayError("Head requires y to be passed: the raw scores (video,), but the target y is None.")
    try:
        scores = column_or_1d(np.asarray(y, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise ArrayError(f"y must be numbers (video,): {error}") from error
    if len(scores) != num_videos or not np.isfinite(scores).all():
        raise ArrayError(
            f"y holds {counted(len(scores), 'score')}, {np.isfinite(scores).sum()} of them finite: expected "
            f"one finite score for each of {counted(num_videos, 'video')}."
        )
    return scores


def whole_number(name: str, value: object, *, least: int) -> int:
    """Return the value as an int; raise `ArrayError` unless it is a whole number of at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ArrayError(f"{name} is {value!r}: expected a whole number of at least {least}.")
    return int(value)


def group_names(groups: ArrayLike, *, num_videos: int) -> NDArray[Any]:
    """Return the groups as an array (video,); raise `ArrayError` for another shape."""
    names = np.asarray(groups)
    if names.shape != (num_videos,):
        raise ArrayError(f"groups have the shape {names.shape}: expected one name per video ({num_videos},).")
    return names
