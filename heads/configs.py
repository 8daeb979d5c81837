"""A run's config.json, read and compared."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aqa_pipeline.errors import RunError

SCHEMA = 2


def read_config(run_dir: Path) -> dict[str, Any]:
    """The run's configuration; raises `RunError` if this is not a run, or one of another schema."""
    path = Path(run_dir) / "config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text())
        schema = config["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{run_dir} is not a run directory ({path.name} cannot be read: {error!r}): "
            "expected the folder that `aqa fit --out` wrote."
        ) from error
    if schema != SCHEMA:
        raise RunError(
            f"{path} has schema {schema}, this version reads {SCHEMA}: fit again into a new folder."
        )
    return config


def config_differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """One line per value that differs, `name: there != asked for`."""
    mine, theirs = _flat(there), _flat(asked)
    return [
        f"{name}: {mine.get(name, '(absent)')} != {theirs.get(name, '(absent)')}"
        for name in sorted({*mine, *theirs})
        if mine.get(name, "(absent)") != theirs.get(name, "(absent)")
    ]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
