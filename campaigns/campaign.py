"""What all campaigns share: their options, and the figure that they leave behind."""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aqa_pipeline.text_table import format_table


@dataclass(frozen=True)
class Seen:
    """What a campaign saw. `what` is one sentence with the numbers; `kept` is whether the promise was kept.

    `counts` is the small table that is printed; `details` are further facts worth keeping; `pictures` are
    files by name, to lie beside the result.
    """

    what: str
    kept: bool
    counts: Mapping[str, int | float | str]
    details: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def run_campaign(
    name: str,
    figure: str,
    measure: Callable[[int, Path], Seen],
    *,
    count: int,
    description: str | None = None,
) -> None:
    """Runs `measure(count, scratch folder)`, prints what it saw and writes `OUT/<name>.json`.

    `figure` says what is counted, with `{count}` in it. Exits with 1 if the promise was not kept.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--count", type=int, default=count, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/campaigns"), help="default: %(default)s")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"aqa-{name}-") as scratch:
        seen = measure(arguments.count, Path(scratch))
    seconds = time.perf_counter() - start
    result = {
        "campaign": name,
        "figure": figure.format(count=f"{arguments.count:,}"),
        "seen": seen.what,
        "seconds": round(seconds, 1),
        "details": {"kept": seen.kept, "count": arguments.count, **seen.counts, **seen.details},
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    for file_name, content in seen.pictures.items():
        (arguments.out / file_name).write_bytes(content)
    print(format_table((name, ""), [*seen.counts.items(), ("seconds", f"{seconds:.0f}")]))
    print(f"{'kept' if seen.kept else 'NOT KEPT'}: {seen.what}")
    sys.exit(0 if seen.kept else 1)
