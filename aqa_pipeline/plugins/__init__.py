"""Plug-ins: heads, backbones and datasets of others, from installed packages or from a named file."""

from aqa_pipeline.plugins.files import (
    Origin,
    Pluggable,
    PluginFile,
    files_plugged_in,
    plug_in,
    plugged_in,
    read_plugin,
)
from aqa_pipeline.plugins.registry import Registry

__all__ = [
    "Origin",
    "Pluggable",
    "PluginFile",
    "Registry",
    "files_plugged_in",
    "plug_in",
    "plugged_in",
    "read_plugin",
]
