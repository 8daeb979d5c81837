"""Pool the out-of-fold predictions of a cross-validation: each video's, by networks that never saw it."""

from collections.abc import Sequence

import numpy as np

from heads.runs.predictions import Predicted

POOLED = "pooled"


def pool_folds(splits: Sequence[Predicted]) -> Predicted | None:
    """Return the test predictions of a cross-validation as those of one split, with the seeds of all splits.

    The result is None for other splits. In a cross-validation every video is tested by exactly one split, and
    every split trains on videos that each other split tests. The apparatus of Rhythmic Gymnastics are no
    cross-validation: their training videos are never tested, and they are different tasks.
    """
    seeds = [seed for seed in splits[0].seeds if all(seed in split.seeds for split in splits)]
    if not seeds or not _is_cross_validation(splits):
        return None
    alike = [split.of_seeds(seeds) for split in splits]
    videos = [video for split in alike for video in split.videos]
    order = sorted(range(len(videos)), key=videos.__getitem__)
    return Predicted(
        split=POOLED,
        seeds=tuple(seeds),
        videos=tuple(videos[at] for at in order),
        true=np.concatenate([split.true for split in alike])[order],
        predicted=np.concatenate([split.predicted for split in alike], axis=1)[:, order],
    )


def _is_cross_validation(splits: Sequence[Predicted]) -> bool:
    tested = [video for split in splits for video in split.videos]
    trained = {video for split in splits for video in split.training_videos}
    return (
        len(splits) > 1
        and len(set(tested)) == len(tested)
        and trained <= set(tested)
        and all(
            not one.training_videos.isdisjoint(other.videos)
            for one in splits
            for other in splits
            if one is not other
        )
    )
