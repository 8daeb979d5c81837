"""Two baselines beside every head: the training mean, and ridge regression on pooled features.

Both are fitted once per split on its training set. `split-NAME/baselines.csv` holds their predictions for the
test set. Ridge regression reads the mean and the standard deviation over time of every stream's features, and
the logarithm of the number of steps, all standardized. Its strength is chosen by leave-one-out on the
training set (scikit-learn).
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.untrusted.csv_fields import original_field
from heads.data.feature_set import FeatureSet
from heads.runs.trained_cell import read_rows, write_rows
from heads.runs.training_statistics import reference_features

FILE = "baselines.csv"
STRENGTHS = np.logspace(-3, 6, 25)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BaselineRow:
    """The judges' score of a test video and the predictions of both baselines, all raw."""

    video_id: str
    true: float
    mean: float
    ridge: float


def write_baselines(
    folder: Path, load: Callable[[], FeatureSet], *, train: NDArray[np.int64], test: NDArray[np.int64]
) -> None:
    """Fit the baselines of one split and write them into its folder, unless they are there."""
    if (folder / FILE).is_file():
        return
    samples = load()
    ridge = fit_ridge(pooled_numbers(samples), samples.labels, train=train, test=test)
    mean = float(samples.labels[train].mean())
    rows = [
        BaselineRow(samples.video_ids[video], float(samples.labels[video]), mean, float(predicted))
        for video, predicted in zip(test.tolist(), ridge, strict=True)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / FILE, [asdict(row) for row in rows])


def read_baselines(folder: Path) -> tuple[BaselineRow, ...] | None:
    """Return the baselines of a split, or None if they are not written yet; raise `RunError` for damage."""
    if not (folder / FILE).is_file():
        return None
    try:
        return tuple(
            BaselineRow(
                original_field(row["video_id"]), *(float(row[name]) for name in ("true", "mean", "ridge"))
            )
            for row in read_rows(folder / FILE)
        )
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise RunError(
            f"{folder / FILE} is damaged ({error!r}): delete it and run the same `aqa fit` command again."
        ) from error


def pooled_numbers(samples: FeatureSet) -> Floats:
    """Return `(video, number)`: per stream the mean and deviation of its steps, then the log of their count.

    The numbers of a stream without a step are nan. Only the reference view counts; maps are averaged over
    their grid positions.
    """
    return np.hstack([_pooled_stream(samples, stream) for stream in sorted(samples.lengths)])


def _pooled_stream(samples: FeatureSet, stream: str) -> Floats:
    rows = [_pooled_video(samples, stream, video) for video in range(len(samples.video_ids))]
    width = max(map(len, rows))
    return np.stack([row if len(row) else np.full(width, np.nan) for row in rows])


def _pooled_video(samples: FeatureSet, stream: str, video: int) -> Floats:
    num_steps = int(samples.lengths[stream][video])
    if not num_steps:
        return np.empty(0)
    steps = reference_features(samples.rows(stream, video))
    return np.concatenate([steps.mean(axis=0), steps.std(axis=0), [np.log(num_steps)]])


def fit_ridge(
    numbers: Floats, labels: Floats, *, train: NDArray[np.int64], test: Sequence[int] | NDArray[np.int64]
) -> Floats:
    """Return the predictions of the `test` rows by ridge regression fitted on the `train` rows."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), RidgeCV(alphas=STRENGTHS)
    )
    model.fit(numbers[train], labels[train])
    predicted: Floats = model.predict(numbers[test])
    return predicted
