"""A record's facts from their JSON: what may come from strangers is checked before it is believed.

All raise `ValueError`, `KeyError` or `TypeError` for what is no such fact.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Box, Event, Source, SpecValue

LONGEST_SHOWN = 40  # of a text that is no fact


def parse_counts(text: str) -> Mapping[str, int]:
    """Return the counts of a record, by name."""
    counts = json.loads(text)
    if not isinstance(counts, dict) or not all(isinstance(n, int | float) for n in counts.values()):
        raise _unlike("counts", text)
    return counts


def parse_source(text: str) -> Source:
    """Return what a record was made from."""
    facts = json.loads(text)
    whole = ("size", "mtime_ns", "start_frame", "stop_frame")
    sound = isinstance(facts["digest"], str) and isinstance(facts["boxes_digest"], str | None)
    sound = sound and all(isinstance(facts[name], int | None) for name in whole)
    if not sound or not isinstance(facts["fps"], int | float | None):
        raise _unlike("source", text)
    return Source(**facts)


def parse_picture(text: str) -> Mapping[str, SpecValue]:
    """Return how unusual pictures were read, by name."""
    facts = json.loads(text)
    if not isinstance(facts, dict) or not all(
        isinstance(f, str | int | float | None) for f in facts.values()
    ):
        raise _unlike("picture", text)
    return facts


def parse_events(text: str) -> tuple[Event, ...]:
    """Return what happened to the athlete in the video."""
    events = tuple(Event(*event) for event in json.loads(text))
    for event in events:
        plain = isinstance(event.kind, str) and isinstance(event.detail, str)
        if not plain or not isinstance(event.frame_index, int):
            raise ValueError(f"one of its events is {str(event)[:80]}")
    return events


def parse_footage(text: str) -> Footage | None:
    """Return the size, frames and rate of the performance; None where the record has none."""
    facts = json.loads(text)
    if facts is None:
        return None
    footage = Footage(**facts)
    whole = (footage.width, footage.height, footage.num_frames, footage.start_frame, footage.stop_frame)
    sound = all(isinstance(number, int) for number in whole) and _is_number(footage.fps)
    if not sound or footage.start_frame >= footage.stop_frame or min(*whole[:3], footage.fps) <= 0:
        raise _unlike("footage", text)
    return footage


def parse_field_of_view(text: str) -> Box | None:
    """Return the part of a frame that the network saw, in pixels; None where it is no one part."""
    sides = json.loads(text)
    if sides is None:
        return None
    if not all(map(_is_number, sides)):
        raise _unlike("field of view", text)
    x1, y1, x2, y2 = sides
    if x1 >= x2 or y1 >= y2:
        raise _unlike("field of view", text)
    return x1, y1, x2, y2


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _unlike(what: str, text: str) -> ValueError:
    return ValueError(f"its {what} is {text[:LONGEST_SHOWN]!r}")
