"""The errors that a user can cause and correct. The command line prints the message and exits with 1."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class AqaError(Exception):
    """The base of all domain errors. The message says what came, what was expected and what to do."""


class DatasetError(AqaError):
    """A dataset folder or label file cannot be read as the named dataset."""


class VideoError(AqaError):
    """A video cannot be opened, has no picture, or stops decoding before its end."""


class StoreError(AqaError):
    """A feature store or one of its records is missing, broken or of another schema."""


class SpecMismatch(StoreError):
    """Features exist, but they were extracted with other settings than the caller asks for."""


class WeightsError(AqaError):
    """Weights are missing or damaged, or are another file than their name says."""


class RunError(AqaError):
    """A run directory is missing, incomplete or does not fit the request."""


class AnotherRun(RunError):
    """The folder of a run holds one that was made with another configuration."""


class ArrayError(AqaError, ValueError):
    """Features or scores given as arrays have the wrong shape or type, or hold values that are not finite."""


class ClusterError(AqaError):
    """A Ray cluster cannot be reached, lacks a resource that the work needs, or loses its workers."""


class MeasureError(AqaError):
    """A quantity cannot be measured from this video, or at this time."""


class PluginError(AqaError):
    """A plug-in cannot be loaded, has another type than its group says, or is not the one of the run."""


class UnknownName(AqaError):
    """A name that is not registered. The message lists the known names, and may end with advice."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, advice: str = "") -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        super().__init__(f"unknown {kind} {name!r}.{hint} Known: {', '.join(names)}.{advice}")

    def __reduce__(self) -> tuple[Any, ...]:  # another process needs only the message
        return _unknown_name, (str(self),)


def _unknown_name(message: str) -> UnknownName:
    error = UnknownName.__new__(UnknownName)
    error.args = (message,)
    return error
