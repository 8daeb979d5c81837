"""What inner cross-validation chose for a split, and its predictions for the training set.

choice.json      every regularization that was tried, the kept one, and the number of epochs
out_of_fold.csv  video_id, true, predicted (raw): each training video predicted without its own inner fold
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from aqa_pipeline.errors import RunError
from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.store import write_whole
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from aqa_pipeline.untrusted.csv_fields import original_field
from heads.recipes import MetricName, Regularization
from heads.runs.trained_cell import read_rows, split_folder, write_rows

CHOICE_FILE, OUT_OF_FOLD_FILE = "choice.json", "out_of_fold.csv"


@dataclass(frozen=True)
class TriedRegularization:
    """A regularization with the epoch that its inner folds liked best, and their metric after it.

    Only the first `num_folds` of the inner folds were trained: fewer than all if it was given up.
    """

    regularization: Regularization
    best_epoch: int
    value: float
    num_folds: int


@dataclass(frozen=True)
class InnerChoice:
    """The tried regularizations of one split, and what was kept. `why` says it in a sentence.

    `ridge_share` is the weight of ridge regression in the score, None for a head without it.
    """

    metric: MetricName
    num_folds: int
    tried: tuple[TriedRegularization, ...]
    regularization: Regularization
    epochs: int
    ridge_share: float | None
    why: str


@dataclass(frozen=True)
class OutOfFold:
    """The judges' score of a training video and its out-of-fold prediction, both raw."""

    video_id: str
    true: float
    predicted: float


def write_choice(folder: Path, choice: InnerChoice) -> None:
    """Write the choice into the folder of its split."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / CHOICE_FILE, (json.dumps(asdict(choice), indent=2) + "\n").encode())


def read_choice(folder: Path) -> InnerChoice | None:
    """Return the choice of a split, or None without one; raise `RunError` for a damaged file."""
    path = folder / CHOICE_FILE
    if not path.is_file():
        return None
    try:
        return TypeAdapter(InnerChoice).validate_python(read_bounded_json(path, most_bytes=RUN_BYTES))
    except ValidationError as error:
        raise RunError(f"{path} does not fit: {explain_misfit(error)}. {_AGAIN}") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}). {_AGAIN}") from error


def write_out_of_fold(folder: Path, rows: Sequence[OutOfFold]) -> None:
    """Write the out-of-fold predictions into the folder of their split."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / OUT_OF_FOLD_FILE, [asdict(row) for row in rows])


def read_out_of_fold(folder: Path) -> tuple[OutOfFold, ...] | None:
    """Return the out-of-fold predictions of a split, or None without any; raise `RunError` for damage."""
    path = folder / OUT_OF_FOLD_FILE
    if not path.is_file():
        return None
    try:
        return tuple(
            OutOfFold(original_field(row["video_id"]), float(row["true"]), float(row["predicted"]))
            for row in read_rows(path)
        )
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise RunError(f"{path} is damaged ({error!r}). {_AGAIN}") from error


def out_of_fold_residuals(run_dir: Path, splits: Sequence[str]) -> NDArray[np.float64] | None:
    """Return a residual (video,) of each training video of all splits, or None if a split has none.

    A video that several splits train on has the mean of its residuals: copies of it would be no new errors.
    """
    of_videos: dict[str, list[float]] = {}
    for split in splits:
        rows = read_out_of_fold(split_folder(run_dir, split))
        if not rows:
            return None
        for row in rows:
            of_videos.setdefault(row.video_id, []).append(row.true - row.predicted)
    return np.array([np.mean(residuals) for residuals in of_videos.values()])


_AGAIN = "Delete it and run the same `aqa fit` command again."
