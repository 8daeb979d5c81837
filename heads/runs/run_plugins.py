"""The plug-ins that a run was made with: compared with those at hand, never run because a run names them."""

import logging
from collections.abc import Mapping
from typing import Any

from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import PluginError
from aqa_pipeline.plugins import Origin
from heads.registry import HEADS, Head, find_head

MOST_SHOWN = 100
OF_FILE = "sha256:"  # begins the identity of a file; that of a package is its version

log = logging.getLogger(__name__)


def plugins_used(head: str, dataset: str) -> dict[str, dict[str, str]]:
    """Return what config.json says of the plug-ins that gave the head and the dataset; of ours nothing."""
    origins = {"head": HEADS.origin(head), "dataset": DATASETS.origin(dataset)}
    return {kind: origin.facts() for kind, origin in origins.items() if origin}


def head_of(config: Mapping[str, Any]) -> Head:
    """Return the run's head; raise `PluginError` where its plug-in is not at hand, or another one is."""
    check_plugin(config, "head")
    return find_head(config["head"])


def check_plugin(config: Mapping[str, Any], kind: str) -> None:
    """Raise `PluginError` unless the run's head or dataset is of the file at hand.

    Of a package another version is told, and taken.
    """
    wanted, here = _wanted(config, kind), _here(config, kind)
    if wanted == here:
        return
    if wanted and here and wanted.name == here.name and not _is_file(wanted):
        log.warning("%s was made with %s; here is %s.", _subject(config, kind), wanted, here.identity)
    else:
        raise PluginError(_difference(config, kind))


def plugin_notes(config: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each plug-in of the run that is not at hand as it was."""
    kinds = [kind for kind in ("head", "dataset") if _wanted(config, kind) != _here(config, kind)]
    return [_difference(config, kind) for kind in kinds]


def _wanted(config: Mapping[str, Any], kind: str) -> Origin | None:
    facts = config.get("plugins", {}).get(kind)
    return Origin(_shown(facts["name"]), _shown(facts["identity"])) if facts else None


def _shown(text: str) -> str:
    """Return what a stranger may have written so that it is fit for a terminal."""
    return text[:MOST_SHOWN] if text.isprintable() else repr(text[:MOST_SHOWN])


def _here(config: Mapping[str, Any], kind: str) -> Origin | None:
    return HEADS.origin(config["head"]) if kind == "head" else DATASETS.origin(config["dataset"]["adapter"])


def _is_file(origin: Origin) -> bool:
    return origin.identity.startswith(OF_FILE)


def _subject(config: Mapping[str, Any], kind: str) -> str:
    name = config["head"] if kind == "head" else config["dataset"]["adapter"]
    return f"the run's {kind} {name!r}"


def _difference(config: Mapping[str, Any], kind: str) -> str:
    wanted, here, subject = _wanted(config, kind), _here(config, kind), _subject(config, kind)
    if wanted is None:
        return f"{subject} is of no plug-in, but here it is of {here}: fit again with that one."
    how = (
        f"name that file with --plugin {wanted.name}; no file is run because a run names it"
        if _is_file(wanted)
        else f"install it ({wanted.name})"
    )
    if here is None:
        return f"{subject} is of the plug-in {wanted}, which was not given: {how}."
    return f"{subject} is of the plug-in {wanted}, but here it is of {here}: {how}, or fit again."
