"""The datasets by name."""

from pathlib import Path

from aqa_pipeline.datasets import (
    aqa7,
    fis_v,
    folder,
    fr_fs,
    mit_skating,
    mtl_aqa,
    rhythmic_gymnastics,
    synthetic,
)
from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset

DATASETS: dict[str, DatasetAdapter] = {
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


def load_dataset(name: str, root: Path) -> Dataset:
    """The dataset `name` as found under `root`.

    Raises `UnknownName` (with the known names) and `DatasetError` (with the layout that was expected).
    """
    if name not in DATASETS:
        raise UnknownName("dataset", name, DATASETS)
    adapter, root = DATASETS[name], Path(root)
    try:
        if not root.is_dir():
            raise DatasetError(
                f"{root} is not a folder. Expected for {name}:\n{adapter.layout}\n{adapter.where}"
            )
        return adapter.load(root)
    except OSError as error:  # a folder without permission, a name that no file system takes, ...
        raise DatasetError(f"{str(root)[:200]} cannot be read as {name}: {error.strerror}") from error
