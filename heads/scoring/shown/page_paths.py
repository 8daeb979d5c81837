"""The paths of the pages of scored videos."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from aqa_pipeline.store import file_name
from heads.scoring.result import ScoringResult


def page_paths(out: Path, scored: Sequence[ScoringResult], *, single: bool) -> list[Path]:
    """Return the pages' paths: `out` for a single video, else `out/NAME.html`; equal names are numbered."""
    if single and not out.is_dir():
        return [out] * len(scored)
    names: list[str] = []
    for one in scored:
        name = number_name(file_name(one.scored_video.name), names)
        names.append(name)
    return [out / f"{name}.html" for name in names]


def number_name(name: str, taken: Sequence[str]) -> str:
    """Return the name, or the first of name-2, name-3, ... that is not taken."""
    numbered = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    return next(each for each in numbered if each not in taken)
