"""The names of videos in tables and on pages."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return each file's name, with as many parent folders as make it different from the others.

    `in/monday/lift.mp4`, `in/friday/lift.mp4`, `in/jump.mp4` -> `monday/lift.mp4`, `friday/lift.mp4`,
    `jump.mp4`.
    """
    parts = [path.absolute().parts for path in paths]
    lengths = [1] * len(parts)
    while True:
        names = ["/".join(own[-length:]) for own, length in zip(parts, lengths, strict=True)]
        taken = Counter(names)
        longer = [
            length + (taken[name] > 1 and length < len(own))
            for name, own, length in zip(names, parts, lengths, strict=True)
        ]
        if longer == lengths:
            return names
        lengths = longer
