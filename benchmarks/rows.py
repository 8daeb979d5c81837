"""The rows of a benchmark: ours and the plain way, both timed in turn in one run."""

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
    """One row of docs/performance.md: `at_least` is the aim, `ceiling` the reached share of the ceiling."""

    what: str
    at_least: str
    reached: str
    plain: str
    ours: str
    ceiling: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The row's texts in the order of `HEADER`."""
        return self.what, self.at_least, self.reached, self.plain, self.ours, self.ceiling


def not_here(what: str, at_least: str, needs: str) -> Row:
    """Return a row that this machine cannot fill, with the reason."""
    return Row(what, at_least, f"not measured: needs {needs}", "", "")


def in_turn(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of every way and round. Other load affects all ways alike.

    The first round is a warm-up and is left out.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for at in range(rounds + 1):
        for name, way in ways.items():
            taken = timed(way)
            if at:
                seconds[name].append(taken)
    return seconds


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def times_as_fast(plain: Sequence[float], ours: Sequence[float]) -> str:
    """Return the median over rounds of plain / ours, with minimum and maximum: `2.41x (2.35-2.44)`."""
    ratios = [slow / fast for slow, fast in zip(plain, ours, strict=True)]
    return f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}-{max(ratios):.2f})"


def milliseconds(seconds: Sequence[float], *, per: float = 1) -> str:
    """Return the median in ms, divided by the `per` items that were processed at once."""
    return f"{1000 * statistics.median(seconds) / per:.0f} ms"


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--json`."""
    parser.add_argument("--json", type=Path, help="also write the rows to this file")


def publish(rows: Sequence[Row], target: Path | None) -> None:
    """Print the rows as a table, and write them to the file `target` for the report."""
    print(format_table(HEADER, [row.values for row in rows]))
    if target:
        target.write_text(json.dumps([asdict(row) for row in rows]))
