"""Match names in labels to names on disk: the exact spelling first, then another case or Unicode form.

macOS writes decomposed Unicode (NFD) where label files have composed Unicode (NFC), and cameras write
`04.MP4`. A name that fits one file in another spelling means that file, and a note says so. A name that fits
several files means none of them.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.plurals import counted
from aqa_pipeline.spelling import folded

NUM_NAMED = 10  # names that a note lists


@dataclass
class Spellings:
    """The names that were found in another spelling, and the names that fit several files."""

    respelled: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, asked: str, fitting: Iterable[str]) -> str | None:
        """Return the exact name, or the only other spelling that fits; record other spellings."""
        names = sorted(fitting)
        if asked in names:
            return asked
        if len(names) > 1:
            self.unclear[asked] = tuple(names)
        return self.take(asked, names[0]) if len(names) == 1 else None

    def take(self, asked: str, found: str) -> str:
        """Record that `found` is the file of the name `asked`."""
        self.respelled[asked] = found
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """Return one sentence on the names that were found in another spelling, if there are any."""
        return (respelled_note(self.respelled, what="file"),) if self.respelled else ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Return one sentence for each name that fits several files."""
        return tuple(
            f"{asked!r} fits {', '.join(names)}, which differ in case or Unicode form: rename all but one"
            for asked, names in self.unclear.items()
        )


def respelled_note(respelled: Mapping[str, str], *, what: str) -> str:
    """Return one sentence on names that were found in another spelling, by the name that was asked for."""
    pairs = [
        f"{asked} (in another Unicode form)" if _look_alike(asked, found) else f"{asked} -> {found}"
        for asked, found in respelled.items()
    ]
    more = f" and {len(pairs) - NUM_NAMED} more" if len(pairs) > NUM_NAMED else ""
    were = counted(len(pairs), f"{what} was", f"{what}s were")
    return f"{were} found under another spelling: {', '.join(pairs[:NUM_NAMED])}{more}"


def _look_alike(asked: str, found: str) -> bool:
    return normalize("NFC", asked) == normalize("NFC", found)


class NameIndex:
    """Names by their caseless Unicode form."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._by_form: dict[str, list[str]] = {}
        for name in self.names:
            self._by_form.setdefault(folded(name), []).append(name)

    def fitting(self, name: str) -> list[str]:
        """Return every spelling of the name."""
        return self._by_form.get(folded(name), [])


class FolderNames:
    """The files and folders below `root`, by name. Every folder is listed once, at its first use.

    Names are relative, with `/`. `spellings` records the names that were found in another spelling.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spellings = Spellings()
        self._listed: dict[str, NameIndex] = {}
        self._stems: dict[str, dict[str, list[str]]] = {}

    def find(self, name: str) -> Path | None:
        """Return the file or folder of that name; None if there is none, or if the name fits several."""
        asked = str(PurePosixPath(name))
        if asked == ".":
            return self.root
        found = self.spellings.choose(asked, self.fitting(asked))
        return None if found is None else self.root / found

    def find_file(self, *names: str) -> Path | None:
        """Return the first of these that is a file: in its exact spelling if possible, else in another."""
        spelled = [name for name in names if str(PurePosixPath(name)) in self.fitting(name)]
        paths = (self.find(name) for name in (spelled or names))
        return next((path for path in paths if path is not None and path.is_file()), None)

    def fitting(self, name: str) -> list[str]:
        """Return all spellings of a relative name that exist."""
        *folders, last = PurePosixPath(name).parts
        return [
            _join(folder, each)
            for folder in self._folders(folders)
            for each in self._list(folder).fitting(last)
        ]

    def fitting_stem(self, name: str) -> list[str]:
        """Return the files of that name with a video ending, in any spelling."""
        *folders, last = PurePosixPath(name).parts
        form = folded(last)
        return [_join(at, each) for at in self._folders(folders) for each in self._by_stem(at).get(form, [])]

    def names_in(self, folder: str) -> list[str]:
        """Return the sorted names in a folder below the root; an empty list if there is no such folder."""
        at = self.find(folder)
        return [] if at is None else sorted(self._list(_relative(at, self.root)).names)

    def _folders(self, parts: Iterable[str]) -> list[str]:
        folders = [""]
        for part in parts:
            folders = [_join(at, name) for at in folders for name in self._list(at).fitting(part)]
        return folders

    def _list(self, folder: str) -> NameIndex:
        if folder not in self._listed:
            try:
                self._listed[folder] = NameIndex(os.listdir(self.root / folder))
            except (FileNotFoundError, NotADirectoryError):
                self._listed[folder] = NameIndex(())
        return self._listed[folder]

    def _by_stem(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._stems:
            stems = self._stems[folder] = {}
            for name in self._list(folder).names:
                stem = without_video_suffix(name)
                if stem != name and not name.startswith("."):
                    stems.setdefault(folded(stem), []).append(name)
        return self._stems[folder]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else relative
