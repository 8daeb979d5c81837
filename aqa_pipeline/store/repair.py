"""Taking out of a store what is proven broken, so that the next extraction makes it anew."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.feature_store import Store
from aqa_pipeline.store.places import Problem

# What cannot be read now may be read tomorrow, and what is not ours is not ours to delete.
OURS = ("damaged", "left over")


@dataclass(frozen=True)
class Repaired:
    """What a repair did: how many files are sound, what was taken out, what was left where it is."""

    num_sound: int
    removed: tuple[Problem, ...]
    left: tuple[Problem, ...]


def repair(
    store: Store, *, keep: Path | None = None, progress: Callable[[], None] = lambda: None
) -> Repaired:
    """Deletes every broken record and every left-over file, or moves them to `keep`; sound ones stay.

    Raises `StoreError` for a packed store, and if the disk refuses.
    """
    if store.root.is_file():
        raise StoreError(
            f"{store.root} is a packed store, which is never changed: `aqa store unpack {store.root} FOLDER` "
            "takes what is sound out of it."
        )
    num_sound, removed, left = 0, [], []
    for _, problem in store.verify():
        progress()
        if problem is None:
            num_sound += 1
        elif problem.kind in OURS:
            _take_out(problem.path, root=store.root, keep=keep)
            removed.append(problem)
        else:
            left.append(problem)
    return Repaired(num_sound, tuple(removed), tuple(left))


def _take_out(path: Path, *, root: Path, keep: Path | None) -> None:
    try:
        if keep is None:
            path.unlink(missing_ok=True)
            return
        target = keep / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
        os.unlink(path)
    except OSError as error:
        raise StoreError(
            f"cannot take {path} out: {error.strerror or error}. What was done before stays done; "
            "run the same command again when the folder can be written."
        ) from error
