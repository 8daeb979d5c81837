"""From a judgement to its page: which tracks, moments, pictures and facts a reader needs."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.pages.media import embed_media, link_media
from aqa_pipeline.pages.pictures import pictures_at
from aqa_pipeline.pages.score_page import (
    Level,
    Moment,
    Outline,
    Scale,
    ScorePage,
    Track,
    clock,
    write_score_page,
)
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.store import file_name
from aqa_pipeline.video import OpenVideo, open_video
from heads.evaluation import SELECT_LABELS
from heads.judgement import Judge, Judgement
from heads.outlines import outlines_of
from heads.score_text import SPLIT_NAMES_SHOWN, score_sentences

NUM_FILM = 12
FILM_HEIGHT, MOMENT_HEIGHT, PART_HEIGHT = 72, 132, 104
# One picture for a step that is one frame, three for a clip: ACTION-NET's Figure 5 shows clips as strips.
PARTS_OF_FRAME, PARTS_OF_CLIP = (0.5,), (1 / 6, 3 / 6, 5 / 6)
LEVELS: tuple[Level, ...] = ("highest", "lowest")
UNITS = {"segments": "segment", "crops": "crop", "frames": "frame", "clips": "clip", "tubes": "clip"}


@dataclass(frozen=True, eq=False)
class Scored:
    """One scored video with all that its page is made of; `known_score` is the judges' own, if any."""

    video: Video
    judgement: Judgement
    records: Mapping[str, Record]
    known_score: float | None = None


def write_page_of(scored: Scored, by: Judge, path: Path, *, embed: bool = False) -> Path:
    """Makes the page; raises `VideoError` if the video cannot be read."""
    tracks = tracks_of(scored.judgement)
    with open_video(scored.video) as opened:
        outlines = outlines_of(scored.records, opened)
        film, moments = _pictures(scored.records, tracks, opened, outlines)
        media = embed_media(scored.video, opened) if embed else link_media(scored.video, opened, page=path)
        page = ScorePage(
            title=scored.judgement.name,
            target=by.target.name,
            score=f"{scored.judgement.prediction.score:.2f}",
            summary=(*score_sentences(scored.judgement, by), *_known(scored)),
            warnings=scored.judgement.warnings,
            flags=by.flags,
            scale=_scale(scored.judgement, by),
            duration_seconds=opened.timeline.duration_seconds,
            media=media,
            filmstrip=film,
            tracks=tracks,
            moments=moments,
            outlines=outlines,
            facts=list(facts_of(scored, by)),
        )
    return write_score_page(path, page)


def tracks_of(judgement: Judgement) -> list[Track]:
    """The attention of each stream, then the scores of single steps where the head gives them."""
    prediction = judgement.prediction
    weighed = [
        Track(
            name=stream.capitalize(),
            unit=f"attention weight of each {_unit(stream)}",
            kind="attention",
            pts_seconds=prediction.pts_seconds[stream],
            values=weights,
            reference=1 / max(1, int((weights > 0).sum())),
        )
        for stream, weights in prediction.attention.items()
        if len(weights)
    ]
    scored = [
        Track(
            name=f"{_unit(stream)} scores".capitalize(),
            unit=f"score of each {_unit(stream)} alone",
            kind="score",
            pts_seconds=prediction.pts_seconds[stream],
            values=scores,
            reference=prediction.score,
        )
        for stream, scores in prediction.step_scores.items()
    ]
    return weighed + scored


def _unit(stream: str) -> str:
    return UNITS.get(stream, "step")


def _pictures(
    records: Mapping[str, Record], tracks: Sequence[Track], opened: OpenVideo, outlines: Sequence[Outline]
) -> tuple[tuple[str, ...], list[Moment]]:
    """The film strip and the moments with their pictures, from one pass over the video."""
    is_clip = {track.name: _are_clips(records, track) for track in tracks}
    duration = opened.timeline.duration_seconds
    times = {"film": [duration * (part + 0.5) / NUM_FILM for part in range(NUM_FILM)]}
    heights = {"film": FILM_HEIGHT}
    planned = []
    for number, track in enumerate(tracks):
        for level in LEVELS:
            for step in track.steps(level):
                name, (start, stop) = f"{number} {step}", track.pts_seconds[step]
                parts, heights[name] = (
                    (PARTS_OF_CLIP, PART_HEIGHT) if is_clip[track.name] else (PARTS_OF_FRAME, MOMENT_HEIGHT)
                )
                times[name] = [float(start + part * (stop - start)) for part in parts]
                planned.append((track, level, step, name))
    made = pictures_at(opened, times, heights=heights, outlines=outlines, bare=("film",))
    moments = [
        Moment(
            track=track.name,
            level=level,
            start=float(track.pts_seconds[step, 0]),
            stop=float(track.pts_seconds[step, 1]),
            value=f"{track.values[step]:.{4 if track.kind == 'attention' else 2}f}",
            pictures=tuple(made[name]),
        )
        for track, level, step, name in planned
    ]
    return tuple(made["film"]), moments


