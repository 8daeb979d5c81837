"""A summary of tracking: when the tracker followed the athlete, lost them, and was restarted.

Losses and restarts are events of the record. In frames without a quad nobody was followed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.athlete.events import JUMPED, LOST, RESTARTED, event_seconds
from aqa_pipeline.records import Record
from aqa_pipeline.spec_facts import typed_facts
from heads.pages.score_page import clock

Span = tuple[float, float]  # [start, stop) seconds


@dataclass(frozen=True)
class TrackingSummary:
    """How a tube was tracked, in its reference view; times in seconds, intervals [start, stop).

    `looked` is the interval of the tube's frames, `absent` the intervals in which nobody was followed, `lost`
    the times of losses, `restarts` the times at which the tracker was restarted on a detected person. `by`
    is the tracker.
    """

    looked: Span
    num_frames: int
    num_followed: int
    absent: tuple[Span, ...]
    lost: tuple[float, ...]
    restarts: tuple[float, ...]
    by: str


def tracking_summary(record: Record) -> TrackingSummary | None:
    """Return the summary of a record; None for a stream without a tube and a tube without a frame."""
    if "present" not in record.extras or not len(record.features):
        return None
    starts, stops, rows = _frames(record)
    present = record.extras["present"][:, 0].reshape(-1)[rows]
    tracker = typed_facts(record.spec).tracker or "unknown"
    return TrackingSummary(
        looked=(float(starts[0]), float(stops[-1])),
        num_frames=len(rows),
        num_followed=int(present.sum()),
        absent=tuple(_stretches(~present, starts, stops)),
        lost=tuple(event_seconds(record, LOST)),
        restarts=tuple(event_seconds(record, RESTARTED)),
        by=tracker.partition(" ")[0],
    )


def _frames(record: Record) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return start and stop (frame,) of every frame in a clip, and its row among the clips' frames.

    A clip's time is divided equally among its different frames: exact to a frame if the rate varies.
    """
    index = np.asarray(record.extras["frame_index"])
    starts, stops = np.empty(index.shape), np.empty(index.shape)
    for clip, (start, stop) in enumerate(record.pts_seconds):
        _, rank = np.unique(index[clip], return_inverse=True)
        length = (stop - start) / (rank.max() + 1)
        starts[clip], stops[clip] = start + rank * length, start + (rank + 1) * length
    _, rows = np.unique(index.reshape(-1), return_index=True)
    return starts.reshape(-1)[rows], stops.reshape(-1)[rows], rows


def _stretches(
    wanted: NDArray[np.bool_], starts: NDArray[np.float64], stops: NDArray[np.float64]
) -> Iterator[Span]:
    """Yield [start, stop) of each run of wanted frames."""
    edges = np.diff(np.concatenate([[0], wanted.astype(np.int8), [0]]))
    for first, after in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        yield float(starts[first]), float(stops[after - 1])


def tracking_sentences(records: Mapping[str, Record]) -> Iterator[str]:
    """Yield a sentence per tube: which tracker followed the athlete, in how many frames."""
    for record in records.values():
        followed = tracking_summary(record)
        if followed is not None:
            lost = f", lost {_moments(followed.lost)}" if followed.lost else ""
            yield (
                f"The tracker ({followed.by}) followed the athlete in {followed.num_followed} of "
                f"{followed.num_frames} frames{lost}."
            )


def tracking_warnings(records: Mapping[str, Record]) -> Iterator[str]:
    """Yield a warning per loss or change of the athlete: its time, and what it means for the score."""
    for stream, record in records.items():
        if jumps := tuple(event_seconds(record, JUMPED)):
            yield (
                f"The {stream} may show another person {_moments(jumps)}: no detected box continued the one "
                "before. Check that it is still the athlete."
            )
        followed = tracking_summary(record)
        if followed is None or not followed.num_followed:
            continue  # `input_warnings` warns of it
        if followed.absent:
            num_absent = followed.num_frames - followed.num_followed
            yield (
                f"Nobody was followed {_spans(followed.absent)} ({num_absent} of {followed.num_frames} "
                "frames): there the score is computed from the whole picture."
            )
        if followed.restarts:
            yield (
                f"The tracker lost the athlete and was restarted on a detected person "
                f"{_moments(followed.restarts)}: check that it is the same person."
            )


def _spans(spans: tuple[Span, ...]) -> str:
    return _listed([f"from {clock(start)} to {clock(stop)}" for start, stop in spans])


def _moments(seconds: tuple[float, ...]) -> str:
    return _listed([f"at {clock(each)}" for each in seconds])


def _listed(parts: list[str]) -> str:
    """Return at most three parts as text, and how many more there are."""
    shown, more = parts[:3], len(parts) - 3
    return ", ".join(shown) + (f" and {more} times more" if more > 0 else "")
