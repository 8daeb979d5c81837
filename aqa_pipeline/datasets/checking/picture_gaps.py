"""Find missing pictures in a numbered folder: the pictures after a gap are shown too early."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from aqa_pipeline.errors import VideoError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Video
from aqa_pipeline.video.readers.frame_folder import list_pictures, natural_key

NUM_NAMED = 5


class Gap(NamedTuple):
    """The number of pictures that are missing after the picture `after`."""

    after: str
    num_missing: int


def find_gaps(names: Sequence[str]) -> list[Gap]:
    """Return the gaps between pictures, in order. The usual step between numbers may be any, such as 5.

    [1.jpg, 2.jpg, 5.jpg] -> [(2.jpg, 2)]; [0.jpg, 5.jpg, 10.jpg] -> [].
    """
    keys = [natural_key(Path(name).stem) for name in names]
    steps = [
        int(later[-2]) - int(earlier[-2]) if _differ_in_last_number(earlier, later) else 0
        for earlier, later in pairwise(keys)
    ]
    counts = Counter(step for step in steps if step > 0)
    if not counts:
        return []
    usual = min(counts, key=lambda step: (-counts[step], step))
    return [
        Gap(name, round(step / usual) - 1)
        for name, step in zip(names, steps, strict=False)
        if step >= 2 * usual
    ]


def _differ_in_last_number(earlier: tuple[str | int, ...], later: tuple[str | int, ...]) -> bool:
    return (earlier[:-2], earlier[-1]) == (later[:-2], later[-1])


def gap_notes(videos: Iterable[Video]) -> tuple[str, ...]:
    """Return one sentence on the videos whose pictures have gaps; nothing without gaps.

    Folders that cannot be listed are ignored, because opening them reports the error.
    """
    found = list(_with_gaps(videos))
    if not found:
        return ()
    more = f", and {len(found) - NUM_NAMED} more" if len(found) > NUM_NAMED else ""
    have = counted(len(found), "video has", "videos have")
    return (
        f"{have} gaps in the numbers of the pictures; pictures after a gap are shown too early: "
        f"{', '.join(found[:NUM_NAMED])}{more}",
    )


def _with_gaps(videos: Iterable[Video]) -> Iterator[str]:
    by_folder: dict[Path, list[Video]] = {}
    for video in videos:
        by_folder.setdefault(video.path, []).append(video)
    for folder, shown in by_folder.items():
        try:
            names = list_pictures(folder).names if folder.is_dir() else ()
        except (VideoError, OSError):
            continue
        for video in shown:
            gaps = find_gaps(names[video.start_frame : video.stop_frame])
            if gaps:
                missing = sum(gap.num_missing for gap in gaps)
                places = "" if len(gaps) == 1 else f" in {len(gaps)} places, the first"
                yield f"{video.video_id} ({missing} missing{places} after {gaps[0].after})"
