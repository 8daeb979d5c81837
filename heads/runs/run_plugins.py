"""The plug-ins that a run was made with: compared with those at hand, never run because a run names them."""

import logging
from typing import get_args

from aqa_pipeline.backbones.registry import backbone_origin
from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import PluginError
from aqa_pipeline.plugins import Origin
from heads.registry import HEADS, HeadKind, find_head
from heads.runs.run_config import PluginKind, RunConfig

OF_FILE = "sha256:"  # begins the identity of a file; that of a package is its version

log = logging.getLogger(__name__)


def plugins_used(head: str, adapter: str, backbone: str | None) -> dict[PluginKind, Origin]:
    """Return the plug-ins that gave the head, the dataset's adapter and the backbone; nothing for our own."""
    origins: dict[PluginKind, Origin | None] = {
        "head": HEADS.origin(head),
        "dataset": DATASETS.origin(adapter),
        "backbone": None if backbone is None else backbone_origin(backbone),
    }
    return {kind: origin for kind, origin in origins.items() if origin}


def head_of(config: RunConfig) -> HeadKind:
    """Return the run's head; raise `PluginError` where its plug-in is not at hand, or another one is."""
    check_plugin(config, "head")
    return find_head(config.head.name)


def check_plugin(config: RunConfig, kind: PluginKind) -> None:
    """Raise `PluginError` unless the run's head or dataset is of the file at hand.

    Log a warning for another version of a package, which is taken.
    """
    wanted, here = _wanted(config, kind), _here(config, kind)
    if wanted == here:
        return
    if wanted and here and wanted.name == here.name and not _is_file(wanted):
        log.warning("%s was made with %s; here is %s.", _subject(config, kind), wanted, here.identity)
    else:
        raise PluginError(_difference(config, kind))


def plugin_notes(config: RunConfig) -> list[str]:
    """Return a sentence for each plug-in of the run that is not at hand as it was."""
    kinds = [kind for kind in get_args(PluginKind) if _wanted(config, kind) != _here(config, kind)]
    return [_difference(config, kind) for kind in kinds]


def _wanted(config: RunConfig, kind: PluginKind) -> Origin | None:
    return config.software.plugins.get(kind)


def _here(config: RunConfig, kind: PluginKind) -> Origin | None:
    backbone = config.head.backbone
    return plugins_used(
        config.head.name, config.dataset.adapter, None if backbone is None else backbone.name
    ).get(kind)


def _is_file(origin: Origin) -> bool:
    return origin.identity.startswith(OF_FILE)


def _subject(config: RunConfig, kind: PluginKind) -> str:
    name = config.head.name if kind == "head" else config.dataset.adapter
    return f"the run's {kind} {name!r}"


def _difference(config: RunConfig, kind: PluginKind) -> str:
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
