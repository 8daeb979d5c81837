"""How well predicted scores agree with the judges', by the metric that a recipe names."""

from collections.abc import Mapping

from aqa_pipeline.metrics import Metric, accuracy, spearman
from heads.recipes import CLASS_LOSSES, MetricName
from heads.runs.run_config import RunConfig

METRICS: Mapping[MetricName, Metric] = {"spearman": spearman, "accuracy": accuracy}
# As a reader of a table or a picture finds them.
TITLES: Mapping[MetricName, str] = {"spearman": "Spearman", "accuracy": "accuracy"}


def has_classes(config: RunConfig, split: str) -> bool:
    """Whether the scores of a run's split are two classes, 0 and 1, as its loss took them."""
    return config.splits[split].recipe.loss in CLASS_LOSSES


def metric_of_run(config: RunConfig) -> MetricName:
    """What the epochs of a run are told apart by, and the run compared by."""
    return "accuracy" if all(has_classes(config, split) for split in config.splits) else "spearman"
