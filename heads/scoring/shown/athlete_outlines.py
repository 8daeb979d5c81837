"""Outlines of the athlete over time, from the boxes of crops or the quads of a tube."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.athlete.quads import reference_quads
from aqa_pipeline.poses import ANGLE_NAMES, joint_set, visible_angles, visible_bones
from aqa_pipeline.records import Record
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.video import OpenVideo, Timeline
from heads.pages.score_page import Outline
from heads.scoring.shown.step_frames import step_frames

NOBODY = -1
SAME_MOMENT = 1e-6  # seconds
LONGEST_SECONDS = 0.5  # the longest time that a quad is drawn: a tube may sample one frame in eight, or end

Floats = NDArray[np.float64]


def athlete_outlines(records: Mapping[str, Record], opened: OpenVideo) -> list[Outline]:
    """Return the quads of the first tube, else boxes with the skeletons of poses, else boxes of crops.

    Corners and bones are shares of the picture's width and height. Without any of them, return nothing.
    """
    size = np.array([opened.width, opened.height], dtype=np.float64)
    for name, outlines in (("frame_quads", _of_tube), ("joints", _of_boxes), ("boxes", _of_boxes)):
        for record in records.values():
            if name in record.extras and len(record.extras[name]):
                return outlines(record, size, opened)
    return []


def _of_boxes(record: Record, size: Floats, opened: OpenVideo) -> list[Outline]:
    """Return each box for the frame in which it was found and for the frames that its crop represents."""
    x1, y1, x2, y2 = (record.extras["boxes"][:, column].astype(np.float64) for column in range(4))
    quads = np.stack([np.stack(pair, axis=1) for pair in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))], axis=1)
    owners = _owners(record, opened.timeline)
    found_at = opened.timeline.pts_seconds[step_frames(record, opened.timeline)[:, 0]]
    edges = np.flatnonzero(np.diff(owners, prepend=NOBODY, append=NOBODY))
    starts, stops = opened.timeline.pts_seconds, opened.timeline.stop_seconds
    return [
        Outline(
            float(starts[first]),
            float(stops[after - 1]),
            _corners(quads[owners[first]] / size),
            bones=_bones(record, int(owners[first]), size),
            angles=_angles(record, int(owners[first])),
            at=float(found_at[owners[first]]),
        )
        for first, after in pairwise(edges)
        if owners[first] != NOBODY
    ]


def _corners(quad: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in quad)


def _bones(record: Record, step: int, size: Floats) -> tuple[tuple[float, float, float, float], ...]:
    """Return the visible bones of that step's pose as lines in shares; none for crops."""
    if "joints" not in record.extras:
        return ()
    lines, _ = visible_bones(record.extras["joints"][step], joint_set(str(typed_facts(record.spec).joints)))
    return tuple((x, y, u, v) for x, y, u, v in (lines / size).reshape(-1, 4).tolist())


def _angles(record: Record, step: int) -> tuple[tuple[str, int], ...]:
    """Return name and degrees of the visible angles of that step's pose; none for crops."""
    if "joints" not in record.extras:
        return ()
    found = visible_angles(record.extras["joints"][step], joint_set(str(typed_facts(record.spec).joints)))
    return tuple(
        (name, round(float(each))) for name, each in zip(ANGLE_NAMES, found, strict=True) if np.isfinite(each)
    )


def _owners(record: Record, timeline: Timeline) -> NDArray[np.int64]:
    """Return (frame,) the step whose box belongs to each frame, or NOBODY."""
    starts, stops = record.pts_seconds.T
    shown = timeline.pts_seconds + SAME_MOMENT
    step = np.searchsorted(starts, shown, side="right") - 1
    owners = np.where((step >= 0) & (shown < stops[step]), step, NOBODY)
    found_in = step_frames(record, timeline)[::-1, 0]
    owners[found_in] = np.arange(len(starts))[::-1]  # if several steps share a frame, the first one owns it
    return owners


def _of_tube(record: Record, size: Floats, opened: OpenVideo) -> list[Outline]:
    """Return each quad of the reference view, shown until the next frame; nan quads are lost."""
    index = record.extras["frame_index"].reshape(-1)
    quads = reference_quads(record)
    index, first = np.unique(index, return_index=True)
    starts = opened.timeline.pts_seconds[index]
    stops = np.append(starts[1:], opened.timeline.duration_seconds)
    return [
        Outline(float(start), float(min(stop, start + LONGEST_SECONDS)), _corners(quad / size))
        for start, stop, quad in zip(starts, stops, quads[first], strict=True)
        if np.isfinite(quad).all()
    ]
