"""What all campaigns share: their options, and the result that they write."""

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
class CampaignResult:
    """The result of a campaign.

    `summary` is one sentence with the numbers. `kept` is True if the promise was kept. `counts` is printed as
    a table. `details` are further facts for the JSON file. `pictures` are files by name, written beside it.
    """

    summary: str
    kept: bool
    counts: Mapping[str, int | float | str]
    details: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def run_campaign(
    name: str,
    figure: str,
    measure: Callable[[int, Path], CampaignResult],
    *,
    count: int,
    description: str | None = None,
) -> None:
    """Run `measure(count, scratch folder)`, print its result and write it to `OUT/<name>.json`.

    `figure` names what is counted, with `{count}` in it. Exit with 1 if the promise was not kept.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--count", type=int, default=count, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/campaigns"), help="default: %(default)s")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"aqa-{name}-") as scratch:
        result = measure(arguments.count, Path(scratch))
    seconds = time.perf_counter() - start
    entry = {
        "campaign": name,
        "figure": figure.format(count=f"{arguments.count:,}"),
        "summary": result.summary,
        "seconds": round(seconds, 1),
        "details": {"kept": result.kept, "count": arguments.count, **result.counts, **result.details},
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / f"{name}.json").write_text(json.dumps(entry, indent=2) + "\n")
    for file_name, content in result.pictures.items():
        (arguments.out / file_name).write_bytes(content)
    print(format_table((name, ""), [*result.counts.items(), ("seconds", f"{seconds:.0f}")]))
    print(f"{'kept' if result.kept else 'NOT KEPT'}: {result.summary}")
    sys.exit(0 if result.kept else 1)
