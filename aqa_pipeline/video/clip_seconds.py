"""Compare the durations of clips that count frames: 16 frames are 0.67 s at 24 fps, 0.067 s at 240 fps."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.spec_facts import typed_facts

if TYPE_CHECKING:
    from aqa_pipeline.store import Store

MOST_RATIO = 1.5  # 24 to 30 fps is usual in one dataset; from 25 to 50 fps, motions differ
FRAMES_SHOWN = 16
ADVICE = "Convert the videos to one frame rate, or use streams that count time (segments, frames, crops)."


def rate_notes(rates: Collection[float]) -> tuple[str, ...]:
    """Return one sentence if frame rates differ so much that clips of equal length show different motions."""
    if not rates or max(rates) <= MOST_RATIO * min(rates):
        return ()
    slow, fast = min(rates), max(rates)
    return (
        f"frame rates range from {slow:g} to {fast:g} fps, and the streams clips and tubes count frames: "
        f"{FRAMES_SHOWN} frames cover {FRAMES_SHOWN / slow:.2g} s of one video and "
        f"{FRAMES_SHOWN / fast:.2g} s of another. {ADVICE}",
    )


def clip_notes(
    store: "Store", dataset: str, specs: Iterable[StreamSpec], video_ids: Collection[str]
) -> Iterator[str]:
    """Yield one sentence for each stream whose clips count frames and differ in duration."""
    for spec in specs:
        if not counts_frames(spec):
            continue
        seconds = {
            video_id: each
            for video_id in video_ids
            if (each := _clip_seconds(store, dataset, video_id, spec)) is not None
        }
        if not seconds:
            continue
        short, long = min(seconds, key=seconds.__getitem__), max(seconds, key=seconds.__getitem__)
        if seconds[long] > MOST_RATIO * seconds[short]:
            yield (
                f"{spec.stream} count frames, and frame rates differ: a clip of "
                f"{typed_facts(spec).frames_per_step} frames covers {seconds[long]:.2g} s of {long} and "
                f"{seconds[short]:.2g} s of {short}. {ADVICE}"
            )


def counts_frames(spec: StreamSpec) -> bool:
    """Return whether a step of the stream is a fixed number of frames, whatever the frame rate."""
    facts = typed_facts(spec)
    return facts.frames_per_step is not None and facts.rate_fps is None


def _clip_seconds(store: "Store", dataset: str, video_id: str, spec: StreamSpec) -> float | None:
    """Return the seconds of the last clip without its repeated frames; None if it is not stored."""
    try:
        record = store.map(dataset, video_id, spec)
    except StoreError:
        return None
    if not len(record.pts_seconds) or "frame_index" not in record.extras:
        return None
    start, stop = record.pts_seconds[-1]
    frames = record.extras["frame_index"][-1].tolist()
    return float(stop - start) * len(frames) / len(set(frames))
