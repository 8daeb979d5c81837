"""What a benchmark finds, row by row: ours against the plain way, both timed in turn in one run."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from aqa_pipeline.text_table import format_table

HEADER = ("what", "at least", "reached", "plain", "ours", "of the ceiling")


@dataclass(frozen=True)
class Row:
    """One line of docs/performance.md: `at_least` is what was aimed at, `ceiling` the share reached."""

    what: str
    at_least: str
    reached: str
    plain: str
    ours: str
    ceiling: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return self.what, self.at_least, self.reached, self.plain, self.ours, self.ceiling


def not_here(what: str, at_least: str, needs: str) -> Row:
    """A row that this machine cannot fill."""
    return Row(what, at_least, f"not measured: needs {needs}", "", "")


def in_turn(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds of every way, round after round, the first of which warms up. Busy moments hit all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for at in range(rounds + 1):
        for name, way in ways.items():
            taken = timed(way)
            if at:
                seconds[name].append(taken)
    return seconds


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def times_as_fast(plain: Sequence[float], ours: Sequence[float]) -> str:
    """The median over rounds of plain / ours, with the least and the most: `2.41x (2.35-2.44)`."""
    ratios = [slow / fast for slow, fast in zip(plain, ours, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"


def milliseconds(seconds: Sequence[float], *, per: float = 1) -> str:
    """The median, of one of `per` things that were done at once."""
    return f"{1000 * statistics.median(seconds) / per:.0f} ms"


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="also write the rows to this file")


def publish(rows: Sequence[Row], target: Path | None) -> None:
    """Prints the rows as a table, and writes them for the report where that asks for it."""
    print(format_table(HEADER, [row.cells for row in rows]))
    if target:
        target.write_text(json.dumps([asdict(row) for row in rows]))
