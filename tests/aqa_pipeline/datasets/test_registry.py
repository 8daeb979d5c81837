"""The dataset names: all usable, all explained, cheap to list."""

import subprocess
import sys
from pathlib import Path

import pytest

from aqa_pipeline.datasets import DATASETS, load_dataset
from aqa_pipeline.errors import DatasetError, UnknownName


def test_names() -> None:
    official = [
        "mit-skating",
        "rhythmic-gymnastics",
        "mtl-aqa",
        "aqa7",
        "fr-fs",
        "fis-v",
        "jigsaws",
        "finediving",
        "logo",
        "finefs",
        "fs1000",
        "ui-prmd",
    ]
    assert list(DATASETS) == [*official, "folder", "synthetic"]


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_explains_itself(name: str, tmp_path: Path) -> None:
    adapter = DATASETS[name]
    assert adapter.name == name
    assert "\n" not in adapter.title
    assert "ROOT/" in adapter.layout
    with pytest.raises(DatasetError) as error:
        load_dataset(name, tmp_path)
    assert adapter.where in str(error.value)
    assert adapter.layout in str(error.value)


@pytest.mark.parametrize("name", DATASETS)
def test_root_that_is_no_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        load_dataset(name, tmp_path / "nowhere")


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownName,
        match=r"'mit-skate'.*Did you mean 'mit-skating'.*folder, fr-fs, fs1000, jigsaws, logo, mit-skating",
    ):
        load_dataset("mit-skate", tmp_path)


def test_listing_datasets_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'av', 'cv2', 'pandas', 'scipy', 'decord', 'h5py', 'xlrd'}"
    code = f"import sys, aqa_pipeline.datasets; print({heavy} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
