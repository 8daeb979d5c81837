"""A run's config.json, read and compared. A run may come from a stranger: what it says is checked first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_outside_json
from heads.runs.run_plugins import check_plugin

SCHEMA = 2
MOST_CELLS = 100_000  # a file each is looked for
MOST_DIMS = 1_000_000  # of one step; what a file claims is asked of the memory

NUMBER = (int, float)
# What is there must be of these types, inside too; "*" stands for any name. What is missing is told by
# whoever asks for it: earlier versions wrote less.
SHAPE: Mapping[str, Any] = {
    "head": str,
    "variant": str,
    "dataset": {"name": str, "adapter": str, "root": str},
    "store": str,
    "target": {"name": str, "low": (*NUMBER, type(None)), "high": (*NUMBER, type(None))},
    "splits": {
        "*": {"num_train": int, "num_test": int, "score_scale": {"*": NUMBER}, "recipe": {"loss": str}}
    },
    "seeds": [int],
    "select": str,
    "epochs": (int, type(None)),
    "specs": {"*": {"hash": str, "facts": {"*": (str, *NUMBER, bool, type(None))}}},
    "dims": {"*": int},
    "files": {"*": {"*": str}},
    "random_weights": bool,
    "simulated": bool,
    "shuffle_labels": bool,
    "missing": {"*": object},
    "unlabeled": [str],
    "device": str,
    "threads": (int, type(None)),
    "precision": str,
    "versions": {"*": str},
    "plugins": {"*": {"name": str, "identity": str}},
}
PLACES = "files"  # where files lie says nothing of what was learned: their digests do
SELECTS = ("last", "val", "best-on-test")


class _Facts(dict[str, Any]):
    """A dict of the file; a name that is not in it is a fault of the file."""

    path: Path

    def __missing__(self, name: str) -> NoReturn:
        raise RunError(f"{self.path} is damaged: it has no {name!r}. Fit again into a new folder.")


def read_config(run_dir: Path) -> dict[str, Any]:
    """The run's configuration; raises `RunError` if this is not a run, or one of another schema.

    So does a name that is looked up in it and missing.
    """
    path = Path(run_dir) / "config.json"
    try:
        config: dict[str, Any] = _told_by(path, read_outside_json(path, most_bytes=RUN_BYTES))
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
    if problem := _misfit(config, SHAPE, name="it") or _strange_value(config):
        raise RunError(f"{path} is damaged: {problem}. Fit again into a new folder.")
    return config


def dataset_of(config: Mapping[str, Any]) -> Dataset:
    """The dataset that the run learned from, as it lies there now; raises as `load_dataset`."""
    check_plugin(config, "dataset")
    facts = config["dataset"]
    return load_dataset(facts["adapter"], Path(facts["root"]), called=facts["name"])


def _misfit(value: Any, shape: Any, *, name: str) -> str | None:
    """Where the value is of another type than the shape says, or None."""
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return f"{name} is {str(value)[:40]!r}, expected names and values"
        inner = [
            _misfit(each, shape.get(key, shape.get("*", object)), name=f"{name}.{key}".removeprefix("it."))
            for key, each in value.items()
        ]
        return next(filter(None, inner), None)
    if isinstance(shape, list):
        wrong = not isinstance(value, list) or not all(_is_a(each, shape[0]) for each in value)
        return f"{name} is {str(value)[:40]!r}, expected a list" if wrong else None
    return None if _is_a(value, shape) else f"{name} is {str(value)[:40]!r}"


def _is_a(value: Any, types: Any) -> bool:
    wanted = types if isinstance(types, tuple) else (types,)
    return isinstance(value, wanted) and (not isinstance(value, bool) or bool in wanted or object in wanted)


def _strange_value(config: Mapping[str, Any]) -> str | None:
    """What is of the right type, and yet nothing that a run has."""
    if config.get("select", SELECTS[0]) not in SELECTS:
        return f"select is {config['select'][:40]!r}, expected one of {', '.join(SELECTS)}"
    dims = [dim for dim in config.get("dims", {}).values() if not 0 < dim <= MOST_DIMS]
    if dims:
        return f"a stream of {dims[0]} dimensions"
    num_cells = len(config.get("splits", {})) * len(config.get("seeds", []))
    if num_cells > MOST_CELLS:
        return f"{num_cells:,} trained cells, of which {MOST_CELLS:,} are the most"
    counts = {"epochs": config.get("epochs"), "threads": config.get("threads")}
    counts |= {
        f"num_{part} of {name}": split.get(f"num_{part}")
        for part in ("train", "test")
        for name, split in config.get("splits", {}).items()
    }
    negative = [f"{name} is {count}" for name, count in counts.items() if count is not None and count < 0]
    return negative[0] if negative else None


def _told_by(path: Path, value: Any) -> Any:
    """The same values, their dicts knowing the file that they come from."""
    if not isinstance(value, dict):
        return value
    facts = _Facts({name: _told_by(path, inner) for name, inner in value.items()})
    facts.path = path
    return facts


def config_differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """One line per value that differs, `name: there != asked for`."""
    mine, theirs = (_flat({k: v for k, v in each.items() if k != PLACES}) for each in (there, asked))
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
