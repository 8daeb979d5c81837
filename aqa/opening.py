"""What both stages work on: a dataset, and a store of features."""

from pathlib import Path
from typing import TYPE_CHECKING

from aqa.paths import PathLike

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store


def load_dataset(name: str, root: PathLike | None = None, *, called: str | None = None) -> "Dataset":
    """Return the videos, scores and splits of a dataset.

    `name` is one of `aqa datasets list`; "folder" reads your own videos beside a `scores.csv`. `root` is the
    dataset's folder, by default `data/NAME`. `called` names your own folder in stores and runs, by default
    as the folder is named. Scores are raw, on the scale of the judges.

    Raises `UnknownName` for an unknown name, and `DatasetError` if the folder does not hold the dataset.

    >>> import aqa
    >>> aqa.load_dataset("folder", "my-videos")
    Dataset(my-videos: 9 videos; ... splits (...); targets score)
    """
    from aqa_pipeline.datasets import load_dataset as load

    return load(name, Path("data") / name if root is None else Path(root), called=called)


def open_store(path: PathLike, *, verify: bool = False) -> "Store":
    """Open a store of features: a folder to read and write, or a packed .h5 file to read.

    `len(store)` counts records; iterating yields (dataset, video id, spec) of each. `store[dataset, video
    id, stream]` is a record: `features` (time, dim), `pts_seconds` (time, 2) as [start, stop) seconds from
    the performance's first frame. `verify` compares checksums before parts of a record are read.

    Raises `StoreError` if the path holds something else.

    >>> import aqa
    >>> store = aqa.open_store("features")
    >>> store
    Store(features: 9 records of 1 dataset)
    >>> store["my-videos", "v0", "frames"].features.shape                           # (time, dim)
    (4, 512)
    """
    from aqa_pipeline.store import Store

    return Store(Path(path), verify=verify)
