"""What the network inside a stack predicts for inner folds of a training set; all seeds of a split share it.

inner_network.csv  video_id, fold (from 0), predicted (in standard units), in the order of the training set
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.untrusted.csv_fields import original_field
from heads.runs.trained_cell import read_rows, write_rows

FILE = "inner_network.csv"


@dataclass(frozen=True, eq=False)
class InnerNetwork:
    """The inner folds, as places in the training set, and the predictions `(video)` for held-out videos."""

    folds: tuple[NDArray[np.int64], ...]
    predicted: NDArray[np.float64]


def write_inner_network(folder: Path, inner: InnerNetwork, *, video_ids: Sequence[str]) -> None:
    """Write the predictions for the training videos into the folder of their split."""
    fold_of = {place: fold for fold, places in enumerate(inner.folds) for place in places.tolist()}
    rows = [
        {"video_id": video_id, "fold": fold_of[place], "predicted": float(inner.predicted[place])}
        for place, video_id in enumerate(video_ids)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / FILE, rows)


def read_inner_network(folder: Path, *, video_ids: Sequence[str]) -> InnerNetwork | None:
    """Return the predictions of a split, or None without any; raise `RunError` if they do not fit."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        rows = list(read_rows(path))
        if [original_field(row["video_id"]) for row in rows] != list(video_ids):
            raise ValueError("it is of other videos")
        fold_of = np.array([int(row["fold"]) for row in rows])
        predicted = np.array([float(row["predicted"]) for row in rows])
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise RunError(
            f"{path} is damaged ({error!r}). Delete it and run the same `aqa fit` command again."
        ) from error
    return InnerNetwork(tuple(np.flatnonzero(fold_of == fold) for fold in np.unique(fold_of)), predicted)
