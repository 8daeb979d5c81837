"""Everything that needs a GPU in one go: tests, speed, and a fine-tuning step of each paper, in one table.

    python -m benchmarks.gpu                at most eight minutes on a GPU
    python -m benchmarks.gpu --rehearse     the same on a CPU with small sizes, before a GPU is paid for

Each part runs in a process of its own with a limit of time. A part that fails or takes too long is named in
the table, and the others are run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.machine import facts
from benchmarks.rows import Row, add_json_option, publish
from benchmarks.work.fine_tune_steps import STEPS, Step, row_of

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Part:
    """A command with its limit of time in seconds; `writes_rows` if it takes `--json`."""

    name: str
    words: tuple[str, ...]
    limit: int
    writes_rows: bool = True


def parts(*, rehearse: bool) -> tuple[Part, ...]:
    """Return the parts before the fine-tuning steps."""
    tests = Part("tests marked gpu", ("pytest", "-q", "-m", "gpu", "tests"), 150, writes_rows=False)
    if rehearse:
        video = ("benchmarks.extract", "--seconds", "4", "--rounds", "1", "--device", "cpu")
        return tests, Part("a whole video", video, 240)
    return (
        tests,
        Part("networks", ("benchmarks.networks", "--rounds", "3", "--no-compile", "--only-gpu"), 120),
        Part(
            "a whole video",
            ("benchmarks.extract", "--seconds", "120", "--rounds", "2", "--device", "cuda"),
            90,
        ),
    )


def main() -> None:
    """Run all parts and print the table."""
    arguments = parse_arguments()
    if not torch.cuda.is_available() and not arguments.rehearse:
        sys.exit("There is no GPU here: expected one that torch sees. Try --rehearse on a CPU.")
    print("\n".join(facts()) + "\n", flush=True)
    rows: list[Row] = []
    for part in parts(rehearse=arguments.rehearse):
        rows += timed_part(part)
    for step in steps(rehearse=arguments.rehearse):
        rows.append(tried(step))
    publish(rows, arguments.json)
    sys.exit(any(row.reached.startswith("failed") for row in rows))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rehearse", action="store_true", help="on a CPU, with small sizes")
    add_json_option(parser)
    return parser.parse_args()


def timed_part(part: Part) -> list[Row]:
    """Run a part, and return its rows, or one that says how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "rows.json"
        words = [sys.executable, "-m", *part.words, *(["--json", str(target)] if part.writes_rows else [])]
        environment = os.environ | ({"AQA_REQUIRE_GPU": "1"} if torch.cuda.is_available() else {})
        start = time.perf_counter()
        try:
            done = subprocess.run(
                words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=part.limit
            )
        except subprocess.TimeoutExpired:
            return [Row(part.name, "", f"failed: not finished after {part.limit} s", "", "")]
        last = (done.stdout.strip().splitlines() or ["no output"])[-1].strip("= ")
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [last])[-1]
            return [Row(part.name, "", f"failed: {reason}", "", "")]
        taken = Row(
            part.name, "", f"{time.perf_counter() - start:.0f} s", "", "" if part.writes_rows else last
        )
        return [taken, *(Row(**row) for row in _rows_in(target))]


def _rows_in(target: Path) -> Iterator[dict[str, str]]:
    yield from json.loads(target.read_text()) if target.exists() else []


def steps(*, rehearse: bool) -> list[Step]:
    """Return the steps of all recipes: small ones on a CPU, or full ones on the GPU in both precisions."""
    threads = torch.get_num_threads()
    if rehearse:
        return [replace(step, small=True, threads=threads) for step in STEPS]
    return [
        replace(step, device="cuda", precision=precision, threads=threads)
        for step in STEPS
        for precision in ("fp32", "bf16")
    ]


def tried(step: Step) -> Row:
    """Return the row of a step, or one that says why it failed."""
    try:
        return row_of(step)
    except Exception as error:
        return Row(step.what, "", f"failed: {error}", "", "")


if __name__ == "__main__":
    main()
