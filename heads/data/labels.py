"""What a head learns of a target: the score itself, the execution without its difficulty, or judges' marks.

Tang et al., "Uncertainty-aware Score Distribution Learning for Action Quality Assessment", CVPR 2020;
TSA-Net, ACM MM 2021, after eq. 9: where a dataset has a difficulty degree, the head tells how well a dive was
executed, and its score times the difficulty is the final one. MUSDL learns the marks of seven judges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, Split, Target
from heads.data.feature_set import raw_labels
from heads.data.judges import NUM_JUDGES
from heads.data.score_scale import ScoreScale

Floats = NDArray[np.float64]

SCORE, EXECUTION, DIFFICULTY = "score", "execution", "difficulty"
JUDGES = tuple(f"judge-{number}" for number in range(1, NUM_JUDGES + 1))


@dataclass(frozen=True)
class Learned:
    """`targets` are what training compares with: one, or a mark of each judge.

    The head's scores are of `scored`. Times `factor`, where there is one, they are of the run's target.
    """

    targets: tuple[Target, ...]
    scored: Target
    factor: Target | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is the run's target and nothing else."""
        return self.targets == (self.scored,) and self.factor is None

    def needed(self, target: Target) -> tuple[str, ...]:
        """Return the names of all labels that a video must have to be learned from and tested on."""
        factor = (self.factor,) if self.factor else ()
        return tuple(dict.fromkeys(each.name for each in (target, self.scored, *self.targets, *factor)))


@dataclass(frozen=True, eq=False)
class FinalScores:
    """Final scores: the `true` ones per video, and what makes them of a head's normalised ones.

    Those are restored to the scale, and multiplied by each video's factor.
    """

    true: Floats
    scale: ScoreScale
    factors: Floats

    def of(self, scores: Floats, videos: NDArray[np.int64]) -> Floats:
        """Raw final scores of these videos, whose normalised scores are given."""
        return self.scale.restore(scores) * self.factors[videos]


def choose_learned(dataset: Dataset, target: Target, *, of_judges: bool, difficulty: bool) -> Learned:
    """What a head learns for that target; with `difficulty`, or `of_judges`, something else than the target.

    Raises `RunError` for a dataset without the labels, and for a target that is not what they make up.
    """
    if not of_judges and not difficulty:
        return Learned((target,), target)
    if target.name != SCORE and (difficulty or target.name != EXECUTION):
        wanted = SCORE if difficulty else f"{SCORE} or {EXECUTION}"
        raise RunError(f"target {target.name!r} is not made of an execution: expected {wanted}.")
    execution = _find(dataset, [EXECUTION])[0]
    factor = _find(dataset, [DIFFICULTY])[0] if target.name == SCORE else None
    return Learned(_find(dataset, JUDGES) if of_judges else (execution,), execution, factor)


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
        raise RunError(
            f"none of the {len(lacking)} videos of {dataset.name} has {' and '.join(names)}: choose another "
            "target, or complete the label file."
        )
    return tuple(lacking)


def learned_labels(dataset: Dataset, learned: Learned, video_ids: Sequence[str]) -> Floats:
    """Raw labels that training compares with: `video`, or `video judge` of several targets."""
    columns = [raw_labels(dataset, target, video_ids) for target in learned.targets]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def factors_of(dataset: Dataset, learned: Learned, video_ids: Sequence[str]) -> Floats:
    """What each video's score is multiplied by: 1 without a difficulty."""
    return raw_labels(dataset, learned.factor, video_ids) if learned.factor else np.ones(len(video_ids))
