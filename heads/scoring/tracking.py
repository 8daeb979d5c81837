"""How the tracker fared: where it lost the athlete, where the detector put it on somebody anew.

Both are events of the record. Frames without a quad say for how long nobody was followed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.athlete.events import JUMPED, LOST, RESTARTED, event_seconds
from aqa_pipeline.records import Record
from heads.pages.score_page import clock

Span = tuple[float, float]  # [start, stop) seconds


@dataclass(frozen=True)
class TrackingSummary:
    """Of the reference views: when the tracker looked, in which frames it followed somebody, and when not.

    `absent` are stretches in which nobody was followed, `lost` the moments of the losses. `restarts` are
    those at which the tracker was put on a person of the detector's anew.
    """

    looked: Span
    num_frames: int
    num_followed: int
    absent: tuple[Span, ...]
    lost: tuple[float, ...]
    restarts: tuple[float, ...]
    by: str


def tracking_summary(record: Record) -> TrackingSummary | None:
    """What the record tells; None for streams without a tube, and for tubes without a frame."""
    if "present" not in record.extras or not len(record.features):
        return None
    starts, stops, rows = _frames(record)
    present = record.extras["present"][:, 0].reshape(-1)[rows]
    tracker = str(record.spec.facts.get("tracker", "unknown"))
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
    """Start and stop of every frame that is in some clip, and its row among the clips' frames.

    A clip's time is shared out evenly among its different frames: good to a frame where rates vary.
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
    """[start, stop) of each run of wanted frames."""
    edges = np.diff(np.concatenate([[0], wanted.astype(np.int8), [0]]))
    for first, after in zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True):
        yield float(starts[first]), float(stops[after - 1])


def tracking_sentences(records: Mapping[str, Record]) -> Iterator[str]:
    """Who followed the athlete, and in how many frames, for each tube."""
    for record in records.values():
        followed = tracking_summary(record)
        if followed is not None:
            lost = f", lost {_moments(followed.lost)}" if followed.lost else ""
            yield (
                f"The tracker ({followed.by}) followed the athlete in {followed.num_followed} of "
                f"{followed.num_frames} frames{lost}."
            )


def tracking_warnings(records: Mapping[str, Record]) -> Iterator[str]:
    """What must be said where the athlete was lost or changed: when, and what that means for the score."""
    for stream, record in records.items():
        if jumps := tuple(event_seconds(record, JUMPED)):
            yield (
                f"The {stream} show another person {_moments(jumps)}, for nobody continued the box before: "
                "look whether it is still the athlete."
            )
        followed = tracking_summary(record)
        if followed is None or not followed.num_followed:
            continue  # nobody at all is another warning
        if followed.absent:
            num_absent = followed.num_frames - followed.num_followed
            yield (
                f"Nobody was followed {_spans(followed.absent)} ({num_absent} of {followed.num_frames} "
                "frames): the whole picture counts there instead of the athlete."
            )
        if followed.restarts:
            yield (
                f"The tracker had lost the athlete and was put on a person of the detector's "
                f"{_moments(followed.restarts)}: look whether it is still the same one."
            )


def _spans(spans: tuple[Span, ...]) -> str:
    return _listed([f"from {clock(start)} to {clock(stop)}" for start, stop in spans])


def _moments(seconds: tuple[float, ...]) -> str:
    return _listed([f"at {clock(each)}" for each in seconds])


def _listed(parts: list[str]) -> str:
    """At most three of them, and how many more."""
    shown, more = parts[:3], len(parts) - 3
    return ", ".join(shown) + (f" and {more} times more" if more > 0 else "")
