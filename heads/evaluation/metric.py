"""The metric of a run: Spearman's correlation with the judges, or the accuracy of a two-class target."""

from collections.abc import Mapping

from aqa_pipeline.metrics import Metric, accuracy, spearman
from heads.recipes import CLASS_LOSSES, MetricName
from heads.runs.run_config import RunConfig

METRICS: Mapping[MetricName, Metric] = {"spearman": spearman, "accuracy": accuracy}
# As tables and plots name them.
TITLES: Mapping[MetricName, str] = {"spearman": "Spearman", "accuracy": "accuracy"}


def is_two_class(config: RunConfig, split: str) -> bool:
    """Return True if the target of that split has two classes, 0 and 1, as its loss says."""
    return config.splits[split].recipe.loss in CLASS_LOSSES


def metric_of_run(config: RunConfig) -> MetricName:
    """Return the metric by which the epochs of a run, and runs, are compared."""
    return "accuracy" if all(is_two_class(config, split) for split in config.splits) else "spearman"
