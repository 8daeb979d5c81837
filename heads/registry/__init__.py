"""Every head that can be fitted. Importing this package imports no torch."""

from heads.registry.entries import OURS
from heads.registry.head_kind import HeadKind, Start
from heads.registry.lookup import HEADS, find_head

__all__ = ["HEADS", "OURS", "HeadKind", "Start", "find_head"]
