"""Choose the attempt that another one is compared with: the last one before it, or the best one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from heads.attempts.attempt import Attempt

LAST, BEST = "last", "best"


@dataclass(frozen=True)
class Chosen:
    """The chosen attempt, and a sentence on which one it is and how it was chosen."""

    attempt: Attempt
    how: str


def find_attempt(attempts: Sequence[Attempt], path: Path) -> Attempt | None:
    """Return the attempt whose video is this file, or None; raise `DatasetError` if there are several."""
    found = [each for each in attempts if each.video.path.resolve() == path.resolve()]
    if len(found) > 1:
        ids = ", ".join(each.video.video_id for each in found)
        raise DatasetError(
            f"{path} holds {len(found)} performances ({ids}): `--against` takes one of these names. To score "
            "one, cut it into a file of its own with `aqa clip`."
        )
    return found[0] if found else None


def choose(which: str, attempts: Sequence[Attempt], new: Attempt | None, path: Path) -> Chosen:
    """Return the `last` or the `best` attempt of the athlete of `new`, whose file is `path`.

    If `new` names an element, only attempts of that element count. `attempts` are in the order of the table,
    which tells those of one day apart. Raises `DatasetError` with what to do if the table does not say whose
    attempt it is or when it was, or if there is no other attempt to compare with.
    """
    if new is None or new.video.athlete is None:
        raise DatasetError(
            f"the table of scores does not say whose attempt {path.name} is: give it a line with video, "
            f"athlete{' and date' if which == LAST else ''} (the score may stay empty), or name a video in "
            f"place of `{which}`."
        )
    others = [each for each in attempts if each is not new and _is_comparable(each, new)]
    return (_last if which == LAST else _best)(others, attempts, new)


def _is_comparable(each: Attempt, new: Attempt) -> bool:
    same_element = new.video.element is None or each.video.element == new.video.element
    return each.video.athlete == new.video.athlete and same_element


def _last(others: Sequence[Attempt], attempts: Sequence[Attempt], new: Attempt) -> Chosen:
    day = new.video.performed_on
    if day is None:
        raise DatasetError(
            f"the table of scores has no date of {new.video.video_id}: enter it in the column date, such as "
            "2026-05-08."
        )
    place = {each.video.video_id: number for number, each in enumerate(attempts)}
    earlier = [
        (each.video.performed_on, place[each.video.video_id], each)
        for each in others
        if each.video.performed_on is not None
        and (each.video.performed_on, place[each.video.video_id]) < (day, place[new.video.video_id])
    ]
    if not earlier:
        undated = sum(each.video.performed_on is None for each in others)
        hint = f"; {counted(undated, 'attempt')} without a date cannot be ordered" if undated else ""
        raise DatasetError(f"there is no attempt of {_whose(new)} before {day}{hint}.")
    when, _, attempt = max(earlier, key=lambda each: each[:2])
    number = counted(len(earlier), "earlier attempt")
    return Chosen(
        attempt, f"{attempt.video.video_id} of {when}: the last of {number} of {_whose(new)}, by date."
    )


def _best(others: Sequence[Attempt], attempts: Sequence[Attempt], new: Attempt) -> Chosen:
    scored = [(each.score, each) for each in others if each.score is not None]
    if not others:
        raise DatasetError(f"the table of scores has no other attempt of {_whose(new)}.")
    if not scored:
        raise DatasetError(
            f"no other attempt of {_whose(new)} has a score: enter one, or score the video, as in "
            f"`aqa score {others[-1].video.path}`."
        )
    score, attempt = max(scored, key=lambda each: each[0])
    whose = "the judges' score" if attempt.label is not None else "a prediction"
    number = counted(len(scored), "scored attempt")
    return Chosen(
        attempt,
        f"{attempt.video.video_id}: the best of {number} of {_whose(new)}, {score:.2f} ({whose}).",
    )


def _whose(new: Attempt) -> str:
    element = f" ({new.video.element})" if new.video.element else ""
    return f"{new.video.athlete}{element}"
