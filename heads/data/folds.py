"""The videos of a split for training, validation and testing, and which epoch is kept."""

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError

# Which epoch is kept. `best-on-test` looks at the answers: it is here because papers did it, and is
# labelled "not model selection" in whatever is written from it.
Select = Literal["last", "val", "best-on-test"]
VALIDATION_SHARE = 0.2
MIN_VALIDATION_VIDEOS = 3


@dataclass(frozen=True, eq=False)
class Fold:
    """Videos of a `FeatureSet`, by index."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def make_fold(train: NDArray[np.int64], test: NDArray[np.int64], *, select: Select, seed: int) -> Fold:
    """Return the split as it is; with `val`, hold out 20 % of the training videos, drawn by seed.

    Raises `RunError` if fewer than three would be held out: they could not be ranked.
    """
    if select != "val":
        return Fold(train, np.empty(0, dtype=np.int64), test)
    num_held_out = round(VALIDATION_SHARE * len(train))
    if num_held_out < MIN_VALIDATION_VIDEOS:
        raise RunError(
            f"--select val holds out 20 % of {len(train)} training videos, which is {num_held_out}: "
            f"expected at least {MIN_VALIDATION_VIDEOS} to rank. Use --select last."
        )
    drawn = np.random.default_rng(derived_seed(seed, "validation")).permutation(train)
    return Fold(np.sort(drawn[num_held_out:]), np.sort(drawn[:num_held_out]), test)


def shuffled_labels(
    labels: NDArray[np.float64], train: NDArray[np.int64], *, seed: int
) -> NDArray[np.float64]:
    """Return the labels with those of the training videos permuted: a control that can learn nothing."""
    shuffled = labels.copy()
    shuffled[train] = np.random.default_rng(derived_seed(seed, "labels")).permutation(labels[train])
    return shuffled


def derived_seed(seed: int, purpose: str) -> int:
    """Return a seed for one purpose, so that random numbers of one part do not depend on another part."""
    return int(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())]).generate_state(1)[0])
