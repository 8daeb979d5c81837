"""How a head is trained, per dataset and split: plain numbers with their sources.

ACTION-NET: section 5.2 of the paper; where the released code differs, its own numbers (variant `released`).
Its recurrent baselines get the same recipe, the text names none for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

# Lengths of the training videos, per stream.
StreamSteps = Mapping[str, Sequence[int]]

# `closed-form` is fitted at once: learning rates, momentum and decay are 0 then.
Optimiser = Literal["sgd", "adam", "closed-form"]

# How well predicted scores agree with the judges': by rank correlation, or for a two-class target (FR-FS:
# clean or fall) by the share of correct classes.
MetricName = Literal["spearman", "accuracy"]
CLASS_LOSSES = ("cross-entropy",)

# Where windows may lie and what testing sees; heads/data/windows.py tells the two apart.
Windows = Literal["paper", "released"]

# What raw scores are divided by: the target's range, so that they lie in [0, 1], or the deviation of the
# training scores.
Unit = Literal["range", "deviation"]


@dataclass(frozen=True)
class Recipe:
    """An optimiser with two learning rates, both multiplied by `gamma` after each milestone.

    A milestone is the number of epochs finished before the step. `num_steps` is the length of the window
    that training cuts from each stream at a random start. `num_components`, where it is not 0, whitens the
    features first: so many principal components of the training videos' steps (models/whitening.py). The
    parts of the network named in `frozen` stay as they start, their normalisation's statistics too.
    """

    epochs: int
    batch_size: int
    lr: float
    head_lr: float
    momentum: float
    weight_decay: float
    milestones: tuple[int, ...]
    gamma: float
    num_steps: Mapping[str, int]
    windows: Windows = "paper"
    loss: str = "mse"
    num_components: int = 0
    optimiser: Optimiser = "sgd"
    unit: Unit = "range"
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "num_steps", dict(self.num_steps))
        object.__setattr__(self, "milestones", tuple(self.milestones))
        object.__setattr__(self, "frozen", tuple(self.frozen))
        if self.epochs < 1 or self.batch_size < 1 or min(self.num_steps.values(), default=1) < 1:
            raise ValueError(f"a recipe needs at least 1 epoch, video per batch and step per window: {self}")

    @property
    def metric(self) -> MetricName:
        """The metric that ranks epochs and compares runs."""
        return "accuracy" if self.loss in CLASS_LOSSES else "spearman"

    def decay(self, epoch: int) -> float:
        """Return the factor of the learning rates in that epoch, counted from 1."""
        return self.gamma ** sum(epoch > milestone for milestone in self.milestones)

    def with_epochs(self, epochs: int) -> "Recipe":
        """Return the recipe with another number of epochs; the milestones move in proportion."""
        milestones = tuple(round(milestone * epochs / self.epochs) for milestone in self.milestones)
        return replace(self, epochs=epochs, milestones=milestones)


# "The loss is not named" in the text; the code's mean squared error on the normalised score is used in both.
SECTION_5_2 = Recipe(
    epochs=200,
    batch_size=16,
    lr=0.01,
    head_lr=0.05,
    momentum=0.9,
    weight_decay=1e-4,
    milestones=(150, 180),
    gamma=0.1,
    num_steps={"segments": 48, "crops": 150},
)
# Whole frames take the place of crops in Table 4, so their window is that of the crops.
MIT_SKATING_STEPS = {"segments": 48, "crops": 150, "frames": 150}
RHYTHMIC_GYMNASTICS_EPOCHS = {"ball": 400, "clubs": 300, "hoop": 500, "ribbon": 300}
RHYTHMIC_GYMNASTICS_STEPS = {"segments": 26, "crops": 80, "frames": 80}

# Of a dataset that no paper trained on: the windows that leave 10 % of the median video to the random start,
# as the papers' windows do (26 of about 28, 48 of about 55, 150 of about 160).
WINDOW_SHARE = 0.9


def action_net_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return ACTION-NET's recipe; an unknown dataset gets MIT-Skating's with windows of its own length."""
    windows: Windows = "released" if variant == "released" else "paper"
    return replace(_base(dataset, split, windows), windows=windows, num_steps=_windows_of(dataset, steps))


def _base(dataset: str, split: str, windows: Windows) -> Recipe:
    if dataset == "rhythmic-gymnastics" and split.lower() in RHYTHMIC_GYMNASTICS_EPOCHS:
        return _rhythmic_gymnastics(RHYTHMIC_GYMNASTICS_EPOCHS[split.lower()], windows)
    return SYNTHETIC if dataset == "synthetic" else SECTION_5_2


