"""Distribute a number in proportion, and select fewer videos from both sets of every split."""

from collections.abc import Sequence

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Video

MIN_PER_SET = 2  # a head needs at least two training and two test videos


def in_proportion(total: int, sizes: Sequence[int]) -> list[int]:
    """Return `total` distributed in proportion to `sizes`. Rounding favors the largest remainders.

    10 to [1, 1, 1] -> [4, 3, 3].
    """
    exact = total * np.asarray(sizes) / sum(sizes)
    shares = np.floor(exact).astype(int)
    order = np.argsort(shares - exact, kind="stable")
    shares[order[: total - shares.sum()]] += 1
    return [int(share) for share in shares]


def thinned(dataset: Dataset, limit: int | None) -> tuple[Video, ...]:
    """Return `limit` videos, from each set of each default split in proportion, at even distances.

    Without a limit, all videos are returned. Raises `DatasetError` if a set gets fewer than two videos.
    """
    if limit is None or limit >= len(dataset.videos):
        return dataset.videos
    sides = [side for split in _splits(dataset) for side in split]
    shares = in_proportion(limit, [len(side) for side in sides])
    if min(shares) < MIN_PER_SET:
        raise DatasetError(
            f"{limit} of {len(dataset.videos)} videos of {dataset.name} leave {min(shares)} in one set of a "
            f"split: expected at least {MIN_PER_SET} training and test videos. Raise --limit."
        )
    chosen = {
        side[round(place)]
        for side, share in zip(sides, shares, strict=True)
        for place in np.linspace(0, len(side) - 1, share)
    }
    return tuple(video for video in dataset.videos if video.video_id in chosen)


def _splits(dataset: Dataset) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return training and test set of the default splits that share no video with an earlier split."""
    seen: set[str] = set()
    splits = []
    for name in dataset.default_splits:
        split = dataset.split(name)
        if not seen & {*split.train, *split.test}:
            splits.append((split.train, split.test))
            seen |= {*split.train, *split.test}
    return splits
