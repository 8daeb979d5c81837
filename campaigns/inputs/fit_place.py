"""The run and the page that are disturbed: their commands, their files, and which of these are not whole."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.disk.files import PART

Contents = dict[str, bytes]
Limit = Callable[[int], AbstractContextManager[None]]

FROZEN = ("--streams", "crops", "--split", "random-0,random-1", "--seeds", "0,1", "--epochs", 3)
TUNED = (
    *("--fine-tune", "--backbone", "lite0", "--weights", "random:0", "--threads", 1, "--no-baselines"),
    *("--split", "random-0", "--seeds", "0", "--epochs", 3),
)


@dataclass(frozen=True)
class Place:
    """The folder of run and page, the commands that write them, and the files of an undisturbed run."""

    folder: Path
    data: tuple[object, ...]
    limit: Limit
    how: tuple[object, ...] = FROZEN
    whole: Contents = field(default_factory=dict)
    seconds: float = 0.0  # that the longer of the two commands takes undisturbed

    def fit(self) -> tuple[object, ...]:
        """Return the words of the fit command."""
        return ("fit", "--head", "wd", "--out", self.folder / "run", "--device", "cpu", *self.data, *self.how)

    def report(self) -> tuple[object, ...]:
        """Return the words of the report command."""
        return ("report", self.folder / "run", "--html", self.folder / "page" / "run.html", "--worst", 2)

    def contents(self) -> Contents:
        """Return the content of every file by its relative path."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def unsound(self) -> list[str]:
        """Return which files are not whole.

        Parts and snapshots are allowed: the next command removes them.
        """
        there = {name: content for name, content in self.contents().items() if not _is_passing(name)}
        unequal = [name for name, content in there.items() if self.whole.get(name) != content]
        trained = {str(Path(name).parent) for name in there if "/seed-" in name}
        missing = [name for name in self.whole if str(Path(name).parent) in trained and name not in there]
        return [f"{name} is half there, or another" for name in unequal] + [
            f"{name} is missing" for name in missing
        ]

    def differences(self) -> list[str]:
        """Return which files differ from those of an undisturbed run."""
        there = self.contents()
        names = sorted(there.keys() | self.whole.keys())
        return [f"{name} differs" for name in names if there.get(name) != self.whole.get(name)]

    def clear(self, *names: str) -> None:
        """Delete the run, the page, or by default both."""
        for name in names or ("run", "page"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def is_part(name: str) -> bool:
    """Return True for a file that is not whole yet, or that lies in a folder that is not."""
    return any(PART.fullmatch(part) for part in Path(name).parts)


def _is_passing(name: str) -> bool:
    return is_part(name) or name.endswith(".snapshot")