def _windows_of(dataset: str, steps: StreamSteps) -> dict[str, int]:
    """Return the papers' window per stream; for other datasets nine tenths of the median training video."""
    known = {"mit-skating": MIT_SKATING_STEPS, "rhythmic-gymnastics": RHYTHMIC_GYMNASTICS_STEPS}
    of_paper = known.get(dataset, {})
    return {
        stream: of_paper.get(stream) or max(1, round(WINDOW_SHARE * median(lengths)))
        for stream, lengths in steps.items()
    }


def _rhythmic_gymnastics(epochs: int, windows: Windows) -> Recipe:
    # The text decays "in the last 100 and last 50 epochs". The code numbers its epochs from 1 and steps the
    # scheduler before training, so both decays come one epoch earlier: the last 51 epochs run at 0.01x.
    early = 1 if windows == "released" else 0
    milestones = (epochs - 100 - early, epochs - 50 - early)
    return replace(SECTION_5_2, epochs=epochs, batch_size=32, milestones=milestones)


def ms_lstm_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Xu et al.: Adam at 0.0005 for 500 epochs of batches of 128, as in the authors' code (train.py)."""
    return Recipe(
        epochs=500,
        batch_size=128,
        lr=5e-4,
        head_lr=5e-4,
        momentum=0.0,
        weight_decay=0.0,
        milestones=(),
        gamma=1.0,
        num_steps=_windows_of(dataset, steps),
        optimiser="adam",
    )


def wd_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Farabi et al. 4.3: Adam for 50 epochs of batches of 2, L2 + L1 loss; released: WD learns at 1e-5.

    The text gives no unit of the scores. The code divides them by 17; MTL-AQA's deviate by 16.5.
    """
    return Recipe(
        epochs=50,
        batch_size=2,
        lr=1e-5 if variant == "released" else 1e-4,
        head_lr=1e-4,
        momentum=0.0,
        weight_decay=0.0,
        milestones=(),
        gamma=1.0,
        num_steps={stream: max(1, *lengths) for stream, lengths in steps.items()},
        loss="l2+l1",
        optimiser="adam",
        unit="deviation",
    )


# Datasets with a two-class target: 1 is a clean landing, 0 a fall.
CLASSIFICATION = ("fr-fs",)
TSA_EPOCHS = {"fr-fs": 20}


def tsa_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Wang et al. 4.2: Adam at 1e-4, decay 1e-5, batches of 4, 20 epochs of FR-FS and 100 of others.

    "Adam with momentum 0.9" is its usual first beta. Squared error of the sigmoid's score; cross-entropy
    where the score is a class. `frozen` leaves the second stage of I3D as it is, which the paper trains.
    """
    return Recipe(
        epochs=TSA_EPOCHS.get(dataset, 100),
        batch_size=4,
        lr=1e-4,
        head_lr=1e-4,
        momentum=0.0,
        weight_decay=1e-5,
        milestones=(),
        gamma=1.0,
        num_steps={stream: max(1, *lengths) for stream, lengths in steps.items()},
        loss="cross-entropy" if dataset in CLASSIFICATION else "mse",
        optimiser="adam",
        frozen=("second_stage",) if variant == "frozen" else (),
    )


def usdl_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return TSA-Net's recipe with the loss of a score distribution (eq. 9; Tang et al., CVPR 2020)."""
    return replace(tsa_recipe(dataset, split, variant, steps), loss="distribution")


def musdl_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Return TSA-Net's recipe with a distribution of each judge's mark (Tang et al.'s MUSDL)."""
    return replace(tsa_recipe(dataset, split, variant, steps), loss="judges")


def svr_recipe(dataset: str, split: str, variant: str, steps: StreamSteps) -> Recipe:
    """Support vector regression sees whole videos and is fitted at once."""
    return Recipe(
        epochs=1,
        batch_size=1,
        lr=0.0,
        head_lr=0.0,
        momentum=0.0,
        weight_decay=0.0,
        milestones=(),
        gamma=1.0,
        num_steps={stream: max(1, *lengths) for stream, lengths in steps.items()},
        optimiser="closed-form",
    )


# Few short videos and the features of random networks, which only whitening makes readable for a small head.
# Chosen by cross-validation within the training videos of the demo.
SYNTHETIC = replace(SECTION_5_2, epochs=80, batch_size=8, lr=0.03, milestones=(60, 72), num_components=16)
