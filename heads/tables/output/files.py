"""The files of a table: table.md, table.csv, table.json (and table.tex), and settings.json.

Flags that say that the numbers are no result are in the names of the files, too: SIMULATED-table.md,
QUICK-table.md.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aqa_pipeline.store import write_whole
from heads.runs.settled_folder import open_settled_folder
from heads.runs.trained_cell import write_rows
from heads.tables.output.facts import facts_of, reasons_of, title_of
from heads.tables.output.latex import latex_of
from heads.tables.output.markdown import markdown_of
from heads.tables.results import TableCell, TableResult
from heads.tables.settings import Settings
from heads.tables.table import Method, Table

NAMED_FLAGS = ("SIMULATED", "RANDOM WEIGHTS")


def open_folder(table: Table, settings: Settings) -> None:
    """Make the output folder, or check that it holds this table; its rows and columns may differ.

    Raises `RunError` if the folder holds a table of other settings, or something else.
    """
    open_settled_folder(settings.out, _settings(table, settings), what="table")


def _settings(table: Table, settings: Settings) -> dict[str, Any]:
    return {
        "table": table.name,
        "seeds": list(settings.training.seeds),
        "select": settings.training.select,
        "epochs": settings.training.epochs,
        "precision": settings.training.precision,
        "simulated": settings.features.simulated,
        "allow_missing": settings.features.allow_missing,
        "quick": settings.quick,
    }


def write_table(result: TableResult, *, latex: bool = False) -> tuple[Path, ...]:
    """Write all files and return their paths."""
    prefix = "QUICK-" if result.settings.quick else ""
    prefix += "".join(flag.replace(" ", "-") + "-" for flag in NAMED_FLAGS if flag in result.flags)
    endings = ("md", "csv", "json", "tex") if latex else ("md", "csv", "json")
    paths = [result.settings.out / f"{prefix}table.{ending}" for ending in endings]
    write_whole(paths[0], markdown_of(result).encode())
    write_rows(paths[1], list(_rows(result)))
    write_whole(paths[2], _json(_document(result)))
    if latex:
        write_whole(paths[3], latex_of(result).encode())
    return tuple(paths)


def _rows(result: TableResult) -> Iterator[dict[str, object]]:
    """Yield one flat row per table cell; undefined or missing numbers are empty."""
    for row in result.table.rows:
        for cell in result.of_row(row):
            facts = _cell(cell, result.table)
            low, high = facts.pop("interval") or (None, None)
            facts |= {name: " ".join(map(str, facts[name] or [])) for name in ("num_test", "epochs")}
            texts = {name: "" if value is None else value for name, value in facts.items()}
            yield {
                "table": result.table.name,
                **texts,
                "low": "" if low is None else low,
                "high": "" if high is None else high,
                "select": result.settings.training.select,
                "precision": result.settings.training.precision,
                "flags": "; ".join(result.flags),
            }


def _document(result: TableResult) -> dict[str, Any]:
    return {
        "flags": list(result.flags),
        "title": title_of(result),
        "source": result.table.source,
        "metrics": {name: metric.title for name, metric in result.table.metrics.items()},
        "settings": _settings(result.table, result.settings),
        "facts": list(facts_of(result)),
        "notes": list(result.notes),
        "cells": [_cell(cell, result.table) for row in result.table.rows for cell in result.of_row(row)],
        "not_run": [{"cells": where, "reason": reason} for where, reason in reasons_of(result)],
    }


def _cell(cell: TableCell, table: Table) -> dict[str, Any]:
    source, measured = table.source_of(cell.row, cell.column), cell.measured
    method = source if isinstance(source, Method) else None
    interval = measured.interval if measured else None
    return {
        "row": cell.row.name,
        "group": cell.row.group,
        "label": cell.row.label,
        "column": cell.column,
        "metric": cell.metric,
        "head": method.head if method else None,
        "variant": method.variant if method else None,
        "streams": " ".join(method.streams) if method else None,
        "status": cell.status,
        "paper": _number(cell.printed),
        "mean": _number(measured.mean) if measured else None,
        "std": _number(measured.std) if measured else None,
        "interval": [_number(interval.low), _number(interval.high)] if interval else None,
        "difference": _number(cell.difference),
        "paper_in_interval": cell.covered,
        "num_videos": measured.num_videos if measured else None,
        "num_test": list(measured.num_test) if measured else None,
        "num_seeds": measured.num_seeds if measured else None,
        "epochs": list(measured.epochs) if measured else None,
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()
