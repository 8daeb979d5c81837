"""Every head by its name: ours and those of plug-ins."""

from aqa_pipeline.plugins import Registry
from heads.registry.entries import OURS
from heads.registry.head_kind import HeadKind

HEADS = Registry("head", OURS, of=HeadKind, group="aqa.heads")


def find_head(name: str) -> HeadKind:
    """Return the head of that name; raise `UnknownName`, or `PluginError` for a broken plug-in."""
    return HEADS.find(name)
