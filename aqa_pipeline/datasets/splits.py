"""Make splits from a seed: pure functions of ids, groups and sizes."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

from aqa_pipeline.records import Split

NUM_SPLITS = 5


def official_split(ids: Mapping[str, Sequence[str]]) -> dict[str, Split]:
    """Return the split `official` of the training ids, the first entry, and the test ids, the second.

    The result is empty if one side has no video.
    """
    train, test = map(tuple, ids.values())
    return {"official": Split("official", train=train, test=test)} if train and test else {}


def random_splits(ids: Sequence[str], *, num_test: int, num_splits: int = NUM_SPLITS) -> dict[str, Split]:
    """Return the splits `random-0`, `random-1`, ... with `num_test` test videos each, drawn by seed."""
    names = {f"random-{seed}": seed for seed in range(num_splits)}
    return {name: random_split(name, ids, num_test=num_test, seed=seed) for name, seed in names.items()}


def random_split(name: str, ids: Sequence[str], *, num_test: int, seed: int) -> Split:
    """Return a split with `num_test` test videos, drawn by seed. Both sets keep the order of `ids`."""
    return split_of(name, ids, test=set(_shuffled(ids, seed=seed)[:num_test]))


def grouped_splits(
    groups: Mapping[str, str], *, num_test: int, num_splits: int = NUM_SPLITS
) -> dict[str, Split]:
    """Return the splits `grouped-0`, ...: no group is in both the training set and the test set.

    `groups` maps video id to group. In an order drawn by seed, a group joins the test set if that brings the
    number of test videos closer to `num_test`. If no group does, the smallest group is the test set. One
    group at least stays in the training set. The result is empty for fewer than two groups.
    """
    sizes = Counter(groups.values())
    if len(sizes) < 2:
        return {}
    splits = {}
    for seed in range(num_splits):
        chosen: set[str] = set()
        count = 0
        for group in _shuffled(sorted(sizes), seed=seed):
            fits_better = abs(count + sizes[group] - num_test) < abs(count - num_test)
            if fits_better and len(chosen) < len(sizes) - 1:  # the training set must not be empty
                chosen.add(group)
                count += sizes[group]
        chosen = chosen or {min(sorted(sizes), key=sizes.__getitem__)}  # a test set must not be empty
        name = f"grouped-{seed}"
        splits[name] = split_of(
            name, list(groups), test={i for i, group in groups.items() if group in chosen}
        )
        assert splits[name].train
        assert not chosen & {groups[i] for i in splits[name].train}
    return splits


def folds(kind: str, groups: Mapping[str, str]) -> dict[str, Split]:
    """Return the folds `KIND-0`, `KIND-1`, ...: every video is in one test set, with all videos of its group.

    `groups` maps video id to group. There are five folds, or fewer if a test set would have a single video,
    which has no rank. The result is empty for fewer than two groups.
    """
    num_groups = len(set(groups.values()))
    if num_groups < 2:
        return {}
    at_most = min(NUM_SPLITS, num_groups)
    tries = [balanced_folds(groups, num_folds) for num_folds in range(at_most, 1, -1)]
    tested = next((found for found in tries if min(map(len, found)) > 1), tries[-1])
    return {
        f"{kind}-{at}": split_of(f"{kind}-{at}", list(groups), test=test) for at, test in enumerate(tested)
    }


def balanced_folds(groups: Mapping[str, str], num_folds: int) -> list[set[str]]:
    """Return folds of nearly equal size, as scikit-learn's `GroupKFold` makes them.

    `groups` maps video id to group. The largest remaining group joins the smallest fold. Seed 0 draws the
    order of groups of equal size.
    """
    sizes = Counter(groups.values())
    found: list[set[str]] = [set() for _ in range(num_folds)]
    for group in sorted(_shuffled(sorted(sizes), seed=0), key=sizes.__getitem__, reverse=True):
        min(found, key=len).update(i for i, its_group in groups.items() if its_group == group)
    return found


def stratified_folds(scores: Mapping[str, float], num_folds: int) -> list[set[str]]:
    """Return folds that each span the range of the scores; their sizes differ by one at most.

    `scores` maps video id to score. The videos are sorted by score and cut into blocks of `num_folds`; each
    fold has one video of every block, the last and smaller one apart. Seed 0 draws which, and the order of
    equal scores, from the sorted ids: the order of a file changes nothing.
    """
    in_order = sorted(_shuffled(sorted(scores), seed=0), key=scores.__getitem__)
    found: list[set[str]] = [set() for _ in range(num_folds)]
    places = [str(place) for place in range(num_folds)]
    for block, start in enumerate(range(0, len(in_order), num_folds)):
        drawn = _shuffled(places, seed=block)
        for place, video_id in zip(drawn, in_order[start : start + num_folds], strict=False):
            found[int(place)].add(video_id)
    return found


def share_of(num_videos: int, share: float) -> int:
    """Return the size of the test set: about `share` of `num_videos`, with one video at least in each set."""
    return min(max(1, round(share * num_videos)), num_videos - 1)


def split_of(name: str, ids: Sequence[str], *, test: Set[str]) -> Split:
    """Return the split that tests these of the ids and trains on the others, both in the order of `ids`."""
    return Split(name, train=tuple(i for i in ids if i not in test), test=tuple(i for i in ids if i in test))


def _shuffled(names: Sequence[str], *, seed: int) -> list[str]:
    # RandomState, not Generator: only its stream stays the same in every version of NumPy, and a split must
    # be the same everywhere. The import is here because listing datasets must stay fast.
    import numpy as np

    return [names[i] for i in np.random.RandomState(seed).permutation(len(names))]
