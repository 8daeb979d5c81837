"""The part of a video on which a score is based: what streams cover, and frames without the athlete."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch

from aqa_pipeline.athlete.covered_part import covered_parts
from aqa_pipeline.athlete.out_of_view import streams_out_of_view
from aqa_pipeline.records import Record
from heads.data.windows import evaluation_starts
from heads.registry import find_head

if TYPE_CHECKING:
    from heads.scoring.ensemble import Ensemble

Records = Mapping[str, Record]


def stream_part_sentences(records: Records) -> Iterator[str]:
    """Yield a sentence per stream that covers only a part of the video."""
    for stream, part in covered_parts(records):
        yield (
            f"The {stream} cover {part} only; to cover the whole video, extract with {part.option} and fit "
            "again."
        )


def head_window_sentences(records: Records, ensemble: "Ensemble") -> Iterator[str]:
    """Yield a sentence per stream of which the run's head reads only the middle."""
    cell, config = ensemble.cells[0], ensemble.config
    if cell.recipe.windows != "released":
        return
    others = [name for name in find_head(config.head.name).variants if name != config.head.variant]
    for stream, record in records.items():
        num_steps, number = cell.recipe.num_steps.get(stream, 0), len(record.features)
        if 0 < num_steps < number:
            start = int(evaluation_starts(torch.tensor(number), num_steps, windows=cell.recipe.windows))
            first, last = record.pts_seconds[start, 0], record.pts_seconds[start + num_steps - 1, 1]
            yield (
                f"The head's variant {config.head.variant} reads {num_steps} of {number} steps of "
                f"{stream} only, {first:.1f}-{last:.1f} s of {record.duration_seconds:.1f} s"
                + ("; the variant paper reads all." if "paper" in others else ".")
            )


def out_of_view_warnings(records: Records) -> Iterator[str]:
    """Yield a warning per stream whose network does not see the athlete in some frames."""
    for stream, outside in streams_out_of_view(records):
        advice = f"; to show whole frames to the network, extract with {outside.option} and fit again"
        yield (
            f"The athlete is outside the network's picture {outside} of {stream}"
            f"{advice if outside.option else ''}."
        )


def visible_parts_json(records: Records) -> dict[str, Any]:
    """Return the same as numbers by stream; a stream that covers the whole video is left out."""
    return {
        "looks_at": {stream: asdict(part) for stream, part in covered_parts(records)},
        "athlete_outside_picture": {
            stream: asdict(outside) for stream, outside in streams_out_of_view(records)
        },
    }
