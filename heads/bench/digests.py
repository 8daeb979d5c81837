"""SHA-256 of splits and of stored predictions, and paths that do not leave a folder."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from aqa_pipeline.errors import RunError
from aqa_pipeline.untrusted.bounded_files import LABEL_BYTES, read_bounded_bytes
from heads.runs.predictions import Predicted
from heads.runs.trained_cell import cell_folder


def split_sha256(split: Predicted) -> str:
    """Return the SHA-256 of a split's name and videos: of the JSON text `[name, training ids, test ids]`.

    Ids are sorted, the separators are `,` and `:`, and characters beyond ASCII are escaped. Validation videos
    are training videos.
    """
    return digest_of_ids(split.split, split.training_videos, split.videos)


def digest_of_ids(name: str, train: Iterable[str], test: Iterable[str]) -> str:
    """Return the SHA-256 of that split."""
    text = json.dumps([name, sorted(train), sorted(test)], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def predictions_sha256(run_dir: Path, cells: Iterable[tuple[str, int]]) -> dict[str, str]:
    """Return the SHA-256 of each trained cell's predictions.csv, by its path within the run.

    Raises `RunError` for a file that cannot be read.
    """
    found = {}
    for split, seed in cells:
        path = cell_folder(run_dir, split=split, seed=seed) / "predictions.csv"
        try:
            content = read_bounded_bytes(path, most_bytes=LABEL_BYTES)
        except OSError as error:
            raise RunError(f"{path} cannot be read ({error}).") from error
        found[path.relative_to(run_dir).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def path_within(folder: Path, relative: str) -> Path:
    """Return the folder at that relative path; raise `RunError` if it leads out of `folder`.

    Links are not followed.
    """
    parts = PurePosixPath(relative).parts
    leaves = not parts or PurePosixPath(relative).is_absolute() or ".." in parts
    if leaves or any(character in relative for character in "\\:\0"):
        raise RunError(f"the path {relative[:80]!r} leads out of the folder of results.json.")
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise RunError(f"{path} is a link, which is never followed: put the folder itself in its place.")
    return path
