"""Measured facts as a table on the terminal, and as CSV."""

from collections.abc import Sequence
from pathlib import Path

from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.measuring.fact import DECIMALS, MeasuredFact
from aqa_pipeline.text_table import format_table
from aqa_pipeline.untrusted.csv_fields import csv_text

HEADER = ("fact", "value", "±", "interval", "unit", "rests on")
COLUMNS = ("video", "fact", "value", "uncertainty", "low", "high", "unit", "rests_on")


def format_facts(facts: Sequence[MeasuredFact]) -> str:
    """Return a table with one line for each fact: value, uncertainty, interval, and what it rests on."""
    return format_table(HEADER, [fact_row(fact) for fact in facts])


def fact_row(fact: MeasuredFact) -> tuple[str, ...]:
    """Return the fields of a fact as texts, as `HEADER` names them; what is not known is empty."""
    numbers = (_shown(each, fact) for each in (fact.value, fact.uncertainty))
    interval = f"{_shown(fact.low, fact)} to {_shown(fact.high, fact)}" if fact.low is not None else ""
    return fact.name, *numbers, interval, fact.unit, fact.rests_on


def _shown(number: float | None, fact: MeasuredFact) -> str:
    return "" if number is None else f"{number:.{DECIMALS[fact.unit]}f}"


def write_facts_csv(path: Path, video_id: str, facts: Sequence[MeasuredFact]) -> None:
    """Write one row per fact; text that a spreadsheet would run as a formula is made safe."""
    rows = [
        {
            "video": video_id,
            "fact": fact.name,
            "value": _rounded(fact.value),
            "uncertainty": _rounded(fact.uncertainty),
            "low": _rounded(fact.low),
            "high": _rounded(fact.high),
            "unit": fact.unit,
            "rests_on": fact.rests_on,
        }
        for fact in facts
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, csv_text(rows, columns=COLUMNS).encode())


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
