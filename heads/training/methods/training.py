"""One network to train on one split with one seed, and what the training gives."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from heads.data.feature_set import FeatureSet
from heads.data.folds import Fold, Select
from heads.data.labels import FinalScores
from heads.evaluation.metric import METRICS
from heads.recipes import Recipe
from heads.runs.epoch import Epoch
from heads.runs.inner_network import InnerNetwork
from heads.runs.run_config import Precision
from heads.training.distributed.world import ALONE, World
from heads.training.resuming.snapshot_file import SnapshotFile


@dataclass(frozen=True, eq=False)
class Trained:
    """The kept state (on the CPU), its epoch, every epoch's record, and all videos' normalized scores.

    `out_of_fold` are the normalized predictions for the training set by inner folds, where a head makes them.
    """

    state: Mapping[str, Tensor]
    chosen_epoch: int
    epochs: tuple[Epoch, ...]
    scores: NDArray[np.float64]
    out_of_fold: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Compute:
    """The device of a training, and the precision of its matrix products.

    With "bf16" training computes them in bfloat16 (autocast); weights, loss and the final scores stay in
    float32. `world` are the processes that train together, each on a device of its own.
    """

    device: str = "cpu"
    precision: Precision = "fp32"
    world: World = ALONE


@dataclass(frozen=True, eq=False)
class Training:
    """One network to train on one split with one seed.

    `build` makes the head for features of the given sizes per stream, with options of the recipe's `network`
    by name. `labels` are normalised, one per video,
    or one per video and judge (those of test videos only for the log). `final` says what scores come to where
    a head learns something else than the score; epochs are told by that then. `groups` names what belongs
    together, one name per video, or is empty. `snapshot` is where a long training by gradient keeps its state
    after each epoch, and goes on from if it was interrupted. `inner` is what the seeds of a stack share; None
    finds it out anew.
    """

    build: Callable[..., nn.Module]
    samples: FeatureSet
    fold: Fold
    labels: NDArray[np.float64]
    recipe: Recipe
    seed: int
    select: Select = "last"
    compute: Compute = Compute()
    final: FinalScores | None = None
    groups: tuple[str | None, ...] = ()
    snapshot: SnapshotFile | None = None
    inner: InnerNetwork | None = None

    def agreement(self, scores: NDArray[np.float64], videos: NDArray[np.int64]) -> float:
        """Return the recipe's metric of these videos from their normalized scores; nan without videos."""
        if not len(videos):
            return math.nan
        metric = METRICS[self.recipe.metric]
        if self.final is None:
            return float(metric(scores, self.labels[videos]))
        return float(metric(self.final.of(scores, videos), self.final.true[videos]))


OnEpoch = Callable[[Epoch], None]
OnInner = Callable[[int, int], None]  # the number of an inner training, and their total
# The number of an epoch, and the normalized scores of the validation videos after it.
OnValidation = Callable[[int, NDArray[np.float64]], None]
