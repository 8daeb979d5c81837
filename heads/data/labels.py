"""The labels that a head is trained on: the target itself, the execution alone, or the judges' marks.

Tang et al., "Uncertainty-aware Score Distribution Learning for Action Quality Assessment", CVPR 2020;
TSA-Net, ACM MM 2021, after eq. 9: where a dataset has a difficulty degree, the head predicts the execution,
and execution x difficulty is the final score. MUSDL is trained on the marks of seven judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Split, Target
from heads.data.feature_set import raw_labels
from heads.data.judges import NUM_JUDGES
from heads.data.score_scale import ScoreScale

Floats = NDArray[np.float64]

SCORE, EXECUTION, DIFFICULTY = "score", "execution", "difficulty"
JUDGES = tuple(f"judge-{number}" for number in range(1, NUM_JUDGES + 1))


@dataclass(frozen=True)
class LabelChoice:
    """The labels that a head is `trained_on` (one, or a mark of each judge) and the one that it predicts.

    The predicted label, multiplied by `factor` if there is one, is the run's target.
    """

    trained_on: tuple[Target, ...]
    predicted: Target
    factor: Target | None = None

    @property
    def is_target_alone(self) -> bool:
        """True if the head is trained on the run's target and predicts it."""
        return self.trained_on == (self.predicted,) and self.factor is None

    def needed(self, target: Target) -> tuple[str, ...]:
        """Return the names of all labels that a training or test video must have."""
        factor = (self.factor,) if self.factor else ()
        return tuple(dict.fromkeys(each.name for each in (target, self.predicted, *self.trained_on, *factor)))


@dataclass(frozen=True, eq=False)
class FinalScores:
    """The `true` scores `(video)`, and what turns a head's normalised scores into final ones.

    A normalised score is restored to the scale and multiplied by the video's factor.
    """

    true: Floats
    scale: ScoreScale
    factors: Floats

    def of(self, scores: Floats, videos: NDArray[np.int64]) -> Floats:
        """Return the final scores of these videos from their normalised scores."""
        return self.scale.restore(scores) * self.factors[videos]


def choose_labels(dataset: Dataset, target: Target, *, of_judges: bool, difficulty: bool) -> LabelChoice:
    """Choose the labels for a target: itself, or with `difficulty` or `of_judges` those that it is made of.

    Raises `RunError` for a dataset without these labels, and for a target that is not made of them.
    """
    if not of_judges and not difficulty:
        return LabelChoice((target,), target)
    if target.name != SCORE and (difficulty or target.name != EXECUTION):
        wanted = SCORE if difficulty else f"{SCORE} or {EXECUTION}"
        raise RunError(f"target {target.name!r} is not made of an execution: expected {wanted}.")
    execution = _find(dataset, [EXECUTION])[0]
    factor = _find(dataset, [DIFFICULTY])[0] if target.name == SCORE else None
    return LabelChoice(_find(dataset, JUDGES) if of_judges else (execution,), execution, factor)


def _find(dataset: Dataset, names: Sequence[str]) -> tuple[Target, ...]:
    known = {target.name: target for target in dataset.targets}
    absent = [name for name in names if name not in known]
    if absent:
        raise RunError(
            f"{dataset.name} has no {', '.join(absent)}, only {', '.join(known)}: expected a dataset with a "
            "difficulty, and for heads of judges their marks, such as mtl-aqa with "
            "augmented_final_annotations_dict.pkl."
        )
    return tuple(known[name] for name in names)


def find_unlabeled(dataset: Dataset, names: Sequence[str], splits: Sequence[Split]) -> tuple[str, ...]:
    """Return the videos of these splits that lack one of these labels, sorted by id.

    Raises `RunError` where all of them do.
    """
    labels = {video.video_id: video.labels for video in dataset.videos}
    in_splits = {video_id for split in splits for video_id in (*split.train, *split.test)}
    lacking = sorted(v for v in in_splits if not all(name in labels.get(v, {}) for name in names))
    if lacking and len(lacking) == len(in_splits):
        videos = counted(len(lacking), "video")
        raise RunError(
            f"none of the {videos} of {dataset.name} has {' and '.join(names)}: choose another "
            "target, or complete the label file."
        )
    return tuple(lacking)


def training_labels(dataset: Dataset, labels: LabelChoice, video_ids: Sequence[str]) -> Floats:
    """Return the raw labels that a head is trained on: `(video)`, or `(video, judge)` for several."""
    columns = [raw_labels(dataset, target, video_ids) for target in labels.trained_on]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def factors_of(dataset: Dataset, labels: LabelChoice, video_ids: Sequence[str]) -> Floats:
    """Return the factor `(video)` of each predicted label: the difficulty, or 1 without one."""
    return raw_labels(dataset, labels.factor, video_ids) if labels.factor else np.ones(len(video_ids))
