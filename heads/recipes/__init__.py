"""How a head is trained, per dataset and split: the papers' numbers, and ours for other data."""

from heads.recipes.fine_tuning import FineTuning
from heads.recipes.recipe import (
    CLASS_LOSSES,
    Adaptation,
    MetricName,
    Optimization,
    OptimizerName,
    RankLoss,
    RankLossKind,
    Recipe,
    Regularization,
    StreamSteps,
    Unit,
    Windows,
)

__all__ = [
    "CLASS_LOSSES",
    "Adaptation",
    "FineTuning",
    "MetricName",
    "Optimization",
    "OptimizerName",
    "RankLoss",
    "RankLossKind",
    "Recipe",
    "Regularization",
    "StreamSteps",
    "Unit",
    "Windows",
]
