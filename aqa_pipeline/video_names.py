"""List the names of videos in a sentence, so that a reader need not look for them."""

from collections.abc import Sequence

from aqa_pipeline.plurals import counted

MOST_NAMED = 10


def some(names: Sequence[str]) -> str:
    """Return `a, b, c`; of more than ten names, the first ten and the number of the others."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def count_of(names: Sequence[str], *, of: int | None = None, what: str = "video") -> str:
    """Return `1 video (lift_04)`, or `2 of 12 videos (a, b)`."""
    number = counted(len(names), what) if of is None else f"{len(names)} of {counted(of, what)}"
    return f"{number} ({some(names)})"
