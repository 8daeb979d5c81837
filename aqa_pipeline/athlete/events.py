"""Describe the tracking events of a record: the tracker lost, found or changed the athlete."""

from collections.abc import Iterator

import numpy as np

from aqa_pipeline.records import Record

LOST, RESTARTED, JUMPED = "lost", "restarted", "jumped"
WORDS = {LOST: "lost", RESTARTED: "found again by the detector", JUMPED: "another person from"}
MOST_TIMES_SHOWN = 3


def event_seconds(record: Record, kind: str) -> list[float]:
    """Return the times of the events of that kind, in seconds from the start of the performance.

    Times are interpolated between the frames that the record lists. They are exact to one frame for tubes
    and to one step for crops.
    """
    frames = [event.frame_index for event in record.events if event.kind == kind]
    if not frames or "frame_index" not in record.extras or not len(record.features):
        return []
    index = np.asarray(record.extras["frame_index"]).reshape(len(record.features), -1)
    share = np.arange(index.shape[1]) / index.shape[1]
    start, stop = record.pts_seconds[:, :1], record.pts_seconds[:, 1:]
    known, first = np.unique(index, return_index=True)
    seconds = (start + share * (stop - start)).reshape(-1)[first]
    return [float(each) for each in np.interp(frames, known, seconds)]


def describe_events(record: Record) -> Iterator[str]:
    """Yield a text such as `lost at 2.6 s, 3.4 s` for each kind of event, except the start of the track."""
    for kind, words in WORDS.items():
        seconds = event_seconds(record, kind)
        if seconds:
            num_more = len(seconds) - MOST_TIMES_SHOWN
            more = f" and {num_more} times more" if num_more > 0 else ""
            preposition = "" if kind == JUMPED else " at"
            times = ", ".join(f"{each:.1f} s" for each in seconds[:MOST_TIMES_SHOWN])
            yield f"{words}{preposition} {times}{more}"


def describe_tracking(record: Record) -> str | None:
    """Return a text such as `followed in 64 of 100 frames, lost at 2.6 s`; None without events."""
    parts = list(describe_events(record))
    if not parts:
        return None
    tracked = record.counts.get("num_tracked_frames")
    if tracked:
        followed = tracked - record.counts.get("num_frames_without_athlete", 0)
        parts.insert(0, f"followed in {followed} of {tracked} frames")
    return ", ".join(parts)
