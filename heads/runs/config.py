"""Reading, writing and comparing a run's config.json. A run may come from a stranger: it is checked first."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.disk.files import write_whole
from aqa_pipeline.errors import RunError
from aqa_pipeline.misfit import SHOWN, explain_misfit
from aqa_pipeline.records import Dataset
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from heads.runs.run_config import SCHEMA_VERSION, RunConfig
from heads.runs.run_plugins import check_plugin

FILE = "config.json"
SHOWN_RUNS = 8
MOST_CHARACTERS = 4096  # of a name or a path
# Control characters command a terminal, half surrogates cannot be encoded, and others end the line.
NOT_PRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
# Where files lie says nothing of the features: their digests stand in the specs.
NOT_COMPARED = {"streams": {"__all__": {"files"}}}


def read_config(run_dir: Path) -> RunConfig:
    """Return the configuration of a run.

    Raises `RunError` if the folder is not a run, or its config.json is of another schema or does not fit.
    """
    path = Path(run_dir) / FILE
    try:
        values = read_bounded_json(path, most_bytes=RUN_BYTES)
        schema_version = values.get("schema_version")
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(
            f"{run_dir} is not a run directory ({path.name} cannot be read: {error!r}): "
            f"expected the folder that `aqa fit --out` wrote{_runs_inside(Path(run_dir))}."
        ) from error
    if schema_version != SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema_version {str(schema_version)[:SHOWN]}, expected {SCHEMA_VERSION}: "
            "fit again into a new folder."
        )
    try:
        check_text(values)
        return RunConfig.model_validate_json(json.dumps(values))
    except ValueError as error:
        reason = explain_misfit(error) if isinstance(error, ValidationError) else str(error)
        raise RunError(f"{path} is damaged: {reason}. Fit again into a new folder.") from error


def _runs_inside(folder: Path) -> str:
    """Return the end of a sentence that names the runs of several targets in a folder, '' without any."""
    runs = sorted(path.parent for path in folder.glob(f"*/{FILE}"))[:SHOWN_RUNS]
    return f"; it holds runs: {', '.join(map(str, runs))}" if runs else ""


def write_config(run_dir: Path, config: RunConfig) -> None:
    """Write config.json, unless it is there already; raise `RunError` for names that cannot be read again."""
    try:
        check_text(config.model_dump())
    except ValueError as error:
        raise RunError(f"{run_dir / FILE} cannot be written: {error}. Rename it.") from error
    text = json.dumps(config.model_dump(mode="json"), indent=2, allow_nan=False) + "\n"
    write_whole(run_dir / FILE, text.encode(), only_if_absent=True)


def dataset_of(config: RunConfig) -> Dataset:
    """Return the run's dataset as it lies there now; raise as `load_dataset` does."""
    check_plugin(config, "dataset")
    return load_dataset(config.dataset.adapter, config.dataset.root, called=config.dataset.name)


def config_differences(there: RunConfig, asked: RunConfig) -> list[str]:
    """Return one line per value that differs, `name: there != asked`."""
    mine, theirs = (
        dict(_values(config.model_dump(mode="json", exclude=NOT_COMPARED))) for config in (there, asked)
    )
    return [
        f"{name}: {mine.get(name, '(absent)')} != {theirs.get(name, '(absent)')}"
        for name in sorted({*mine, *theirs})
        if mine.get(name, "(absent)") != theirs.get(name, "(absent)")
    ]


def check_text(values: Any, name: str = "") -> None:
    """Raise `ValueError` for text that is very long, or holds characters that command a terminal."""
    if isinstance(values, dict):
        for key, value in values.items():
            check_text(key, f"a name in {name or 'it'}")
            check_text(value, f"{name}.{key}".removeprefix("."))
    elif isinstance(values, list | tuple):
        for value in values:
            check_text(value, name)
    elif isinstance(values, str | Path) and not _is_printable(str(values)):
        raise ValueError(
            f"{name} is {str(values)[:SHOWN]!r}, expected printable text of at most "
            f"{MOST_CHARACTERS:,} characters"
        )


def _is_printable(text: str) -> bool:
    categories = {unicodedata.category(character) for character in text[:MOST_CHARACTERS]}
    return len(text) <= MOST_CHARACTERS and not categories & NOT_PRINTABLE


def _values(nested: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value that is no dictionary, by its dotted name."""
    if not isinstance(nested, Mapping):
        yield prefix, nested
        return
    for name, value in nested.items():
        yield from _values(value, f"{prefix}.{name}".removeprefix("."))
