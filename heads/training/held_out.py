"""The videos that an estimator holds out to choose the epoch that it keeps."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import ArrayError, UnknownName
from aqa_pipeline.plurals import counted
from heads.data.folds import MIN_VALIDATION_VIDEOS, VALIDATION_SHARE, Fold, derived_seed, make_fold
from heads.recipes import Recipe

KeptEpoch = Literal["auto", "last", "val"]
KEPT_EPOCHS: tuple[KeptEpoch, ...] = ("auto", "last", "val")
NO_VIDEOS = np.empty(0, dtype=np.int64)


def choose_fold(
    num_videos: int, groups: NDArray[Any] | None, recipe: Recipe, *, select: KeptEpoch, seed: int
) -> Fold:
    """Return which videos train, and which are held out to choose the epoch (none for "last").

    Raises `ArrayError` if too few videos or groups are left or `groups` have no use, and `UnknownName` for
    an unknown `select`.
    """
    if select not in KEPT_EPOCHS:
        raise UnknownName("selection", str(select), KEPT_EPOCHS)
    if groups is not None and select == "last":
        raise ArrayError("groups choose what is held out, but select='last' holds out nothing.")
    videos = np.arange(num_videos)
    uses_all = groups is None or recipe.adaptation is not None
    if recipe.is_closed_form or select == "last" or (select == "auto" and uses_all):
        return Fold(videos, NO_VIDEOS, NO_VIDEOS)
    if groups is None:
        num_held_out = round(VALIDATION_SHARE * num_videos)
        if num_held_out < MIN_VALIDATION_VIDEOS:
            raise ArrayError(
                f"select='val' holds out 20 % of {counted(num_videos, 'video')}, which is {num_held_out}: "
                f"expected at least {MIN_VALIDATION_VIDEOS} to rank. Fit more videos, or with select='last'."
            )
        return make_fold(videos, NO_VIDEOS, select="val", seed=seed)
    held_out = _held_out_groups(groups, seed=seed)
    return Fold(videos[~held_out], videos[held_out], NO_VIDEOS)


def _held_out_groups(groups: NDArray[Any], *, seed: int) -> NDArray[np.bool_]:
    """Return (video,) which videos are held out: random whole groups, 20 % of the videos or a little more."""
    wanted = max(MIN_VALIDATION_VIDEOS, round(VALIDATION_SHARE * len(groups)))
    names = np.unique(groups)
    held_out = np.zeros(len(groups), dtype=bool)
    for name in np.random.default_rng(derived_seed(seed, "validation")).permutation(names):
        if held_out.sum() >= wanted:
            break
        held_out |= groups == name
    if held_out.sum() < wanted or (~held_out).sum() < wanted:
        named = f"{counted(len(names), 'group')} of {counted(len(groups), 'video')}"
        leave = "leaves" if len(names) == 1 else "leave"
        raise ArrayError(
            f"{named} {leave} {(~held_out).sum()} to train on when {wanted} or more are held out: give more "
            "groups, or fit without them."
        )
    return held_out