def _are_clips(records: Mapping[str, Record], track: Track) -> bool:
    """Whether each step of the track shows several frames."""
    longer = [
        stream for stream, record in records.items() if record.spec.facts.get("frames_per_step", 1) != 1
    ]
    return any(track.name.lower().startswith(_unit(stream)) for stream in longer)


def _scale(judgement: Judgement, by: Judge) -> Scale:
    """From the lowest to the highest of training scores and interval; the target's bounds may lie far off."""
    interval, score = judgement.interval, judgement.prediction.score
    low = min(float(by.training_scores.min()), interval.low, score)
    high = max(float(by.training_scores.max()), interval.high, score)
    length = (high - low) or 1.0

    def share(value: float) -> float:
        return (value - low) / length

    return Scale(
        low=f"{low:.1f}",
        high=f"{high:.1f}",
        ticks=tuple(share(float(value)) for value in np.sort(by.training_scores)),
        score=share(score),
        interval=(share(interval.low), share(interval.high)),
    )


def _known(scored: Scored) -> Iterator[str]:
    if scored.known_score is not None:
        error = scored.judgement.prediction.score - scored.known_score
        yield f"The judges gave {scored.known_score:.2f}: the prediction is {error:+.2f} off."


def facts_of(scored: Scored, by: Judge) -> Iterator[tuple[str, str]]:
    """What a reader must know to trust the number or not."""
    config, prediction = by.trained.config, scored.judgement.prediction
    splits = list(dict.fromkeys(cell.split for cell in by.trained.cells))
    own = ", ".join(f"{score:.2f}" for score in prediction.scores)
    yield "Video", f"{scored.video.path.name}, {_length(scored)}"
    yield "Learned from", f"{config['dataset']['name']}, {len(by.training_scores)} training videos"
    yield "Head", f"{config['head']}, variant {config['variant']}"
    for stream, record in scored.records.items():
        yield f"Stream {stream}", _stream_facts(record.spec, record)
    yield "Seeds", f"{', '.join(str(cell.seed) for cell in by.trained.cells)}; their scores: {own}"
    shown = ", ".join(splits[:SPLIT_NAMES_SHOWN])
    yield ("Split", shown) if len(splits) <= SPLIT_NAMES_SHOWN else ("Splits", f"{shown}, ...")
    yield "Kept epoch", SELECT_LABELS[config["select"]]
    yield "Run", str(by.trained.run_dir)


def _length(scored: Scored) -> str:
    digest = next(iter(scored.records.values())).source_digest
    last = max(float(r.pts_seconds[-1, 1]) for r in scored.records.values() if len(r.pts_seconds))
    return f"{clock(last)} of it seen; SHA-256 {digest[:12]}"


def _stream_facts(spec: StreamSpec, record: Record) -> str:
    """Backbone, weights (random ones are shouted), and who found the athlete."""
    weights = _short(spec.facts.get("weights", "unknown"))
    parts = [
        f"{len(record.features)} steps",
        f"backbone {spec.facts.get('backbone', 'unknown')}",
        f"weights {f'RANDOM WEIGHTS ({weights})' if spec.random_weights else weights}",
    ]
    if "detector" in spec.facts:
        num_steps, missed = (record.counts.get(f"num_steps{end}", 0) for end in ("", "_without_person"))
        parts.append(
            f"athlete found in {num_steps - missed} of {num_steps} frames by {_short(spec.facts['detector'])}"
        )
    return "; ".join([*parts, f"spec {spec.hash}"])


def _short(identity: object) -> str:
    """Digests cut to their first 12 digits; the spec has them whole."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{12,}", r"\1", str(identity))


def page_paths(out: Path, scored: Sequence[Scored], *, single: bool) -> list[Path]:
    """Where the pages go: `out` itself for a single video, else `out/NAME.html`; equal names are numbered."""
    if single and not out.is_dir():
        return [out] * len(scored)
    names: list[str] = []
    for one in scored:
        name = number_name(file_name(one.judgement.name), names)
        names.append(name)
    return [out / f"{name}.html" for name in names]


def number_name(name: str, taken: Sequence[str]) -> str:
    """The name, or name-2, name-3, ..., whichever is not taken."""
    numbered = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    return next(each for each in numbered if each not in taken)
