"""Look up entries of one kind by name: built-in entries, those of given files and of installed packages.

A package offers an entry by an entry point of that name, in the group `aqa.heads`, `aqa.backbones` or
`aqa.datasets`. The entry is imported when its name is looked up, or when all entries are listed.
"""

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from aqa_pipeline.errors import PluginError, UnknownName
from aqa_pipeline.plugins.files import Origin, Pluggable, entries_of_files

Entry = TypeVar("Entry", bound=Pluggable)


class Registry(Mapping[str, Entry]):
    """Entries by name. Iterating over the names imports nothing; looking up an entry imports it.

    `own` holds the built-in entries, which no plug-in can replace. Looking up a name raises `PluginError` if
    its plug-in cannot be loaded, or if several plug-ins define it.
    """

    def __init__(self, kind: str, own: Mapping[str, Entry], *, of: type[Entry], group: str) -> None:
        self._kind, self._own, self._type, self._group = kind, dict(own), of, group
        self._offers: dict[str, list[EntryPoint]] | None = None

    def __iter__(self) -> Iterator[str]:
        given = [entry.name for _, entry in self._given()]
        return iter(dict.fromkeys([*self._own, *given, *self._offered()]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return name in self._own or any(name == known for known in self)

    def __getitem__(self, name: str) -> Entry:
        given = [(origin, entry) for origin, entry in self._given() if entry.name == name]
        if name in self._own:
            if given:
                raise self._taken(given[0][0], name)
            return self._own[name]
        offers = self._offered().get(name, [])
        origins = [*(origin for origin, _ in given), *map(_origin_of, offers)]
        if len(origins) > 1:
            raise PluginError(
                f"{' and '.join(map(str, origins))} each define a {self._kind} {name!r}: use only one."
            )
        if given:
            return given[0][1]
        if offers:
            return self._load(offers[0])
        raise KeyError(name)

    def find(self, name: str) -> Entry:
        """Return the entry of that name; raise `UnknownName` with the known ones, or `PluginError`."""
        try:
            return self[name]
        except KeyError:
            advice = f" If a plug-in defines this {self._kind}, give its file with --plugin."
            raise UnknownName(self._kind, name, self, advice=advice) from None

    def listed(self) -> tuple[dict[str, Entry], list[str]]:
        """Return every entry that can be loaded, and one sentence on the problem of each other entry."""
        found, problems = {}, []
        for name in self:
            try:
                found[name] = self[name]
            except PluginError as error:
                problems.append(str(error))
        for name, offers in self._offered().items():
            if name in self._own:
                problems += [str(self._taken(_origin_of(offer), name)) for offer in offers]
        return found, problems

    def origin(self, name: str) -> Origin | None:
        """Return the plug-in that defines the entry; None for built-in entries and unknown names."""
        if name in self._own:
            return None
        origins = [origin for origin, entry in self._given() if entry.name == name]
        return next(iter([*origins, *map(_origin_of, self._offered().get(name, []))]), None)

    def _given(self) -> Iterator[tuple[Origin, Entry]]:
        """Yield the entries of given files, without the built-in entries that these files import."""
        for origin, entry in entries_of_files():
            if isinstance(entry, self._type) and self._own.get(entry.name) is not entry:
                yield origin, entry

    def _offered(self) -> dict[str, list[EntryPoint]]:
        if self._offers is None:
            self._offers = {}
            for offer in entry_points(group=self._group):
                self._offers.setdefault(offer.name, []).append(offer)
        return self._offers

    def _load(self, offer: EntryPoint) -> Entry:
        start = f"the {self._kind} {offer.name!r} of the package {_origin_of(offer)}"
        try:
            entry = offer.load()
        except (Exception, SystemExit) as error:  # importing the package may raise any error
            raise PluginError(
                f"{start} cannot be loaded: {type(error).__name__}: {error}. Update or uninstall the package."
            ) from error
        if not isinstance(entry, self._type) or entry.name != offer.name:
            is_named = f" named {entry.name!r}" if isinstance(entry, self._type) else ""
            raise PluginError(
                f"{start} is a {type(entry).__name__}{is_named} ({offer.value}): expected a "
                f"{self._type.__name__} named {offer.name!r}."
            )
        return entry

    def _taken(self, origin: Origin, name: str) -> PluginError:
        return PluginError(f"{origin} defines a {self._kind} {name!r}, but this name is built in: rename it.")


def _origin_of(offer: EntryPoint) -> Origin:
    package = offer.dist
    return Origin(package.name, f"version {package.version}") if package else Origin(offer.value, "a package")
