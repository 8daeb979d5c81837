"""Numbers dealt out in proportion, and fewer videos of a dataset, of both sides of every split."""

from collections.abc import Sequence

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Video

MIN_PER_SIDE = 2  # a head needs two videos to learn from, and two to be judged by


def in_proportion(total: int, sizes: Sequence[int]) -> list[int]:
    """`total` dealt out in proportion to `sizes`; what rounding leaves goes to the largest remainders.

    10 to [1, 1, 1] -> [4, 3, 3].
    """
    exact = total * np.asarray(sizes) / sum(sizes)
    shares = np.floor(exact).astype(int)
    order = np.argsort(shares - exact, kind="stable")
    shares[order[: total - shares.sum()]] += 1
    return [int(share) for share in shares]


def thinned(dataset: Dataset, limit: int | None) -> tuple[Video, ...]:
    """So many of its videos: of each side of each default split in proportion, at even distances.

    All of them without a limit. Raises `DatasetError` for fewer than two videos on some side.
    """
    if limit is None or limit >= len(dataset.videos):
        return dataset.videos
    sides = [side for split in _splits(dataset) for side in split]
    shares = in_proportion(limit, [len(side) for side in sides])
    if min(shares) < MIN_PER_SIDE:
        raise DatasetError(
            f"{limit} of {len(dataset.videos)} videos of {dataset.name} leave {min(shares)} on one side of a "
            f"split: expected at least {MIN_PER_SIDE} to train and to test on. Raise the limit."
        )
    chosen = {
        side[round(place)]
        for side, share in zip(sides, shares, strict=True)
        for place in np.linspace(0, len(side) - 1, share)
    }
    return tuple(video for video in dataset.videos if video.video_id in chosen)


def _splits(dataset: Dataset) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Train and test of the default splits, but for those that share videos with one before."""
    seen: set[str] = set()
    splits = []
    for name in dataset.default_splits:
        split = dataset.split(name)
        if not seen & {*split.train, *split.test}:
            splits.append((split.train, split.test))
            seen |= {*split.train, *split.test}
    return splits
