"""Mappings that cannot be changed, and yet travel between processes."""

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


def read_only(mapping: Mapping[Key, Value]) -> MappingProxyType[Key, Value]:
    """Return a copy of the mapping that cannot be changed."""
    return MappingProxyType(dict(mapping))


copyreg.pickle(MappingProxyType, lambda mapping: (read_only, (dict(mapping),)))
