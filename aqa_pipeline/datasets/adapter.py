"""The record of a dataset: its name, its loader, and texts on its source and layout."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.plugins import Pluggable
from aqa_pipeline.records import Dataset


@dataclass(frozen=True)
class DatasetAdapter(Pluggable):
    """One dataset layout on disk, and the function that reads it.

    `load(root)` returns the dataset in a folder, and raises `DatasetError` for a folder of another layout.
    `where` says where videos and labels come from. `layout` shows the folder that `load` expects.
    """

    name: str
    title: str
    load: Callable[[Path], Dataset]
    where: str
    layout: str
