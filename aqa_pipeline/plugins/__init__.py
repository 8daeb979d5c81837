"""Plug-ins: heads, backbones and datasets from installed packages or from files given with `--plugin`."""

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
