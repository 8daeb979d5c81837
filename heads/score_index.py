"""One page over several scored videos: who got what, how sure that is, and a way to each page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aqa_pipeline.pages.index_page import IndexPage, IndexRow, Place, write_index_page
from aqa_pipeline.pages.media import relative_address
from heads.judgement import Judge
from heads.run_facts import run_title
from heads.score_pages import Scored, score_name, score_text

INDEX = "index.html"


def write_index(
    path: Path,
    scored: Sequence[Scored],
    by: Judge,
    *,
    pages: Mapping[int, Path],
    failures: Mapping[str, str],
) -> Path:
    """The page, highest score first; `pages` are by place in `scored`, a video without one has no link."""
    ranked = sorted(range(len(scored)), key=lambda number: -scored[number].judgement.prediction.score)
    ends = scale_ends(scored, by)
    links = {number: relative_address(page, path) for number, page in pages.items()}
    page = IndexPage(
        title=f"{len(scored)} videos scored" + (f", {len(failures)} with problems" if failures else ""),
        run=f"{run_title(by.trained.config)}; run {by.trained.run_dir}",
        target="likelier class" if by.classes else by.target.name,
        flags=by.flags,
        notes=tuple(_notes(by)),
        ends=(by.classes.lower, by.classes.upper) if by.classes else (f"{ends[0]:.1f}", f"{ends[1]:.1f}"),
        rows=[_row(scored[number], by, link=links.get(number, ""), ends=ends) for number in ranked],
        failures=[(Path(video).name, reason) for video, reason in failures.items()],
    )
    return write_index_page(path, page)


def scale_ends(scored: Sequence[Scored], by: Judge) -> tuple[float, float]:
    """From the lowest to the highest of training scores, scores and intervals."""
    if by.classes is not None:
        return 0.0, 1.0
    intervals = [one.judgement.interval for one in scored if one.judgement.interval is not None]
    values = [one.judgement.prediction.score for one in scored]
    values += [end for interval in intervals for end in (interval.low, interval.high)]
    values += by.training_scores.tolist()
    return min(values), max(values)


def _notes(by: Judge) -> list[str]:
    if by.classes is not None:
        return [f"The likelier class of each video, and its probability; {by.classes.upper} first."]
    first, last = by.training_scores.min(), by.training_scores.max()
    verdict = [f"The run: {by.verdict}"] if by.verdict else []
    scores = f"scores of {len(by.training_scores)} training videos"
    return [f"Highest score first. The {scores} reach from {first:.2f} to {last:.2f}.", *verdict]


def _row(one: Scored, by: Judge, *, link: str, ends: tuple[float, float]) -> IndexRow:
    judgement, score = one.judgement, one.judgement.prediction.score
    interval = judgement.interval
    low, length = ends[0], (ends[1] - ends[0]) or 1.0
    return IndexRow(
        video=judgement.name,
        page=link,
        score=score_text(judgement, by),
        spread=f"± {interval.half_width:.2f}" if interval else score_name(judgement, by),
        place=Place(
            (score - low) / length,
            ((interval.low - low) / length, (interval.high - low) / length) if interval else None,
        ),
        percentile="" if judgement.percentile is None else f"{judgement.percentile:.0f} %",
        warnings=judgement.warnings,
    )
