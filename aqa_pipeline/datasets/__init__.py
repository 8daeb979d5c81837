"""Datasets: each adapter reads one layout on disk and returns videos, labels and named splits.

Importing this package is fast (standard library only), so that the command line can list names quickly.
"""

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.registry import DATASETS, load_dataset

__all__ = ["DATASETS", "DatasetAdapter", "load_dataset"]
