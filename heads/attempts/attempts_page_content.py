"""The content of the page of two attempts: scores, videos, effects over time, and how they are aligned."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from aqa_pipeline.video import OpenVideo, open_video
from heads.attempts.comparison import Comparison, ScoredAttempt
from heads.pages.attempts_page import AttemptColumn, AttemptsPage, write_attempts_page
from heads.pages.media import embed_media, link_media
from heads.pages.pictures import pictures_at
from heads.pages.score_page import Place, Player
from heads.runs.title import run_title
from heads.scoring.shown.index_page_content import common_axis
from heads.scoring.shown.page_tracks import tracks_of
from heads.scoring.shown.score_axis import ScoreAxis
from heads.scoring.shown.score_text import headline

NUM_FILM, FILM_HEIGHT = 8, 72
MOST_TRACKS = 2
NOT_SAID = "–"  # noqa: RUF001  an en dash stands for an empty field
ROLES: dict[Literal["new", "old"], str] = {"new": "This attempt", "old": "Compared with"}


def write_comparison(comparison: Comparison, path: Path, *, embed: bool) -> Path:
    """Write the page of two attempts and return its path; raise `VideoError` for a video that cannot be read.

    `embed` puts both videos into the page.
    """
    new, old = comparison.new, comparison.old
    scored = [each.result for each in (new, old) if each.result.scored_video.not_scored is None]
    axis = common_axis(scored, new.scorer)
    with ExitStack() as stack:
        first, second = (
            _column(side, each, stack.enter_context(open_video(each.result.video)), path, axis, embed=embed)
            for side, each in zip(ROLES, (new, old), strict=True)
        )
    page = AttemptsPage(
        title=f"{_who(new)}: {new.attempt.name} beside {old.attempt.name}",
        headline=comparison.difference.headline,
        evidence=comparison.difference.evidence,
        sentences=comparison.difference.sentences,
        flags=new.scorer.flags,
        warnings=[
            f"{each.attempt.name}: {warning}"
            for each in (new, old)
            for warning in each.result.scored_video.warnings
        ],
        new=first,
        old=second,
        here=comparison.time_map.here,
        there=comparison.time_map.there,
        alignment=comparison.time_map.how,
        marks=axis.marks,
        rows=list(_rows(new, old)),
        facts=list(_facts(comparison)),
    )
    return write_attempts_page(path, page)


def _who(attempt: ScoredAttempt) -> str:
    video = attempt.attempt.video
    return ", ".join(filter(None, (video.athlete, video.element))) or "Two attempts"


def _column(
    side: Literal["new", "old"],
    attempt: ScoredAttempt,
    opened: OpenVideo,
    page: Path,
    axis: ScoreAxis,
    *,
    embed: bool,
) -> AttemptColumn:
    result, duration = attempt.result, opened.timeline.duration_seconds
    times = {"film": [duration * (part + 0.5) / NUM_FILM for part in range(NUM_FILM)]}
    film = pictures_at(opened, times, heights={"film": FILM_HEIGHT}, outlines=())["film"]
    media = embed_media(result.video, opened) if embed else link_media(result.video, opened, page=page)
    effects = [each for each in tracks_of(result.scored_video, attempt.scorer) if each.kind == "effect"]
    return AttemptColumn(
        side=side,
        role=ROLES[side],
        title=attempt.attempt.name,
        scores=list(_scores(attempt)),
        player=Player(media, duration, (), tuple(film), frame_seconds=duration / opened.timeline.num_frames),
        tracks=effects[:MOST_TRACKS],
        place=_place(attempt, axis),
    )


def _place(attempt: ScoredAttempt, axis: ScoreAxis) -> Place | None:
    scored = attempt.result.scored_video
    if scored.not_scored is not None or scored.interval is None:
        return None
    ends = axis.share(scored.interval.low), axis.share(scored.interval.high)
    return Place(axis.share(scored.prediction.score), ends)


def _scores(attempt: ScoredAttempt) -> Iterator[tuple[str, str]]:
    """Yield the day, the judges' score and the predicted one, where they are known."""
    if attempt.attempt.video.performed_on is not None:
        yield "on", attempt.attempt.video.performed_on.isoformat()
    if attempt.label is not None:
        yield "judges", f"{attempt.label:.2f}"
    scored = attempt.result.scored_video
    if scored.not_scored is None and scored.interval is not None:
        digits = scored.decimals
        yield "predicted", f"{scored.prediction.score:.{digits}f} ± {scored.interval.half_width:.{digits}f}"


def _rows(new: ScoredAttempt, old: ScoredAttempt) -> Iterator[tuple[str, str, str]]:
    """Yield name and both values of each row; a row that says nothing of either attempt is left out."""
    here, there = _row_values(new), _row_values(old)
    for name in here:
        if {here[name], there[name]} != {NOT_SAID}:
            yield name, here[name], there[name]


def _row_values(attempt: ScoredAttempt) -> dict[str, str]:
    video = attempt.attempt.video
    length = max(record.duration_seconds for record in attempt.result.records.values())
    return {
        "Athlete": video.athlete or NOT_SAID,
        "Element": video.element or NOT_SAID,
        "Date": video.performed_on.isoformat() if video.performed_on else NOT_SAID,
        "Judges": NOT_SAID if attempt.label is None else f"{attempt.label:.2f}",
        "Predicted": headline(attempt.result.scored_video, attempt.scorer),
        "Length": f"{length:.1f} s",
    }


def _facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    scorer = comparison.new.scorer
    yield "Compared with", comparison.how
    yield "Alignment", f"{comparison.time_map.how}; automatic alignment is dynamic time warping"
    yield "Networks", "each attempt is scored by networks that were not trained on its video"
    yield "Run", f"{run_title(scorer.ensemble.config)}; {scorer.ensemble.run_dir}"
    if scorer.verdict is not None:
        yield "Verdict", str(scorer.verdict)
