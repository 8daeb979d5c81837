"""Look up and load datasets by name."""

import os
from dataclasses import replace
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters import (
    aqa7,
    finefs,
    fis_v,
    folder,
    fr_fs,
    fs1000,
    jigsaws,
    mit_skating,
    mtl_aqa,
    rhythmic_gymnastics,
    ui_prmd,
)
from aqa_pipeline.datasets.adapters.events import finediving, logo
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
        jigsaws.ADAPTER,
        finediving.ADAPTER,
        logo.ADAPTER,
        finefs.ADAPTER,
        fs1000.ADAPTER,
        ui_prmd.ADAPTER,
        folder.ADAPTER,
        synthetic.ADAPTER,
    )
}
DATASETS = Registry("dataset", OURS, of=DatasetAdapter, group="aqa.datasets")


def load_dataset(name: str, root: Path, *, called: str | None = None) -> Dataset:
    """Load the dataset `name` from the folder `root`.

    `called` gives a name to a `folder` dataset; the default is the name of the folder. Raises `UnknownName`
    with the known names, and `DatasetError` with the expected layout.
    """
    adapter, root = DATASETS.find(name), Path(root)
    try:
        if not root.is_dir():
            raise DatasetError(
                f"{root} is not a folder. Expected for {name}:\n{adapter.layout}\n{adapter.where}"
            )
        dataset = adapter.load(root)
        return replace(dataset, name=_own_name(name, root, called), adapter=name)
    except OSError as error:  # a folder without permission, a name that no file system accepts, ...
        raise DatasetError(f"{str(root)[:200]} cannot be read as {name}: {error.strerror}") from error


def _own_name(adapter: str, root: Path, called: str | None) -> str:
    """Return the name of the dataset in stores and runs. Raise `DatasetError` for a name that is taken."""
    if adapter != folder.NAME:
        if called not in (None, adapter):
            raise DatasetError(
                f"the dataset {adapter} cannot be renamed to {called!r}: leave out --name, which names only "
                "a folder of your own."
            )
        return adapter
    own = Path(os.path.abspath(root)).name if called is None else called
    if not own.strip() or (own in DATASETS and own != adapter):
        reason = "is the name of a known dataset" if own in DATASETS else "is not a name"
        raise DatasetError(
            f"{own!r}, for the folder {root}, {reason}: choose another with --name, such as my-videos."
        )
    return own
