"""The splits of a cross-validation, made from a dataset by their names alone, so that a run stores no more.

    fold-2-of-5          the second of five folds of all videos that have the target
    5-fold               all five of them
    group-Ann            tests the videos of the group Ann, and trains on those of all other groups
    leave-one-group-out  one such split for each group

Every video is in one test set. Folds keep whole groups together, as scikit-learn's `GroupKFold` does. Without
two groups, every fold spans the range of the target.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from aqa_pipeline.datasets.splits import balanced_folds, split_of, stratified_folds
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Split

LEAVE_ONE_GROUP_OUT = "leave-one-group-out"
FEWEST_TESTED = 2  # a single video has no rank
ALL_FOLDS = re.compile(r"([1-9]\d*)-fold")
ONE_FOLD = re.compile(r"fold-([1-9]\d*)-of-([1-9]\d*)")
OF_GROUP = "group-"


def name_of_folds(num_folds: int) -> str:
    """Return the name that stands for all of so many folds; raise `DatasetError` for fewer than 2."""
    if num_folds < 2:
        raise DatasetError(f"{num_folds} folds: expected 2 or more.")
    return f"{num_folds}-fold"


def choose_splits(dataset: Dataset, names: Sequence[str], *, target: str) -> list[Split]:
    """Return the splits of these names, as `Dataset.splits_named`, and the splits of a cross-validation.

    The videos of a cross-validation are those that have the target. Raises `UnknownName`, and `DatasetError`
    for a cross-validation that the dataset is too small for, and for a split that two names stand for.
    """
    splits = [split for name in names for split in _splits_of(dataset, name, target)]
    if not names:
        splits = dataset.splits_named(())
    twice = [name for name, times in Counter(split.name for split in splits).items() if times > 1]
    if twice:
        raise DatasetError(f"split {twice[0]!r} is named more than once: expected each split once.")
    return splits


def mixed_tasks(dataset: Dataset, names: Sequence[str]) -> tuple[str, ...]:
    """Return the dataset's own splits that a cross-validation of these splits' names mixes, or ().

    Several default splits of which no two share a video are different tasks, such as one per apparatus.
    """
    own = [dataset.splits[name] for name in dataset.default_splits if name in dataset.splits]
    videos = [video_id for split in own for video_id in (*split.train, *split.test)]
    is_derived = any(name not in dataset.splits for name in names)
    if len(own) < 2 or len(set(videos)) < len(videos) or not is_derived:
        return ()
    return dataset.default_splits


def _splits_of(dataset: Dataset, name: str, target: str) -> list[Split]:
    if name in dataset.splits:
        return [dataset.split(name)]
    if name == LEAVE_ONE_GROUP_OUT:
        return list(_leave_one_group_out(dataset, target).values())
    if kind := ALL_FOLDS.fullmatch(name):
        return list(_folds(dataset, target, num_folds=int(kind[1])).values())
    if fold := ONE_FOLD.fullmatch(name):
        return [_find(dataset, name, _folds(dataset, target, num_folds=int(fold[2])))]
    if name.startswith(OF_GROUP):
        return [_find(dataset, name, _leave_one_group_out(dataset, target))]
    return dataset.splits_named([name])


def _find(dataset: Dataset, name: str, splits: Mapping[str, Split]) -> Split:
    if name not in splits:
        raise UnknownName(f"split of {dataset.name}", name, splits)
    return splits[name]


def _folds(dataset: Dataset, target: str, *, num_folds: int) -> dict[str, Split]:
    scores = _scores(dataset, target)
    groups = _groups(dataset, scores)
    named = set(groups.values()) - {None}
    most = len(scores) // FEWEST_TESTED
    if not 2 <= num_folds <= most:
        videos, have = counted(len(scores), "video"), "has" if len(scores) == 1 else "have"
        raise DatasetError(
            f"{num_folds} folds of the {videos} of {dataset.name} that {have} a {target}: expected at "
            f"least {FEWEST_TESTED} videos in a fold, and so 2 to {most} folds."
        )
    if len(named) < 2:
        tested = stratified_folds(scores, num_folds)
    else:
        # A video without a group is a group of its own.
        tested = balanced_folds(
            {i: f"group {group}" if group else f"video {i}" for i, group in groups.items()}, num_folds
        )
        if min(map(len, tested)) < FEWEST_TESTED:
            raise DatasetError(
                f"{num_folds} folds of {dataset.name}, whose {len(named)} groups stay whole: expected at "
                f"least {FEWEST_TESTED} videos in a fold. Ask for fewer folds."
            )
    names = [f"fold-{number}-of-{num_folds}" for number in range(1, num_folds + 1)]
    return {name: split_of(name, list(scores), test=test) for name, test in zip(names, tested, strict=True)}


def _leave_one_group_out(dataset: Dataset, target: str) -> dict[str, Split]:
    scores = _scores(dataset, target)
    groups = _groups(dataset, scores)
    sizes = Counter(groups.values())
    advice = "Use folds instead (`--folds 5`): they keep groups whole."
    if without := [video_id for video_id, group in groups.items() if not group]:
        raise DatasetError(
            f"{len(without)} of {len(groups)} videos of {dataset.name} have no group, "
            f"such as {without[0]!r}. Leaving one group out needs a group for each video. {advice}"
        )
    if len(sizes) < 2:
        only = "".join(map(str, sizes))
        raise DatasetError(
            f"{dataset.name} has only the group {only!r}: expected 2 or more to leave one out. {advice}"
        )
    if small := [group for group, size in sizes.items() if size < FEWEST_TESTED]:
        raise DatasetError(
            f"{len(small)} of {len(sizes)} groups of {dataset.name} have a single video, such as "
            f"{small[0]!r}: expected at least {FEWEST_TESTED} to test. {advice}"
        )
    return {
        f"{OF_GROUP}{group}": split_of(
            f"{OF_GROUP}{group}",
            list(scores),
            test={i for i, its_group in groups.items() if its_group == group},
        )
        for group in sorted(map(str, sizes))
    }


def _scores(dataset: Dataset, target: str) -> dict[str, float]:
    return {video.video_id: video.labels[target] for video in dataset.videos if target in video.labels}


def _groups(dataset: Dataset, of: Mapping[str, float]) -> dict[str, str | None]:
    return {video.video_id: video.group for video in dataset.videos if video.video_id in of}
