"""A folder of many runs that were made with the same settings, which settings.json of the folder holds."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aqa_pipeline.errors import RunError
from aqa_pipeline.store import write_whole
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json

FILE = "settings.json"


def open_settled_folder(folder: Path, asked: Mapping[str, Any], *, what: str) -> None:
    """Make the folder, or check that it was made with the settings `asked`; `what` it holds is a noun.

    Raises `RunError` if the folder was made with other settings, or holds something else.
    """
    path = folder / FILE
    if path.exists():
        try:
            there = dict(read_bounded_json(path, most_bytes=RUN_BYTES))
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{path} is damaged ({error!r}): name a new folder with --out.") from error
        differing = [name for name in asked if there.get(name) != asked[name]]
        if differing:
            shown = "\n".join(f"  {name}: {there.get(name)} != {asked[name]}" for name in differing)
            raise RunError(
                f"{folder} holds a {what} made with other settings (there != asked for):\n{shown}\n"
                "Name another --out, or ask for the same again."
            )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no {what}: name a new folder with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asked, indent=2, allow_nan=False, ensure_ascii=False)
    write_whole(path, f"{text}\n".encode())
