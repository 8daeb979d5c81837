"""What every dataset of ours offers: a name, a loader, and words that say where it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.plugins import Pluggable
from aqa_pipeline.records import Dataset


@dataclass(frozen=True)
class DatasetAdapter(Pluggable):
    """One official layout on disk and how it is read.

    `load(root)` yields the dataset as found and raises `DatasetError` when the folder is not one.
    `where` says where videos and labels come from; `layout` shows the folder that `load` expects.
    """

    name: str
    title: str
    load: Callable[[Path], Dataset]
    where: str
    layout: str
