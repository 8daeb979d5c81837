"""A recipe: how a head is trained on one split, in plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import cos, inf, pi
from typing import Any, Literal

from heads.recipes.fine_tuning import FineTuning

# Lengths of the training videos, per stream.
StreamSteps = Mapping[str, Sequence[int]]

# `closed-form` is fitted at once: learning rates, momentum and decay are 0 then.
OptimizerName = Literal["sgd", "adam", "adamw", "closed-form"]

# How well predicted scores agree with the judges': by rank correlation, or for a two-class target (FR-FS:
# clean or fall) by the share of correct classes.
MetricName = Literal["spearman", "accuracy"]
CLASS_LOSSES = ("cross-entropy",)
PAIR_LOSSES = ("leaves", "released-leaves", "leaves-in-batch")  # of heads that compare videos

# How the order of a batch's scores is compared with that of its labels; heads/training/rank_losses.py.
RankLossKind = Literal["hinge", "spearman"]

# Where windows may lie and what testing sees; heads/data/windows.py tells the four apart.
Windows = Literal["paper", "released", "cropped", "sampled"]

# What raw scores are divided by: the target's range, so that they lie in [0, 1], or the deviation of the
# training scores. `standard` also subtracts their mean. `25-points` divides by 25, whatever the range is.
Unit = Literal["range", "deviation", "standard", "25-points"]


@dataclass(frozen=True)
class Optimization:
    """An optimizer with two learning rates, and how both change from epoch to epoch.

    They are multiplied by `gamma` after each milestone, the number of epochs finished before the step. With
    `cosine_epochs` they rise over the first tenth of so many epochs instead and fall along a cosine to the
    factor `cosine_floor`. `warm_up` false leaves out the rise. `max_gradient_norm` 0 does not clip gradients.
    """

    optimizer: OptimizerName
    lr: float
    head_lr: float
    momentum: float = 0.0
    weight_decay: float = 0.0
    milestones: tuple[int, ...] = ()
    gamma: float = 1.0
    cosine_epochs: int = 0
    max_gradient_norm: float = 0.0
    cosine_floor: float = 0.0
    warm_up: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "milestones", tuple(self.milestones))

    def decay(self, epoch: int) -> float:
        """Return the factor of the learning rates in that epoch, counted from 1."""
        if self.cosine_epochs:
            warm_up = min(1.0, epoch / max(1.0, WARM_UP_SHARE * self.cosine_epochs)) if self.warm_up else 1.0
            cosine = (1 + cos(pi * (epoch - 1) / self.cosine_epochs)) / 2
            return warm_up * (self.cosine_floor + (1 - self.cosine_floor) * cosine)
        return self.gamma ** sum(epoch > milestone for milestone in self.milestones)


# Videos of a batch without which a rank loss says nothing; a correlation of two is 1 or -1.
LEAST_VIDEOS: Mapping[RankLossKind, int] = {"hinge": 2, "spearman": 3}
WARM_UP_SHARE = 0.1  # of the epochs of a cosine


@dataclass(frozen=True)
class Regularization:
    """How strongly training is held back; `input_dropout` is the share of feature dimensions left out."""

    weight_decay: float
    dropout: float
    input_dropout: float


@dataclass(frozen=True)
class Adaptation:
    """What inner cross-validation on the training set chooses from, and how.

    `candidates` go from the strongest regularization to the lightest. `step_dropout` is the share of a
    video's steps that each epoch leaves out; at most `max_steps` are read. `standardize` scales every feature
    to mean 0 and variance 1 over the training set's steps. `ridge_share` is the weight of ridge regression in
    the score, before the choice its start; None leaves ridge regression out.
    """

    candidates: tuple[Regularization, ...]
    num_folds: int = 3
    step_dropout: float = 0.1
    max_steps: int = 32
    standardize: bool = True
    ridge_share: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "candidates", tuple(self.candidates))


@dataclass(frozen=True)
class RankLoss:
    """A loss of the order of a batch's scores, which is added to a recipe's loss, times `weight`."""

    kind: RankLossKind
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.weight < inf:
            raise ValueError(f"a rank loss has the weight {self.weight}: expected a number above 0")


@dataclass(frozen=True)
class Recipe:
    """Epochs, batches, windows, loss and optimizer of one split.

    `num_steps` is the length of the window that training cuts from each stream at a random start.
    `num_components`, where it is not 0, whitens the features first: so many principal components of the
    training videos' steps (models/feature_scaling/whitening.py). The parts of the network named in `frozen`
    stay as they start, their normalization's statistics too. `adaptation` is None in the recipes of papers.
    `fine_tuning` is None for a head on stored features, whose backbone is not trained. `network` are options
    of the head's network that differ between datasets or splits, by their names in its constructor.
    `rank_loss` is None unless a person asks for one.
    """

    epochs: int
    batch_size: int
    num_steps: Mapping[str, int]
    optimization: Optimization
    windows: Windows = "paper"
    loss: str = "mse"
    num_components: int = 0
    unit: Unit = "range"
    frozen: tuple[str, ...] = ()
    adaptation: Adaptation | None = None
    fine_tuning: FineTuning | None = None
    network: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    rank_loss: RankLoss | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "num_steps", dict(self.num_steps))
        object.__setattr__(self, "network", dict(self.network))
        object.__setattr__(self, "frozen", tuple(self.frozen))
        if self.epochs < 1 or self.batch_size < 1 or min(self.num_steps.values(), default=1) < 1:
            raise ValueError(f"a recipe needs at least 1 epoch, video per batch and step per window: {self}")

    @property
    def metric(self) -> MetricName:
        """The metric that ranks epochs and compares runs."""
        return "accuracy" if self.loss in CLASS_LOSSES else "spearman"

    @property
    def compares_videos(self) -> bool:
        """True if the head predicts differences to training videos."""
        return self.loss in PAIR_LOSSES

    @property
    def is_closed_form(self) -> bool:
        """True if the head is fitted at once, without epochs."""
        return self.optimization.optimizer == "closed-form"

    def with_epochs(self, epochs: int) -> "Recipe":
        """Return the recipe with another number of epochs; milestones and cosine move in proportion."""
        optimization = replace(
            self.optimization,
            milestones=tuple(round(each * epochs / self.epochs) for each in self.optimization.milestones),
            cosine_epochs=epochs if self.optimization.cosine_epochs else 0,
        )
        return replace(self, epochs=epochs, optimization=optimization)

    def with_ridge_share(self, share: float | None) -> "Recipe":
        """Return the adapted recipe with another weight of ridge regression in the score."""
        assert self.adaptation is not None, "only adapted recipes have ridge regression beside the network"
        return replace(self, adaptation=replace(self.adaptation, ridge_share=share))

    def with_rank_loss(self, rank_loss: RankLoss | None) -> "Recipe":
        """Return the recipe with a rank loss; raise `ValueError` for a training that cannot use it."""
        if rank_loss is None:
            return self
        if self.is_closed_form:
            raise ValueError("the head is fitted at once, and a rank loss is for heads trained by gradient")
        least = LEAST_VIDEOS[rank_loss.kind]
        if self.batch_size < least:
            raise ValueError(f"batches have {self.batch_size} videos, and {rank_loss.kind} compares {least}")
        return replace(self, rank_loss=rank_loss)

    def with_optimization(self, **changes: Any) -> "Recipe":
        """Return the recipe with other values of the optimization, by name."""
        return replace(self, optimization=replace(self.optimization, **changes))


def closed_form(num_steps: Mapping[str, int], *, unit: Unit = "range") -> Recipe:
    """Return the recipe of a head that sees whole videos and is fitted at once."""
    return Recipe(
        epochs=1,
        batch_size=1,
        num_steps=num_steps,
        optimization=Optimization("closed-form", lr=0.0, head_lr=0.0),
        unit=unit,
    )


def whole_videos(steps: StreamSteps) -> dict[str, int]:
    """Return a window per stream that holds the longest training video."""
    return {stream: max(1, *lengths) for stream, lengths in steps.items()}
