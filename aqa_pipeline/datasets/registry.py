"""The datasets by name."""

import os
from dataclasses import replace
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters import (
    aqa7,
    fis_v,
    folder,
    fr_fs,
    mit_skating,
    mtl_aqa,
    rhythmic_gymnastics,
)
from aqa_pipeline.datasets.synthetic import dataset as synthetic
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plugins import Registry
from aqa_pipeline.records import Dataset

OURS = {
    adapter.name: adapter
    for adapter in (
        mit_skating.ADAPTER,
        rhythmic_gymnastics.ADAPTER,
        mtl_aqa.ADAPTER,
        aqa7.ADAPTER,
        fr_fs.ADAPTER,
        fis_v.ADAPTER,
        folder.ADAPTER,
        synthetic.ADAPTER,
    )
}
DATASETS = Registry("dataset", OURS, of=DatasetAdapter, group="aqa.datasets")


def load_dataset(name: str, root: Path, *, called: str | None = None) -> Dataset:
    """The dataset `name` as found under `root`.

    `called` names an own folder (`folder`), by default as the folder itself is named.
    Raises `UnknownName` (with the known names) and `DatasetError` (with the layout that was expected).
    """
    adapter, root = DATASETS.find(name), Path(root)
    try:
        if not root.is_dir():
            raise DatasetError(
                f"{root} is not a folder. Expected for {name}:\n{adapter.layout}\n{adapter.where}"
            )
        dataset = adapter.load(root)
        return replace(dataset, name=_own_name(name, root, called), adapter=name)
    except OSError as error:  # a folder without permission, a name that no file system takes, ...
        raise DatasetError(f"{str(root)[:200]} cannot be read as {name}: {error.strerror}") from error


def _own_name(adapter: str, root: Path, called: str | None) -> str:
    """What the dataset is called in stores and runs. Raises `DatasetError` where another has that name."""
    if adapter != folder.NAME:
        if called not in (None, adapter):
            raise DatasetError(
                f"{adapter} has its name already; {called!r} can only name a folder of your own."
            )
        return adapter
    own = Path(os.path.abspath(root)).name if called is None else called
    if not own.strip() or (own in DATASETS and own != adapter):
        reason = "is the name of a known dataset" if own in DATASETS else "is no name"
        raise DatasetError(
            f"{own!r}, for the folder {root}, {reason}: choose another with --name, as my-videos."
        )
    return own
