"""Splits by seed, as pure functions of ids, groups and sizes."""

from collections import Counter
from collections.abc import Mapping, Sequence

from aqa_pipeline.records import Split

NUM_SPLITS = 5


def random_splits(ids: Sequence[str], *, num_test: int, num_splits: int = NUM_SPLITS) -> dict[str, Split]:
    """`random-0`, `random-1`, ...: `num_test` videos drawn by seed, the others to learn from."""
    names = {f"random-{seed}": seed for seed in range(num_splits)}
    return {name: random_split(name, ids, num_test=num_test, seed=seed) for name, seed in names.items()}


def random_split(name: str, ids: Sequence[str], *, num_test: int, seed: int) -> Split:
    """A split with `num_test` of the videos, drawn by seed, to test on; both sides in the order of `ids`."""
    return _split(name, ids, test=set(_shuffled(ids, seed=seed)[:num_test]))


def grouped_splits(
    groups: Mapping[str, str], *, num_test: int, num_splits: int = NUM_SPLITS
) -> dict[str, Split]:
    """`grouped-0`, ...: whole groups are tested on, so that none is seen in training.

    `groups` maps video id to group. In an order drawn by seed, a group joins the test side where that
    brings the number of test videos nearer to `num_test`; where none does, the smallest is tested on. Empty
    with fewer than two groups.
    """
    sizes = Counter(groups.values())
    if len(sizes) < 2:
        return {}
    splits = {}
    for seed in range(num_splits):
        chosen: set[str] = set()
        count = 0
        for group in _shuffled(sorted(sizes), seed=seed):
            if abs(count + sizes[group] - num_test) < abs(count - num_test):
                chosen.add(group)
                count += sizes[group]
        chosen = chosen or {min(sorted(sizes), key=sizes.__getitem__)}  # nothing tested would be no split
        name = f"grouped-{seed}"
        splits[name] = _split(name, list(groups), test={i for i, group in groups.items() if group in chosen})
        assert splits[name].train
        assert not chosen & {groups[i] for i in splits[name].train}
    return splits


def share_of(num_videos: int, share: float) -> int:
    """How many of `num_videos` are tested on: about `share`, at least one, and one is left to learn from."""
    return min(max(1, round(share * num_videos)), num_videos - 1)


def _split(name: str, ids: Sequence[str], *, test: set[str]) -> Split:
    return Split(name, train=tuple(i for i in ids if i not in test), test=tuple(i for i in ids if i in test))


def _shuffled(names: Sequence[str], *, seed: int) -> list[str]:
    # RandomState, not Generator: only its stream is promised to stay the same in every NumPy,
    # and a split must be the same everywhere. Imported here so that listing datasets stays instant.
    import numpy as np

    return [names[i] for i in np.random.RandomState(seed).permutation(len(names))]
