"""The content of a scored video's page: tracks, moments, pictures and facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.video import OpenVideo, open_video
from aqa_pipeline.video.plain import in_words
from heads.evaluation.evaluate import SELECT_LABELS
from heads.evaluation.two_class_target import HALF, TwoClassTarget
from heads.pages.media import embed_media, link_media, relative_address
from heads.pages.pictures import pictures_at
from heads.pages.score_page import (
    Link,
    Mark,
    Moment,
    Outline,
    Place,
    Player,
    Scale,
    ScorePage,
    ShownScore,
    TubeStrip,
    write_score_page,
)
from heads.pages.track import Level, Track
from heads.runs.title import is_closed_form
from heads.runs.training_statistics import frames_without_person
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import ScoredVideo, Scorer
from heads.scoring.shown.athlete_outlines import athlete_outlines
from heads.scoring.shown.baseline_facts import baseline_facts, ridge_facts
from heads.scoring.shown.measured_facts import measured_rows
from heads.scoring.shown.page_tracks import tracks_of
from heads.scoring.shown.score_axis import round_axis
from heads.scoring.shown.score_text import SPLIT_NAMES_SHOWN, score_sentences
from heads.scoring.shown.step_frames import jump_seconds, step_frames
from heads.scoring.tracking import tracking_sentences, tracking_summary, tracking_warnings
from heads.scoring.visible_parts import head_window_sentences, stream_part_sentences

NUM_FILM = 12
FILM_HEIGHT, MOMENT_HEIGHT, PART_HEIGHT = 72, 132, 104
# One picture for a step that is one frame, three for a clip: ACTION-NET's Figure 5 shows clips as strips.
PARTS_OF_FRAME, PARTS_OF_CLIP = (0.5,), (1 / 6, 3 / 6, 5 / 6)
LEVELS: tuple[Level, ...] = ("highest", "lowest")


def write_page_of(
    scored: ScoringResult,
    scorer: Scorer,
    path: Path,
    *,
    embed: bool = False,
    back: tuple[Path, str] | None = None,
) -> Path:
    """Write the page of a scored video and return its path; raise `VideoError` if the video cannot be read.

    `embed` puts the video into the page. `back` is the path and the name of the page that links here.
    """
    with open_video(scored.video) as opened:
        seen = {name: step_frames(record, opened.timeline) for name, record in scored.records.items()}
        tracks = [
            replace(track, jumps=jump_seconds(track, seen[track.stream], opened.timeline))
            for track in tracks_of(scored.scored_video, scorer)
        ]
        outlines = athlete_outlines(scored.records, opened)
        film, moments = _pictures(seen, tracks, opened, outlines)
        media = embed_media(scored.video, opened) if embed else link_media(scored.video, opened, page=path)
        page = ScorePage(
            title=scored.scored_video.name,
            score=_shown_score(scored, scorer),
            warnings=scored.scored_video.warnings,
            flags=scorer.flags,
            player=Player(
                media,
                opened.timeline.duration_seconds,
                outlines,
                film,
                _tube_strip(scored.records),
                frame_seconds=opened.timeline.duration_seconds / opened.timeline.num_frames,
            ),
            tracks=tracks,
            moments=moments,
            facts=list(facts_of(scored, scorer)),
            measured=measured_rows(scored.records, opened.timeline),
            back=Link(relative_address(back[0], path), back[1]) if back else None,
        )
    return write_score_page(path, page)


def _shown_score(scored: ScoringResult, scorer: Scorer) -> ShownScore:
    return ShownScore(
        target=score_name(scored.scored_video, scorer),
        text=score_text(scored.scored_video, scorer),
        summary=(
            *score_sentences(scored.scored_video, scorer),
            *tracking_sentences(scored.records),
            *stream_part_sentences(scored.records),
            *head_window_sentences(scored.records, scorer.ensemble),
            *_known(scored, scorer),
            *([f"The run: {scorer.verdict}"] if scorer.verdict else []),
        ),
        scale=None if scored.scored_video.not_scored else _scale(scored.scored_video, scorer),
    )


def score_name(scored_video: ScoredVideo, scorer: Scorer) -> str:
    """Return the name of the large number: the target's, or the likelier class's."""
    if scored_video.not_scored is not None:
        return "not scored"
    return scorer.classes.name(scored_video.prediction.score) if scorer.classes else scorer.target.name


def score_text(scored_video: ScoredVideo, scorer: Scorer) -> str:
    """Return the large number: the score, or the probability of the likelier class in percent."""
    if scored_video.not_scored is not None:
        return "no score"
    score = scored_video.prediction.score
    if scorer.classes:
        return f"{100 * scorer.classes.probability(score):.0f} %"
    return f"{score:.{scored_video.decimals}f}"


def _tube_strip(records: Mapping[str, Record]) -> TubeStrip | None:
    """Return the strip of the first stream with a tube; None if there is none."""
    followed = [each for each in map(tracking_summary, records.values()) if each is not None]
    if not followed:
        return None
    words = " ".join(
        [*tracking_sentences(records), *stream_part_sentences(records), *tracking_warnings(records)]
    )
    return TubeStrip(followed[0].looked, followed[0].absent, followed[0].restarts, words)


def _pictures(
    seen: Mapping[str, NDArray[np.int64]],
    tracks: Sequence[Track],
    opened: OpenVideo,
    outlines: Sequence[Outline],
) -> tuple[tuple[str, ...], list[Moment]]:
    """Return the film strip and the moments with their pictures, from one pass over the video."""
    duration = opened.timeline.duration_seconds
    times = {"film": [duration * (part + 0.5) / NUM_FILM for part in range(NUM_FILM)]}
    heights = {"film": FILM_HEIGHT}
    planned = []
    for number, track in enumerate(tracks):
        for level in LEVELS if track.kind != "attention" else ():
            for step in track.steps(level):
                name, frames = f"{number} {step}", seen[track.stream][step]
                parts, heights[name] = (
                    (PARTS_OF_CLIP, PART_HEIGHT) if len(frames) > 1 else (PARTS_OF_FRAME, MOMENT_HEIGHT)
                )
                shown = [frames[int(part * len(frames))] for part in parts]
                times[name] = opened.timeline.pts_seconds[shown].tolist()
                planned.append((track, level, step, name))
    made = pictures_at(opened, times, heights=heights, outlines=outlines, bare=("film",))
    moments = [
        Moment(
            track=track.name,
            level=level,
            start=float(track.pts_seconds[step, 0]),
            stop=float(track.pts_seconds[step, 1]),
            value=f"this moment: {track.labels[step]}" if track.kind == "effect" else track.labels[step],
            pictures=tuple(made[name]),
            jump=float(track.shown_at[step, 0]),
            frame=float(track.shown_at[step, 1]),
        )
        for track, level, step, name in planned
    ]
    return tuple(made["film"]), moments


def _scale(scored_video: ScoredVideo, scorer: Scorer) -> Scale:
    """Return the scale of the score: round numbers around the training scores and the interval.

    The target's own bounds may be far away. A probability has a scale from one class to the other.
    """
    interval, score = scored_video.interval, scored_video.prediction.score
    if scorer.classes is not None:
        place = Place(score, None)
        return Scale(
            class_marks(scorer.classes), ticks=(HALF,), place=place, note="the line separates the classes"
        )
    assert interval is not None, "a score has an interval"
    training = np.sort(scorer.training_scores).tolist()
    axis = round_axis([*training, score, interval.low, interval.high])
    return Scale(
        marks=axis.marks,
        ticks=tuple(map(axis.share, training)),
        place=Place(axis.share(score), (axis.share(interval.low), axis.share(interval.high))),
    )


def class_marks(classes: TwoClassTarget) -> tuple[Mark, Mark]:
    """Return the names of the two classes, at the ends of the scale of probabilities."""
    return Mark(0.0, classes.lower), Mark(1.0, classes.upper)


def _known(scored: ScoringResult, scorer: Scorer) -> Iterator[str]:
    if scored.known_score is None:
        return
    if scorer.classes is not None:
        yield f"The judges saw: {scorer.classes.name(scored.known_score)}."
        return
    error = scored.scored_video.prediction.score - scored.known_score
    yield f"The judges gave {scored.known_score:.2f}: the prediction is {error:+.2f} off."


def facts_of(scored: ScoringResult, scorer: Scorer) -> Iterator[tuple[str, str]]:
    """Yield name and value of each fact on which trust in the score depends."""
    config, prediction = scorer.ensemble.config, scored.scored_video.prediction
    splits = list(dict.fromkeys(cell.split for cell in scorer.ensemble.cells))
    own = ", ".join(f"{score:.2f}" for score in prediction.scores)
    yield "Video", f"{scored.video.path.name}, {_length(scored)}"
    if phrases := _pictures_in_words(scored.records):
        yield "Pictures", phrases
    yield "Trained on", f"{config.dataset.name}, {len(scorer.training_scores)} training videos"
    yield "Head", f"{config.head.name}, variant {config.head.variant}"
    yield from ridge_facts(scorer.ensemble)
    if (beside := scorer.beside) is not None:
        yield from baseline_facts(beside, title=config.head.name)
    for stream, record in scored.records.items():
        yield f"Stream {stream}", _stream_facts(record.spec, record)
    yield "Seeds", f"{', '.join(str(cell.seed) for cell in scorer.ensemble.cells)}; their scores: {own}"
    shown = ", ".join(splits[:SPLIT_NAMES_SHOWN])
    yield ("Split", shown) if len(splits) <= SPLIT_NAMES_SHOWN else ("Splits", f"{shown}, ...")
    if not is_closed_form(config):
        yield "Kept epoch", SELECT_LABELS[config.training.select]
    yield "Run", str(scorer.ensemble.run_dir)


def _pictures_in_words(records: Mapping[str, Record]) -> str:
    """Return how pictures that are not plain were read: tone-mapped, deinterlaced, scaled."""
    phrases = dict.fromkeys(
        phrase for record in records.values() for phrase in in_words(record.pictures.conversions)
    )
    return "; ".join(phrases)


def _length(scored: ScoringResult) -> str:
    digest = next(iter(scored.records.values())).source.digest
    seconds = max(record.duration_seconds for record in scored.records.values())
    return f"{seconds:.1f} s long; SHA-256 {digest[:12]}"


def _stream_facts(spec: StreamSpec, record: Record) -> str:
    """Return backbone, weights (random ones in capitals), detector and tracker of a stream."""
    facts = typed_facts(spec)
    weights = _short(facts.weights or "unknown")
    parts = [
        counted(len(record.features), "step"),
        f"backbone {facts.backbone or 'unknown'}",
        f"weights {f'RANDOM WEIGHTS ({weights})' if spec.random_weights else weights}",
    ]
    if facts.tracker is not None:
        parts.append(f"followed by {_short(facts.tracker)}")
    if facts.detector is not None:
        num_frames, missed = frames_without_person(record)
        by_whom = _short(facts.detector)
        parts.append(f"athlete found in {num_frames - missed} of {num_frames} frames by {by_whom}")
    if facts.init_box:
        parts.append(f"started from the box {facts.init_box} that was given")
    return "; ".join([*parts, f"spec {spec.hash}"])


def _short(identity: str) -> str:
    """Return the text with digests cut to 12 digits; the spec holds them whole."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{12,}", r"\1", identity)
