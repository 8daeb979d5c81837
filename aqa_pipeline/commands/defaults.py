"""What a command takes where a person leaves it open: the only dataset of a store, the only run in `runs`."""

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

    `name` is one of `aqa datasets list`, or what an own folder is called in the store. Without `root` it lies
    where it was extracted from, which the store knows, else at data/NAME.
    Raises `StoreError` where there is no dataset to take or more than one, and as `load_dataset` does.
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
    """Return where it was extracted from; data/NAME where that is gone and this is there."""
    usual = DATA / origin.name
    return usual if usual.is_dir() and not origin.root.is_dir() else origin.root


def stored_roots(store: "Store") -> dict[str, Path]:
    """Return where the datasets of `aqa datasets list` lie whose features are in the store, by name."""
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
    """Return the path as seen from the current folder if it lies below it, else the full one."""
    full, here = Path(os.path.abspath(path)), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def only_run(run: Path | None) -> Path:
    """Return the run that was named, or the only one in `runs`, and say which. Raises `RunError`."""
    if run is not None:
        return run
    found = sorted(path.parent for path in RUNS.glob("*/config.json"))
    if not found:
        raise RunError(f"there is no run in {RUNS}{os.sep}: name one, or make one with `aqa fit`.")
    if len(found) > 1:
        raise RunError(
            f"there are {len(found)} runs in {RUNS}{os.sep}: name one of {', '.join(map(str, found))}."
        )
    click.echo(f"Run: {found[0]}, the only one in {RUNS}{os.sep}", err=True)
    return found[0]


def only_data_folder(known: Sequence[str]) -> str:
    """Return the dataset that lies in `data`, if there is one alone. Raises `DatasetError`."""
    found = [name for name in known if (DATA / name).is_dir()]
    if len(found) != 1:
        there = (
            f"there are {len(found)} in {DATA}{os.sep} ({', '.join(found)})"
            if found
            else f"{DATA}{os.sep} holds none"
        )
        raise DatasetError(f"name a dataset (`aqa datasets list` names them): {there}.")
    return found[0]
