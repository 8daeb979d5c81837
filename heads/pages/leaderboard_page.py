"""The page of a bench: its content as plain values, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heads.pages.rendering import write_page
from heads.pages.run_page import Picture, TableOf


@dataclass(frozen=True)
class HeadLine:
    """One head of a block: its row's name, how it does in words, and the numbers of the other columns.

    `tone` is "good" for a head that is better than ridge regression, else "quiet".
    """

    row: str
    words: str
    tone: Literal["good", "quiet"]
    values: tuple[str, ...]


@dataclass(frozen=True)
class BlockSection:
    """One dataset and encoder with its heads below the `header`; `splits` and `runs` are folded.

    `picture` is None if no head has a value.
    """

    title: str
    facts: str
    header: tuple[str, ...]
    heads: Sequence[HeadLine]
    picture: Picture | None
    splits: TableOf
    runs: TableOf


@dataclass(frozen=True)
class LeaderboardPage:
    """The content of the page. Texts are plain; rendering escapes them.

    `findings` name the heads that do not beat ridge regression. `picture` and `ranking` are None without a
    ranking; `ranking_notes` then say why. `failed` are lines on fits that failed, `verify` says how to check.
    """

    title: str
    flags: tuple[str, ...]
    findings: Sequence[str]
    ranking_notes: Sequence[str]
    picture: Picture | None
    ranking: TableOf | None
    blocks: Sequence[BlockSection]
    failed: Sequence[str]
    verify: str


def write_leaderboard_page(path: Path, page: LeaderboardPage) -> Path:
    """Write the page as one self-contained file without scripts; return its path."""
    return write_page(path, "leaderboard.html", {"page": page})
