"""The score of a video with its interval, its rank among the training scores, and warnings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Record, Target
from heads.evaluation.against_baselines import AgainstBaselines, against_baselines
from heads.evaluation.conformal_interval import ScoreInterval, percentile_among, score_interval
from heads.evaluation.two_class_target import TwoClassTarget, two_class_target
from heads.evaluation.verdict import Verdict, verdict_of
from heads.runs.inner_choice import out_of_fold_residuals
from heads.runs.predictions import Predicted, over_seeds_of
from heads.runs.title import run_flags
from heads.runs.trained_cell import TrainedCell, read_cell
from heads.runs.training_statistics import TrainingStatistics, read_training_statistics
from heads.scoring.ensemble import Ensemble
from heads.scoring.input_warnings import OWN_FILE, input_warnings, reason_not_scored
from heads.scoring.predict import Prediction, predict
from heads.scoring.tracking import tracking_warnings
from heads.scoring.visible_parts import out_of_view_warnings

OWN_VIDEO = "Not scored: this video is in the run's training set."


@dataclass(frozen=True, eq=False)
class Scorer:
    """An ensemble with the errors on its test videos and the statistics of its training videos.

    `residuals` (video,) are true minus predicted scores of the test videos, or with `out_of_fold` of the
    training videos, each predicted without its own inner fold. `training_scores` (video,) the
    judges' scores of the training videos; both on the raw scale, each video once. `facts` has one entry per
    split. `classes` is None unless the target has two classes. `verdict` is None for a control and for an
    unfinished run.
    """

    ensemble: Ensemble
    target: Target
    flags: tuple[str, ...]
    residuals: NDArray[np.float64]
    training_scores: NDArray[np.float64]
    facts: tuple[TrainingStatistics | None, ...]
    classes: TwoClassTarget | None = None
    verdict: Verdict | None = None
    out_of_fold: bool = False

    @cached_property
    def beside(self) -> AgainstBaselines | None:
        """The run's metric on its test videos beside the baselines; None for a run without any."""
        return against_baselines(self.ensemble.run_dir)


@dataclass(frozen=True, eq=False)
class ScoredVideo:
    """One video's prediction with its interval, its percentile among the training scores, and warnings.

    A probability has neither interval nor percentile, for the true value is 0 or 1. `not_scored` says why
    the score means nothing; it is None for a meaningful score.
    """

    name: str
    prediction: Prediction
    interval: ScoreInterval | None
    percentile: float | None
    warnings: tuple[str, ...]
    not_scored: str | None = None

    @property
    def score(self) -> float:
        """The score on the raw scale of the judges; nan if `not_scored` says why it would mean nothing."""
        return math.nan if self.not_scored else self.prediction.score

    @property
    def effects(self) -> Mapping[str, NDArray[np.float64]]:
        """The score minus the score without each step (time,) per stream, on the scale of the score."""
        return self.prediction.effects

    @property
    def attention(self) -> Mapping[str, NDArray[np.float64]]:
        """The weight of each step (time,) per stream; the steps' seconds are in `prediction.pts_seconds`."""
        return self.prediction.attention

    @property
    def decimals(self) -> int:
        """The number of decimals to print of the score."""
        return self.interval.decimals if self.interval else 3

    def __repr__(self) -> str:
        score = self.not_scored or f"score {self.score:.{self.decimals}f}"
        interval = f" ± {self.interval.half_width:.{self.decimals}f}" if self.interval else ""
        steps = ", ".join(f"{stream} {weights.shape}" for stream, weights in self.attention.items())
        warnings = counted(len(self.warnings), "warning")
        return f"ScoredVideo({self.name}: {score}{interval}; {warnings}; steps of {steps})"


def make_scorer(ensemble: Ensemble) -> Scorer:
    """Return the scorer of an ensemble; read its test errors and training statistics from the run."""
    by_split: dict[str, list[TrainedCell]] = {}
    for cell in ensemble.cells:
        by_split.setdefault(cell.split, []).append(
            read_cell(ensemble.run_dir, split=cell.split, seed=cell.seed)
        )
    predicted = [over_seeds_of(cells) for cells in by_split.values()]
    true, told = _once_per_video(predicted)
    training = _training_scores([cells[0] for cells in by_split.values()])
    config = ensemble.config
    inner = out_of_fold_residuals(ensemble.run_dir, list(by_split))
    return Scorer(
        ensemble=ensemble,
        target=config.target,
        flags=run_flags(config),
        residuals=true - told if inner is None else inner,
        out_of_fold=inner is not None,
        training_scores=training,
        facts=tuple(read_training_statistics(ensemble.split_folder(split)) for split in by_split),
        classes=two_class_target(config, list(by_split), predicted=told, true=true, training=training),
        verdict=None if config.training.shuffle_labels else verdict_of(ensemble.run_dir, config, predicted),
    )


def _once_per_video(splits: Sequence[Predicted]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return true and predicted scores (video,), each test video once; several splits are averaged."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for split in splits:
        for video, true, told in zip(split.videos, split.true, split.predicted.mean(axis=0), strict=True):
            rows.setdefault(video, []).append((float(true), float(told)))
    true, told = np.array([np.mean(of_video, axis=0) for of_video in rows.values()]).T
    return true, told


def score_video(
    scorer: Scorer, name: str, records: Mapping[str, Record], *, expected: bool = False
) -> ScoredVideo:
    """Return the scored video from its records, one per stream of the run; raise as `predict`.

    `expected` says that the video belongs to the run's dataset: then it is not compared with the training
    videos.
    """
    prediction = predict(scorer.ensemble, records)
    told = () if expected else input_warnings(records, scorer.facts)
    in_training = (OWN_VIDEO if prediction.seen_in_training else None) or (
        OWN_FILE if OWN_FILE in told else None
    )
    reason = None if expected else reason_not_scored(records, scorer.facts)
    is_score = scorer.classes is None
    return ScoredVideo(
        name=name,
        prediction=prediction,
        interval=score_interval(prediction.scores, scorer.residuals, target=scorer.target)
        if is_score
        else None,
        percentile=percentile_among(prediction.score, scorer.training_scores) if is_score else None,
        warnings=(
            *(each for each in told if each != OWN_FILE),
            *tracking_warnings(records),
            *out_of_view_warnings(records),
        ),
        not_scored=in_training or (f"Not scored: {reason}." if reason else None),
    )


def _training_scores(cells: Sequence[TrainedCell]) -> NDArray[np.float64]:
    """Return the judges' scores (video,) of the cells' training videos, each video once."""
    rows = {row.video_id: row.true for cell in cells for row in cell.predictions if row.part != "test"}
    return np.array(list(rows.values()), dtype=np.float64)
