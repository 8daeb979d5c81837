"""Find, add and verify weights files in the folder of weights on this machine.

Beside every file is `<file>.json` with the SHA-256 that the file had when it was added. If no digest was
published for a file, this SHA-256 is trusted on first use, and later checks compare the file with it.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.disk.files import clear_left_overs, part_beside, write_whole
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.plurals import counted
from aqa_pipeline.untrusted.bounded_files import read_bounded_bytes
from aqa_pipeline.weights.identity import sha256_of
from aqa_pipeline.weights.packages import installed_file
from aqa_pipeline.weights.registry import WEIGHTS, get_weights_file
from aqa_pipeline.weights.sizes import size_text, total_text
from aqa_pipeline.weights.weights_file import WeightsFile

RECORD_BYTES = 100_000


@dataclass(frozen=True)
class WeightsStatus:
    """One registered file: its path on this machine, and whether a file is there."""

    entry: WeightsFile
    path: Path
    present: bool


def aqa_home() -> Path:
    """Return the folder of all caches: $AQA_HOME, else `aqa` in $XDG_CACHE_HOME, else ~/.cache/aqa."""
    if home := os.environ.get("AQA_HOME"):
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "aqa"


def weights_folder() -> Path:
    """Return the folder of all weights files. It may not exist yet."""
    return aqa_home() / "weights"


def path_of(entry: WeightsFile) -> Path:
    """Return the path of the file in the folder of weights. It may not exist yet."""
    return weights_folder() / entry.file_name


def place_of(entry: WeightsFile) -> Path:
    """Return where the file is: in the folder of weights, or in an installed package.

    Where it is in neither, return its path in the folder of weights.
    """
    path = path_of(entry)
    if entry.package is None or path.is_file():
        return path
    return installed_file(entry.package) or path


def status() -> list[WeightsStatus]:
    """Return every registered file, present or not, without reading it."""
    places = [(entry, place_of(entry)) for entry in WEIGHTS.values()]
    return [WeightsStatus(entry, path, path.is_file()) for entry, path in places]


def verify() -> list[tuple[str, str]]:
    """Return (name, "ok" or the problem) for every registered file on this machine."""
    return [(each.entry.name, _problem(each.entry, each.path) or "ok") for each in status() if each.present]


def find_weights(name: str) -> Path:
    """Return the path of the verified file of that name.

    Raises `UnknownName`, and `WeightsError` with the command to run for a missing or wrong file.
    """
    entry = get_weights_file(name)
    path = place_of(entry)
    if not path.is_file():
        raise WeightsError(f"weights {name!r} are not on this machine ({path}). {how_to_get(entry)}")
    if problem := _problem(entry, path):
        # A file in the folder of weights comes before one in a package, which is not ours to delete.
        delete = "Delete it. " if path == path_of(entry) else ""
        raise WeightsError(f"weights {name!r} at {path}: {problem}. {delete}{how_to_get(entry)}")
    return path


def missing_weights(names: Iterable[str]) -> list[WeightsFile]:
    """Return the entries of the names whose file is not on this machine, each once."""
    entries = [get_weights_file(name) for name in dict.fromkeys(names)]
    return [entry for entry in entries if not place_of(entry).is_file()]


def check_weights(names: Iterable[str]) -> None:
    """Raise one `WeightsError` for all missing files of these names, with one command that fetches them."""
    missing = missing_weights(names)
    if len(missing) == 1:
        find_weights(missing[0].name)
    if missing:
        raise WeightsError(_all_missing(missing))


def _all_missing(missing: Sequence[WeightsFile]) -> str:
    listed = [f"  {entry.name}: {entry.file_name}  {size_text(entry)}".rstrip() for entry in missing]
    fetched = [entry for entry in missing if entry.can_be_fetched]
    command = f"aqa weights fetch {' '.join(entry.name for entry in fetched)}"
    ways = [f"Run `{command}` ({total_text(fetched)})."] if fetched else []
    ways += [how_to_get(entry) for entry in missing if not entry.can_be_fetched]
    absent = counted(len(missing), "checkpoint is", "checkpoints are")
    return "\n".join(
        [
            f"{absent} not on this machine ({weights_folder()}):",
            *listed,
            *ways,
            "For a copy that you have: `aqa weights add NAME PATH`.",
        ]
    )


def add(name: str, path: Path) -> Path:
    """Copy a file of the user into the folder if it passes the check of `name`; return its new path.

    Raises `UnknownName` and `WeightsError`; then the folder stays unchanged.
    """
    entry = get_weights_file(name)
    if not path.is_file():
        raise WeightsError(f"no file at {path}: give the path of your copy of {entry.file_name}")
    clear_left_overs(make_weights_folder())  # from interrupted copies
    copy = part_beside(path_of(entry))
    try:
        shutil.copyfile(path, copy)
        return accept(entry, copy, source=str(path))
    finally:
        copy.unlink(missing_ok=True)


def make_weights_folder() -> Path:
    """Return the folder of all weights files; make it if needed. Raise `WeightsError` if that fails."""
    folder = weights_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(
            f"cannot make {folder} ({error.strerror}): set AQA_HOME to a folder that you can write to"
        ) from error
    return folder


def accept(entry: WeightsFile, candidate: Path, *, source: str) -> Path:
    """Verify `candidate`, record its digest and move it to its place in one step; return its new path.

    Raises `WeightsError` for another file; then `candidate` stays where it is.
    """
    if problem := problem_with(entry, candidate):
        raise WeightsError(f"{source} is not {entry.name!r}: {problem}")
    # Before the move, so that a file always has its record.
    _remember(entry, sha256=sha256_of(candidate), source=source)
    os.replace(candidate, path_of(entry))
    return path_of(entry)


def problem_with(entry: WeightsFile, path: Path) -> str | None:
    """Return why the file at `path` is not the file of `entry`; None if it is."""
    size = path.stat().st_size
    if _looks_like_a_web_page(path):
        return f"it is a web page of {size:,} bytes (a login or error page, not weights)"
    if entry.size is not None and size != entry.size:
        return f"it has {size:,} bytes, expected {entry.size:,}"
    if entry.identity is not None:
        kind, expected, got = entry.identity.kind, entry.identity.digest, entry.identity.digest_of(path)
        if got != expected:
            return f"its {kind} is {got}, expected {expected}"
        if kind == "sha256":
            return None  # 8 digits and SHA-1 can be forged, so these go on to the recorded SHA-256
    remembered, got = _remembered(entry), sha256_of(path)
    if remembered in (None, got):
        return None
    return (
        f"its sha256 is {got}, but {remembered} was trusted on first use "
        f"(to trust another file, delete {_record_of(entry)})"
    )


def _problem(entry: WeightsFile, path: Path) -> str | None:
    if entry.identity is None and _remembered(entry) is None:
        return (
            "its origin is unknown, because it was not added with `aqa weights`. If you trust it, run "
            f"`aqa weights add {entry.name} {path}`. Otherwise"
        )
    return problem_with(entry, path)


def how_to_get(entry: WeightsFile) -> str:
    """Return a sentence that says how to get the file."""
    by_hand = f"`aqa weights add {entry.name} PATH`"
    if not entry.can_be_fetched:
        return f"{entry.manual} Then run {by_hand}."
    return f"Run `aqa weights fetch {entry.name}`, or {by_hand} with a copy of {entry.file_name}."


def _looks_like_a_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(256).lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))


def _record_of(entry: WeightsFile) -> Path:
    return path_of(entry).with_name(entry.file_name + ".json")


def _remembered(entry: WeightsFile) -> str | None:
    record = _record_of(entry)
    if not record.is_file():
        return None
    try:
        return str(json.loads(read_bounded_bytes(record, most_bytes=RECORD_BYTES))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{record} is damaged: delete it. {how_to_get(entry)}") from error


def _remember(entry: WeightsFile, *, sha256: str, source: str) -> None:
    facts = {"sha256": sha256, "source": source}
    write_whole(_record_of(entry), (json.dumps(facts, indent=1) + "\n").encode())
