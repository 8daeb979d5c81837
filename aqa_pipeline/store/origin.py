"""Where a dataset's features were made from: STORE/<dataset>/dataset.json, beside its streams."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from aqa_pipeline.disk.files import file_name, write_whole
from aqa_pipeline.errors import StoreError
from aqa_pipeline.store.folder import refusal, write_marker
from aqa_pipeline.store.places import ORIGIN
from aqa_pipeline.untrusted.bounded_files import read_bounded_bytes

MOST_BYTES = 100_000
NEW_VIDEOS = "scored"  # the dataset of all new videos in a store of scored ones: it has no origin


@dataclass(frozen=True)
class Origin:
    """A dataset as the store knows it: what reads it (`folder`, `mit-skating`), its name, and its folder.

    `files` are the full paths of the files that a person named to make its features (weights, a detector), by
    the hash of the spec and by option.
    """

    adapter: str
    name: str
    root: Path
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict, compare=False)


def write_origin(store_root: Path, origin: Origin) -> None:
    """Write down where that dataset lies, its folder as a full path; a packed store stays as it is.

    Files that were named for other specs stay.

    Raises `StoreError` if the disk refuses.
    """
    if store_root.is_file():
        return
    path = _path(store_root, origin.name)
    before = read_origin(store_root, origin.name)
    files = {**(before.files if before else {}), **origin.files}
    facts = asdict(replace(origin, files=files)) | {"root": str(origin.root.absolute())}
    if path.parent.is_symlink():
        raise StoreError(f"{path.parent} is a link, which a store never follows: put a folder in its place.")
    try:
        write_marker(store_root)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, json.dumps(facts, indent=2).encode())
    except OSError as error:
        raise refusal(path, error) from error


def read_origin(store_root: Path, dataset: str) -> Origin | None:
    """Where that dataset lay; None where nothing says so, as in a packed store. Raises `StoreError`."""
    path = _path(store_root, dataset)
    if not path.is_file() or path.parent.is_symlink():
        return None
    try:
        facts = json.loads(read_bounded_bytes(path, most_bytes=MOST_BYTES))
        files = {key: {n: str(v) for n, v in each.items()} for key, each in facts.get("files", {}).items()}
        origin = Origin(facts["adapter"], facts["name"], Path(facts["root"]), files)
        if origin.name != dataset or not isinstance(origin.adapter, str):
            raise ValueError(f"it is of {origin.name!r}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(f"{path} is damaged ({error}): delete it, the next extraction writes it.") from error
    return origin


def _path(store_root: Path, dataset: str) -> Path:
    return store_root / file_name(dataset) / ORIGIN
