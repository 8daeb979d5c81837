"""Plug-ins that are files: run where a person names one with `--plugin`, and only then.

What a run or a store says of a plug-in is compared, never carried out.
"""

import hashlib
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from aqa_pipeline.errors import PluginError
from aqa_pipeline.untrusted.bounded_files import MIB, read_bounded_bytes

MOST_BYTES = 4 * MIB  # of a file of Python


class Pluggable:
    """What a plug-in can bring: an entry of a registry, under its name."""

    name: str


@dataclass(frozen=True)
class Origin:
    """Where an entry that is not one of ours comes from. `identity` is a file's digest or a version."""

    name: str
    identity: str

    def __str__(self) -> str:
        return f"{self.name} ({self.identity})"

    def facts(self) -> dict[str, str]:
        """Return what the config of a run says of it."""
        return {"name": self.name, "identity": self.identity}


@dataclass(frozen=True)
class PluginFile:
    """A file of Python as it was read, once: its digest is that of the very bytes that are run."""

    path: Path
    source: bytes = field(repr=False)

    @property
    def origin(self) -> Origin:
        """Return its name without folders, and its digest."""
        return Origin(self.path.name, f"sha256:{hashlib.sha256(self.source).hexdigest()}")


@dataclass(frozen=True)
class _Loaded:
    file: PluginFile
    module: ModuleType

    @property
    def entries(self) -> list[Pluggable]:
        """Return what stands at its top level, each once."""
        found = [value for value in vars(self.module).values() if isinstance(value, Pluggable)]
        return list({id(value): value for value in found}.values())


_loaded: list[_Loaded] = []


def read_plugin(path: Path) -> PluginFile:
    """Read the file; raise `PluginError` where it cannot be read."""
    try:
        return PluginFile(path, read_bounded_bytes(path, most_bytes=MOST_BYTES))
    except OSError as error:
        raise PluginError(f"the plug-in {path} cannot be read: {error.strerror or error}.") from error


@contextmanager
def plugged_in(files: Iterable[PluginFile]) -> Iterator[None]:
    """Run the files; what they define can be looked up by name while the block lasts.

    Raises `PluginError` for a file that fails, or that defines nothing to look up.
    """
    before = len(_loaded)
    try:
        for file in files:
            plug_in(file)
        yield
    finally:
        for gone in _loaded[before:]:
            sys.modules.pop(gone.module.__name__, None)
        del _loaded[before:]


def plug_in(file: PluginFile) -> None:
    """Run the file, for as long as this process lives; the same bytes are run once."""
    if any(each.file.source == file.source for each in _loaded):
        return
    loaded = _Loaded(file, _run(file))
    if not loaded.entries:
        del sys.modules[loaded.module.__name__]
        raise PluginError(
            f"the plug-in {file.path} defines nothing to look up: expected a Head, a Backbone or a "
            "DatasetAdapter at its top level."
        )
    _loaded.append(loaded)


def entries_of_files() -> Iterator[tuple[Origin, Pluggable]]:
    """Yield what the files define, and which file."""
    for loaded in _loaded:
        for entry in loaded.entries:
            yield loaded.file.origin, entry


def files_plugged_in() -> tuple[PluginFile, ...]:
    """Return the files that were named, so that a worker elsewhere can run them too."""
    return tuple(each.file for each in _loaded)


def _run(file: PluginFile) -> ModuleType:
    digest = file.origin.identity.removeprefix("sha256:")
    module = ModuleType(f"aqa_plugin_{digest[:16]}")
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(file.source, str(file.path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise PluginError(f"the plug-in {file.path} fails{_where(error, file)}: {_told(error)}.") from error
    return module


def _where(error: BaseException, file: PluginFile) -> str:
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file.path)
    ]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f" in line {line}" if line else ""


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
