"""The baselines beside every head: training mean, ridge, Gaussian-kernel and linear support vectors.

They are fitted once per split on its training set; `split-NAME/baselines.csv` holds their predictions for the
test set. Each is also a head (`aqa fit --head ridge`): see regressors.py and pooled_svr.py of
heads/models/closed_form.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.errors import RunError
from aqa_pipeline.untrusted.csv_fields import original_field
from heads.data.feature_set import FeatureSet
from heads.models.closed_form.numpy_state import numpy_state_kept
from heads.models.closed_form.pooled_svr import build_average
from heads.models.closed_form.regressors import (
    ClosedFormHead,
    GaussianKernelHead,
    MeanHead,
    RidgeHead,
    inner_folds,
)
from heads.runs.trained_cell import read_rows, write_rows
from heads.runs.training_statistics import reference_features

FILE = "baselines.csv"
NUM_FOLDS = 5
SEED = 0  # of the inner folds

Floats = NDArray[np.float64]
Build = Callable[[Mapping[str, int]], ClosedFormHead]


@dataclass(frozen=True)
class BaselineRow:
    """The judges' score of a test video and the predictions of the baselines, all raw."""

    video_id: str
    true: float
    mean: float
    ridge: float
    rbf_svr: float = nan
    svr_average: float = nan


# By column. `svr-average` reads one stream, the first.
BASELINES: dict[str, Build] = {
    "mean": MeanHead,
    "ridge": RidgeHead,
    "rbf_svr": GaussianKernelHead,
    "svr_average": lambda dims: build_average(dict([next(iter(dims.items()))])),
}


def head_name(column: str) -> str:
    """Return the name of the head that a column of baselines.csv is of."""
    return column.replace("_", "-")


def write_baselines(
    folder: Path,
    load: Callable[[], FeatureSet],
    *,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    groups: Sequence[str | None] = (),
) -> None:
    """Fit the baselines of one split and write them into its folder, unless they are there.

    `groups` names what belongs together, one name per video of the features, or is empty.
    """
    if (folder / FILE).is_file():
        return
    samples = load()
    predicted = predict_baselines(samples, train=train, test=test, groups=groups)
    rows = [
        BaselineRow(
            samples.video_ids[video],
            float(samples.labels[video]),
            **{name: float(scores[place]) for name, scores in predicted.items()},
        )
        for place, video in enumerate(test.tolist())
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / FILE, [asdict(row) for row in rows])


def read_baselines(folder: Path) -> tuple[BaselineRow, ...] | None:
    """Return the baselines of a split, or None if they are not written yet; raise `RunError` for damage."""
    if not (folder / FILE).is_file():
        return None
    try:
        return tuple(
            BaselineRow(original_field(row["video_id"]), *(float(row[name]) for name in ("true", *BASELINES)))
            for row in read_rows(folder / FILE)
        )
    except (OSError, ValueError, LookupError, TypeError, csv.Error) as error:
        raise RunError(
            f"{folder / FILE} is damaged ({error!r}): delete it and run the same `aqa fit` command again."
        ) from error


def predict_baselines(
    samples: FeatureSet,
    *,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    groups: Sequence[str | None] = (),
) -> dict[str, Floats]:
    """Return the raw predictions `(test video)` of every baseline, fitted on the training set."""
    labels = samples.labels[train]
    mean, deviation = float(labels.mean()), float(labels.std()) or 1.0
    named = [groups[video] for video in train.tolist()] if groups else []
    whole = [name for name in named if name is not None]
    folds = inner_folds(
        len(train),
        num_folds=NUM_FOLDS,
        seed=SEED,
        groups=whole if whole and len(whole) == len(named) else None,
    )
    features, masks = _reference_streams(samples)
    dims = {stream: padded.shape[-1] for stream, padded in features.items()}
    predicted = {}
    for name, build in BASELINES.items():
        head = build(dims)
        with numpy_state_kept():
            head.fit_videos(
                *_of_videos(features, masks, train), (labels - mean) / deviation, folds=folds, seed=SEED
            )
        scores = head(*_of_videos(features, masks, test)).scores.double().numpy()
        predicted[name] = scores * deviation + mean
    return predicted


def _reference_streams(samples: FeatureSet) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return features `(video, time, dim)` and masks; maps are averaged over their grid positions."""
    features, masks = {}, {}
    for stream, lengths in samples.lengths.items():
        longest = max(1, int(lengths.max()))
        padded = torch.zeros(len(lengths), longest, samples.dims[stream])
        for video, length in enumerate(lengths.tolist()):
            if length:
                steps = reference_features(samples.rows(stream, video))
                padded[video, :length] = torch.from_numpy(steps).float()
        features[stream] = padded
        masks[stream] = torch.arange(longest) < lengths[:, None]
    return features, masks


def _of_videos(
    features: Mapping[str, Tensor], masks: Mapping[str, Tensor], videos: NDArray[np.int64]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    chosen = torch.from_numpy(videos)
    return (
        {stream: padded[chosen] for stream, padded in features.items()},
        {stream: mask[chosen] for stream, mask in masks.items()},
    )
