"""Run plug-in files that a person gives with `--plugin`, and no others.

A run or a store may name a plug-in. That name is compared with the given files; it never runs a file.
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

MOST_BYTES = 4 * MIB  # of a Python file


class Pluggable:
    """The base of everything that a plug-in can add to a registry, under its name."""

    name: str


@dataclass(frozen=True)
class Origin:
    """The source of a plugged-in entry: a file and its digest, or a package and its version."""

    name: str
    identity: str

    def __str__(self) -> str:
        return f"{self.name} ({self.identity})"


@dataclass(frozen=True)
class PluginFile:
    """A Python file as it was read once, so that its digest covers exactly the bytes that run."""

    path: Path
    source: bytes = field(repr=False)

    @property
    def origin(self) -> Origin:
        """Return the name of the file without folders, and its digest."""
        return Origin(self.path.name, f"sha256:{hashlib.sha256(self.source).hexdigest()}")


@dataclass(frozen=True)
class _Loaded:
    file: PluginFile
    module: ModuleType

    @property
    def entries(self) -> list[Pluggable]:
        """Return the entries at the top level of the file, each once."""
        found = [value for value in vars(self.module).values() if isinstance(value, Pluggable)]
        return list({id(value): value for value in found}.values())


_loaded: list[_Loaded] = []


def read_plugin(path: Path) -> PluginFile:
    """Read the file; raise `PluginError` if it cannot be read."""
    try:
        return PluginFile(path, read_bounded_bytes(path, most_bytes=MOST_BYTES))
    except OSError as error:
        raise PluginError(f"the plug-in {path} cannot be read: {error.strerror or error}.") from error


@contextmanager
def plugged_in(files: Iterable[PluginFile]) -> Iterator[None]:
    """Run the files. Their entries can be looked up by name while the block lasts.

    Raises `PluginError` for a file that fails, and for a file without entries.
    """
    before = len(_loaded)
    try:
        for file in files:
            plug_in(file)
        yield
    finally:
        for loaded in _loaded[before:]:
            sys.modules.pop(loaded.module.__name__, None)
        del _loaded[before:]


def plug_in(file: PluginFile) -> None:
    """Run the file and register its entries until the process ends. The same bytes run only once."""
    if any(each.file.source == file.source for each in _loaded):
        return
    loaded = _Loaded(file, _run(file))
    if not loaded.entries:
        del sys.modules[loaded.module.__name__]
        raise PluginError(
            f"the plug-in {file.path} defines no entry: expected a HeadKind, a Backbone or a "
            "DatasetAdapter at its top level."
        )
    _loaded.append(loaded)


def entries_of_files() -> Iterator[tuple[Origin, Pluggable]]:
    """Yield each entry of the files, with its origin."""
    for loaded in _loaded:
        for entry in loaded.entries:
            yield loaded.file.origin, entry


def files_plugged_in() -> tuple[PluginFile, ...]:
    """Return the files that were given, so that a worker on another machine can run them too."""
    return tuple(each.file for each in _loaded)


def _run(file: PluginFile) -> ModuleType:
    digest = file.origin.identity.removeprefix("sha256:")
    module = ModuleType(f"aqa_plugin_{digest[:16]}")
    module.__file__ = str(file.path)
    sys.modules[module.__name__] = module  # dataclasses look up their module
    try:
        exec(compile(file.source, str(file.path), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise PluginError(f"the plug-in {file.path} fails{_where(error, file)}: {_text(error)}.") from error
    return module


def _where(error: BaseException, file: PluginFile) -> str:
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(file.path)
    ]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f" in line {line}" if line else ""


def _text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(".")
