"""The content of the index page: scored videos, highest first, with intervals and links to their pages."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from aqa_pipeline.plurals import counted
from heads.pages.index_page import IndexPage, IndexRow, write_index_page
from heads.pages.media import relative_address
from heads.pages.score_page import Place
from heads.runs.title import run_title
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import Scorer
from heads.scoring.shown.score_axis import ScoreAxis, round_axis
from heads.scoring.shown.score_page_content import class_marks, score_name, score_text

INDEX = "index.html"


def write_index(
    path: Path,
    scored: Sequence[ScoringResult],
    scorer: Scorer,
    *,
    pages: Mapping[int, Path],
    failures: Mapping[str, str],
) -> Path:
    """Write the index page and return its path.

    `pages` are the videos' own pages by index in `scored`; a video without one has no link.
    """
    numbers = [number for number, one in enumerate(scored) if one.scored_video.not_scored is None]
    ranked = sorted(numbers, key=lambda number: -scored[number].scored_video.prediction.score)
    axis = common_axis([scored[number] for number in numbers], scorer)
    links = {number: relative_address(page, path) for number, page in pages.items()}
    page = IndexPage(
        title=_title(len(numbers), len(scored) - len(numbers), len(failures)),
        run=f"{run_title(scorer.ensemble.config)}; run {scorer.ensemble.run_dir}",
        target="likelier class" if scorer.classes else scorer.target.name,
        flags=scorer.flags,
        notes=(*_notes(scorer), *_order([scored[number] for number in ranked])),
        marks=class_marks(scorer.classes) if scorer.classes else axis.marks,
        rows=[_row(scored[number], scorer, link=links.get(number, ""), axis=axis) for number in ranked],
        not_scored=[
            (one.scored_video.name, str(one.scored_video.not_scored), links.get(number, ""))
            for number, one in enumerate(scored)
            if one.scored_video.not_scored is not None
        ],
        failures=list(failures.items()),
    )
    return write_index_page(path, page)


def _title(num_scored: int, num_not_scored: int, num_failed: int) -> str:
    parts = [f"{counted(num_scored, 'video')} scored"]
    parts += [f"{num_not_scored} not scored"] if num_not_scored else []
    parts += [f"{num_failed} with problems"] if num_failed else []
    return ", ".join(parts)


def _order(ranked: Sequence[ScoringResult]) -> list[str]:
    """Return a sentence if intervals of neighbors in the order overlap: that order is uncertain."""
    intervals = [one.scored_video.interval for one in ranked]
    overlaps = sum(
        lower.high >= upper.low
        for upper, lower in pairwise(intervals)
        if upper is not None and lower is not None
    )
    if not overlaps:
        return []
    return [
        f"The intervals of {overlaps} of {len(ranked) - 1} neighbors overlap: the order of such videos is "
        "not certain."
    ]


def common_axis(scored: Sequence[ScoringResult], scorer: Scorer) -> ScoreAxis:
    """Return the axis that holds the training scores and all scores with their intervals."""
    if scorer.classes is not None:
        return ScoreAxis(0.0, 1.0, 1.0)
    return round_axis([*scorer.training_scores.tolist(), *_ends(scored)])


def _ends(scored: Sequence[ScoringResult]) -> Iterator[float]:
    for one in scored:
        yield one.scored_video.prediction.score
        if interval := one.scored_video.interval:
            yield from (interval.low, interval.high)


def _notes(scorer: Scorer) -> list[str]:
    if scorer.classes is not None:
        return [f"The likelier class of each video, and its probability; {scorer.classes.upper} first."]
    first, last = scorer.training_scores.min(), scorer.training_scores.max()
    verdict = [f"The run: {scorer.verdict}"] if scorer.verdict else []
    scores = f"scores of {len(scorer.training_scores)} training videos"
    return [f"Highest score first. The {scores} reach from {first:.2f} to {last:.2f}.", *verdict]


def _row(one: ScoringResult, scorer: Scorer, *, link: str, axis: ScoreAxis) -> IndexRow:
    scored_video, score = one.scored_video, one.scored_video.prediction.score
    interval = scored_video.interval
    spread = (
        f"± {interval.half_width:.{scored_video.decimals}f}" if interval else score_name(scored_video, scorer)
    )
    return IndexRow(
        video=scored_video.name,
        page=link,
        score=score_text(scored_video, scorer),
        spread=spread,
        place=Place(
            axis.share(score),
            (axis.share(interval.low), axis.share(interval.high)) if interval else None,
        ),
        percentile="" if scored_video.percentile is None else f"{scored_video.percentile:.0f} %",
        warnings=scored_video.warnings,
    )
