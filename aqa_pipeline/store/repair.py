"""Taking out of a store what is proven broken, so that the next extraction makes it anew."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.feature_store import Store
from aqa_pipeline.store.folder import SET_ASIDE
from aqa_pipeline.store.places import Problem

# What cannot be read now may be read tomorrow, and what is not ours is not ours to touch.
OURS = ("damaged", "left over")
Action = Literal["set aside", "delete", "nothing"]


@dataclass(frozen=True)
class Repaired:
    """What a repair did, or would do: how many files are sound, what it takes out, what it leaves.

    `set_aside` is the folder that holds what was taken out; None if it was deleted.
    """

    num_sound: int
    removed: tuple[Problem, ...]
    left: tuple[Problem, ...]
    set_aside: Path | None


def repair(
    store: Store,
    *,
    action: Action = "set aside",
    keep: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Repaired:
    """Move every broken record and every left-over file out of the store; sound records stay.

    They go to `keep`, or to a hidden folder within the store. `action` may also be to delete them, or to do
    nothing but tell. Raises `StoreError` for a packed store, and if the disk refuses.
    """
    if store.root.is_file():
        raise StoreError(
            f"{store.root} is a packed store, which is never changed: `aqa store unpack {store.root} FOLDER` "
            "takes what is sound out of it."
        )
    target = None if action == "delete" else keep or _set_aside_within(store.root)
    num_sound, removed, left = 0, [], []
    for _, problem in store.verify():
        progress()
        if problem is None:
            num_sound += 1
        elif problem.kind in OURS:
            if action != "nothing":
                _take_out(problem.path, root=store.root, target=target)
            removed.append(problem)
        else:
            left.append(problem)
    return Repaired(num_sound, tuple(removed), tuple(left), target)


def _set_aside_within(root: Path) -> Path:
    folder = root / SET_ASIDE
    if folder.is_symlink():
        raise StoreError(f"{folder} is a link, and may lead anywhere: delete it, or name --keep.")
    return folder


def _take_out(path: Path, *, root: Path, target: Path | None) -> None:
    try:
        if target is None:
            path.unlink(missing_ok=True)
            return
        place = _free_place(target / path.relative_to(root))
        place.parent.mkdir(parents=True, exist_ok=True)
        _move(path, place)
    except OSError as error:
        raise StoreError(
            f"cannot take {path} out: {error.strerror or error}. What was done before stays done; "
            "run the same command again when the folder can be written."
        ) from error


def _free_place(path: Path) -> Path:
    """Return the path, numbered if an earlier repair has put something there."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in count(1))
    return path if not os.path.lexists(path) else next(p for p in numbered if not os.path.lexists(p))


def _move(path: Path, place: Path) -> None:
    try:
        os.rename(path, place)
    except OSError:  # another file system
        shutil.copyfile(path, place, follow_symlinks=False)
        os.unlink(path)
