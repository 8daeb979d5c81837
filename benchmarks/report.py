"""Run all benchmarks one after another, and write docs/performance.md from their rows.

    python -m benchmarks.report                      all of them: a quarter of an hour on two idle cores
    python -m benchmarks.report networks heads       only these; the page then has no other rows

Each benchmark runs in a separate process. The page names one that fails, and has the rows of the others.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.rows import HEADER, Row

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "performance.md"
NOTES = Path(__file__).with_name("notes.md")
TITLE = """# Performance

Written by `make bench`; the text below the tables is kept in `benchmarks/notes.md`.
"""


@dataclass(frozen=True)
class Section:
    """One benchmark: its script, the section's title, and its time limit in seconds."""

    script: str
    title: str
    limit: int
    arguments: tuple[str, ...] = ()


SECTIONS = (
    Section("machine", "Ceilings of this machine", 120),
    Section("networks", "Networks, per clip or picture", 600),
    Section("extract", "A whole video", 600),
    Section("heads", "Training", 300),
    Section("fine_tune", "Fine-tuning", 300),
    Section("tube_attention", "Attention within tubes", 600, ("--dense", "--rounds", "3")),
    Section("scaling", "Growth, start and memory", 1500),
)


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    known, parts = facts(), []
    for section in SECTIONS:
        if section.script in arguments.scripts:
            start = time.perf_counter()
            print(f"benchmarks.{section.script} ...", flush=True)
            parts.append(text_of(section))
            print(f"  {time.perf_counter() - start:.0f} s", flush=True)
    machine = "## The machine\n\n" + "\n".join(f"* {line}" for line in known) + "\n"
    arguments.page.write_text("\n".join([TITLE, machine, *parts, NOTES.read_text()]))
    print(f"written: {arguments.page}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scripts = [section.script for section in SECTIONS]
    parser.add_argument("scripts", nargs="*", default=scripts, metavar="NAME", help=", ".join(scripts))
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    if unknown := set(arguments.scripts) - set(scripts):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(scripts)}")
    return arguments


def text_of(section: Section) -> str:
    """Run a section's script, and return the page's section: its table, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "rows.json"
        command = [
            sys.executable,
            "-m",
            f"benchmarks.{section.script}",
            "--json",
            str(target),
            *section.arguments,
        ]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=section.limit)
        except subprocess.TimeoutExpired:
            return heading(section) + f"Not finished after {section.limit} s.\n"
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return heading(section) + f"Failed: {last}\n"
        return heading(section) + markdown([Row(**row) for row in json.loads(target.read_text())])


def heading(section: Section) -> str:
    """Return the section's heading with its command."""
    command = " ".join(["python -m", f"benchmarks.{section.script}", *section.arguments])
    return f"## {section.title}\n\n`{command}`\n\n"


def markdown(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, without columns that are empty in all rows."""
    texts = [HEADER, *(row.values for row in rows)]
    used = [at for at in range(len(HEADER)) if any(row[at] for row in texts[1:])]
    lines = ["| " + " | ".join(row[at].replace("|", "/") for at in used) + " |" for row in texts]
    return "\n".join([lines[0], "|" + "---|" * len(used), *lines[1:]]) + "\n"


if __name__ == "__main__":
    main()
