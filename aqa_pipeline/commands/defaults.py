"""Find the defaults of commands: the only dataset of a store, the only run in `runs`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqa_pipeline.errors import DatasetError, RunError, StoreError

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Origin, Store

DATA = Path("data")
RUNS = Path("runs")
OWN = "folder"


def find_dataset(
    store: "Store", *, name: str | None, root: Path | None, called: str | None = None
) -> "Dataset":
    """Return the dataset of that name, or the only one whose features are in the store.

    `name` is one of `aqa datasets list`, or the name of a user's own folder in the store. Without `root`, the
    dataset is loaded from the folder that it was extracted from (the store records it), else from data/NAME.
    Raises `StoreError` if there is no dataset, or if there are several, and the errors of `load_dataset`.
    """
    from aqa_pipeline.datasets import DATASETS, load_dataset

    if name is not None and name in DATASETS and root:
        return load_dataset(name, near(root), called=called)
    stored = called or _stored_name(store, name)
    origin = store.origin(stored)
    adapter = name if name is not None and name in DATASETS else origin.adapter if origin else stored
    if origin is None or origin.adapter != adapter:
        return load_dataset(adapter, near(root or DATA / adapter), called=called)
    return load_dataset(adapter, near(root or _root_of(origin)), called=stored)


def _stored_name(store: "Store", name: str | None) -> str:
    if name is None:
        return _only_dataset(store, store.datasets())
    if name != OWN:
        return name
    own = [each for each in store.datasets() if (origin := store.origin(each)) and origin.adapter == OWN]
    return _only_dataset(store, own) if own else OWN


def _root_of(origin: "Origin") -> Path:
    """Return the folder of extraction; data/NAME if that folder is gone and data/NAME exists."""
    usual = DATA / origin.name
    return usual if usual.is_dir() and not origin.root.is_dir() else origin.root


def stored_roots(store: "Store") -> dict[str, Path]:
    """Return the folders of the known datasets whose features are in the store, by name."""
    origins = [origin for name in store.datasets() if (origin := store.origin(name))]
    return {origin.adapter: near(_root_of(origin)) for origin in origins if origin.adapter == origin.name}


def _only_dataset(store: "Store", names: Sequence[str]) -> str:
    if not names:
        raise StoreError(
            f"there are no features in {store.root}: run `aqa extract --dataset NAME --store {store.root}` "
            "first (`aqa datasets list` names the datasets)."
        )
    if len(names) > 1:
        raise StoreError(
            f"{store.root} holds features of {len(names)} datasets: choose one with --dataset "
            f"({', '.join(names)})."
        )
    return names[0]


def near(path: Path) -> Path:
    """Return the path relative to the current folder if it is below it, else the absolute path."""
    full, here = Path(os.path.abspath(path)), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def only_run(run: Path | None) -> Path:
    """Return the given run, or the only run in `runs` (then print its name). Raise `RunError`."""
    if run is not None:
        return run
    found = sorted(path.parent for path in RUNS.glob("*/config.json"))
    if not found:
        raise RunError(f"there is no run in {RUNS}{os.sep}: give its path, or train one with `aqa fit`.")
    if len(found) > 1:
        raise RunError(
            f"there are {len(found)} runs in {RUNS}{os.sep}: choose one of {', '.join(map(str, found))}."
        )
    click.echo(f"Run: {found[0]}, the only one in {RUNS}{os.sep}", err=True)
    return found[0]


def only_data_folder(known: Sequence[str]) -> str:
    """Return the name of the only dataset in `data`. Raise `DatasetError` if there is none, or several."""
    found = [name for name in known if (DATA / name).is_dir()]
    if len(found) != 1:
        there = (
            f"there are {len(found)} in {DATA}{os.sep} ({', '.join(found)})"
            if found
            else f"{DATA}{os.sep} holds none"
        )
        raise DatasetError(f"give the name of a dataset (see `aqa datasets list`): {there}.")
    return found[0]
