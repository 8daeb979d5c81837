"""Labels of Rhythmic Gymnastics: many routines to learn from, or a few to draw features for."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Dataset

HEADER = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
NAME = "rhythmic-gymnastics"


def write_labels(root: Path, *, num_train: int, num_test: int) -> Path:
    """Write label files of routines with the ball, as the authors have them, with random scores."""
    rng = np.random.default_rng(0)
    rows = [
        f"Ball_{number:03d}\t5\t5\t{rng.uniform(4, 24):.2f}\t0.00\t{rng.integers(87, 100)}"
        for number in range(1, num_train + num_test + 1)
    ]
    root.mkdir(parents=True)
    (root / "train.txt").write_text("\n".join([HEADER, *rows[:num_train]]) + "\n")
    (root / "test.txt").write_text("\n".join([HEADER, *rows[num_train:]]) + "\n")
    return root


@pytest.fixture(scope="session")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("balls") / "rg"
    return load_dataset(NAME, write_labels(root, num_train=250, num_test=250))


@pytest.fixture
def few(tmp_path: Path) -> Dataset:
    return load_dataset(NAME, write_labels(tmp_path / "rg", num_train=3, num_test=2))
