"""What happened to the athlete on the way through a video, in words: from the events of a record."""

from collections.abc import Iterator

import numpy as np

from aqa_pipeline.records import Record

LOST, RESTARTED, JUMPED = "lost", "restarted", "jumped"
WORDS = {LOST: "lost", RESTARTED: "found again by the detector", JUMPED: "another person from"}
MOST_TOLD = 3


def event_seconds(record: Record, kind: str) -> list[float]:
    """Return when the events of that kind happened, in seconds of the performance.

    Between the frames that the record names, times are interpolated: good to a frame in a tube, to a step in
    crops.
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


def told_events(record: Record) -> Iterator[str]:
    """Yield `lost at 2.6 s, 3.4 s` for each kind that happened; a start is no news."""
    for kind, words in WORDS.items():
        seconds = event_seconds(record, kind)
        if seconds:
            more = f" and {len(seconds) - MOST_TOLD} times more" if len(seconds) > MOST_TOLD else ""
            preposition = "" if kind == JUMPED else " at"
            yield f"{words}{preposition} {', '.join(f'{each:.1f} s' for each in seconds[:MOST_TOLD])}{more}"


def told_athlete(record: Record) -> str | None:
    """Return `followed in 64 of 100 frames, lost at 2.6 s`; None where nothing happened."""
    happened = list(told_events(record))
    if not happened:
        return None
    tracked = record.counts.get("num_tracked_frames")
    if tracked:
        followed = tracked - record.counts.get("num_frames_without_athlete", 0)
        happened.insert(0, f"followed in {followed} of {tracked} frames")
    return ", ".join(happened)
