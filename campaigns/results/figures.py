"""Write the campaigns' results as the table and the pictures of docs/reliability.md."""

import json
import os
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: written by `make campaign` -->", "<!-- end of the figures -->"


def put_into_docs(results: Path, docs: Path, *, order: Sequence[str]) -> None:
    """Replace the table between the marks in `docs/reliability.md`, and the pictures beside it."""
    found = [json.loads(path.read_text()) for name in order if (path := results / f"{name}.json").is_file()]
    page = docs / "reliability.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{table(found)}\n{END}{after}", encoding="utf-8")
    for picture in results.glob("*.svg"):
        shutil.copyfile(picture, docs / picture.name)


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table with one row per campaign, and a line on the machine."""
    rows = ["| what was tried | what was seen | minutes |", "|---|---|---|"]
    for result in results:
        mark = "" if result["details"]["kept"] else "**NOT KEPT** "
        rows.append(f"| {result['figure']} | {mark}{result['summary']} | {result['seconds'] / 60:.1f} |")
    return "\n".join([*rows, "", f"On {_machine()}."])


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "h5py", "av"))
    cores = len(os.sched_getaffinity(0))
    return f"{platform.system()}, {cores} CPU cores, Python {platform.python_version()}, {libraries}"
