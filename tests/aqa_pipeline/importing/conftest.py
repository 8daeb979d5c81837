"""Label files of twelve routines, and features of them in the layouts that circulate."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.importing.feature_sources import FeatureFiles
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store

HEADER = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
NAME = "rhythmic-gymnastics"
IDS = [f"Ball_{number:03d}" for number in range(1, 13)]


def draw(seed: int, *, steps: tuple[int, int], dim: int, dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.abs(rng.standard_normal((rng.integers(*steps), dim))).astype(dtype)


def save(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for video_id, array in arrays.items():
        np.save(folder / f"{video_id}.npy", array)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [f"{video_id}\t5\t5\t{10 + index / 2}\t0.00\t92" for index, video_id in enumerate(IDS)]
    root = tmp_path / "rg"
    root.mkdir()
    (root / "train.txt").write_text("\n".join([HEADER, *rows[:8]]) + "\n")
    (root / "test.txt").write_text("\n".join([HEADER, *rows[8:]]) + "\n")
    return root


@pytest.fixture
def dataset(root: Path) -> Dataset:
    return load_dataset(NAME, root)


@pytest.fixture
def dynamic(tmp_path: Path) -> Path:
    """In the authors' layout: 27 to 30 segments of 1024 numbers."""
    arrays = {v: draw(at, steps=(27, 31), dim=1024) for at, v in enumerate(IDS)}
    return save(tmp_path / "dynamic_feat", arrays)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """In the authors' layout: 60 to 92 crops of 2048 numbers."""
    arrays = {v: draw(at, steps=(60, 93), dim=2048) for at, v in enumerate(IDS)}
    return save(tmp_path / "static_feat", arrays)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s")


@pytest.fixture
def features() -> Callable[..., np.ndarray]:
    """`features(seed, steps=(low, high), dim=dim)`: random (time, dim), of low to high - 1 steps."""
    return draw


@pytest.fixture
def save_folder() -> Callable[[Path, dict[str, np.ndarray]], Path]:
    """`save_folder(folder, arrays)` saves each array as NAME.npy and returns the folder."""
    return save


@pytest.fixture
def small() -> Callable[[Path, dict[str, np.ndarray]], FeatureFiles]:
    """`small(tmp_path, arrays)` saves the arrays and returns them as the stream `vst`."""
    return lambda tmp_path, arrays: FeatureFiles("vst", "folder", (save(tmp_path / "small", arrays),))
