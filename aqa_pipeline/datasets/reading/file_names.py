"""Names in labels against names on disk: the same spelling first, then another case or Unicode normal form.

macOS writes decomposed Unicode (NFD) where label files have composed (NFC), and cameras write `04.MP4`. A
name that fits one file under another spelling is that file, and that is told. One that fits several is none.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.spelling import folded

NUM_NAMED = 10  # of the names that a note is about


@dataclass
class Spellings:
    """What was found under another spelling, by the name that was asked for, and what fits several."""

    respelled: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, asked: str, fitting: Iterable[str]) -> str | None:
        """Return the name spelled as asked, or the only other that fits; remember what was not so plain."""
        names = sorted(fitting)
        if asked in names:
            return asked
        if len(names) > 1:
            self.unclear[asked] = tuple(names)
        return self.take(asked, names[0]) if len(names) == 1 else None

    def take(self, asked: str, found: str) -> str:
        """Remember that `found` stands for `asked`."""
        self.respelled[asked] = found
        return found

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence on what was found under another spelling, if anything was."""
        return (told_respelled(self.respelled, what="file"),) if self.respelled else ()

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence per name that fits several."""
        return tuple(
            f"{asked!r} fits {', '.join(names)}, which differ in case or Unicode form: rename all but one"
            for asked, names in self.unclear.items()
        )


def told_respelled(respelled: Mapping[str, str], *, what: str) -> str:
    """Return the sentence; names that look the same differ in their Unicode normal form."""
    pairs = [
        f"{asked} (in another Unicode form)" if _look_alike(asked, found) else f"{asked} -> {found}"
        for asked, found in respelled.items()
    ]
    more = f" and {len(pairs) - NUM_NAMED} more" if len(pairs) > NUM_NAMED else ""
    were = f"1 {what} was" if len(pairs) == 1 else f"{len(pairs)} {what}s were"
    return f"{were} found under another spelling: {', '.join(pairs[:NUM_NAMED])}{more}"


def _look_alike(asked: str, found: str) -> bool:
    return normalize("NFC", asked) == normalize("NFC", found)


class NameIndex:
    """Names by what their spellings share."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._by_form: dict[str, list[str]] = {}
        for name in self.names:
            self._by_form.setdefault(folded(name), []).append(name)

    def fitting(self, name: str) -> list[str]:
        """Return every spelling of the name."""
        return self._by_form.get(folded(name), [])


class FolderNames:
    """What lies below `root`, by name. Every folder is listed once, when it is first asked for.

    Names are relative, with `/`. `spellings` remembers what was found under another spelling.
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
        """Return the first of these that is a file: spelled so if one is, else under another spelling."""
        spelled = [name for name in names if str(PurePosixPath(name)) in self.fitting(name)]
        paths = (self.find(name) for name in (spelled or names))
        return next((path for path in paths if path is not None and path.is_file()), None)

    def fitting(self, name: str) -> list[str]:
        """Return all spellings of a relative name that are there."""
        *folders, last = PurePosixPath(name).parts
        return [
            _join(folder, each)
            for folder in self._folders(folders)
            for each in self._list(folder).fitting(last)
        ]

    def fitting_stem(self, name: str) -> list[str]:
        """Return what is there of that name and one of the endings of videos, in any spelling."""
        *folders, last = PurePosixPath(name).parts
        form = folded(last)
        return [_join(at, each) for at in self._folders(folders) for each in self._by_stem(at).get(form, [])]

    def names_in(self, folder: str) -> list[str]:
        """Return the sorted names in a folder below the root; nothing where there is no such folder."""
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
