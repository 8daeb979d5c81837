"""Compare two detectors on video files: how often each finds a person, and how well their boxes agree.

    python -m benchmarks.detectors blazepose yolo:FOLDER CLIP.mp4 ...

For each person of the first detector that is largest in its frame, the second one's box that overlaps it most
counts. `covered` is the share of the second one's box that lies inside the first one's.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from extract.detectors import PersonDetector, largest_person, load_detector
from extract.detectors.continuity import area, most_overlapping, overlap

EVERY = 5  # frames


@dataclass(frozen=True)
class Agreement:
    """Shares from 0 to 1, and mean milliseconds of processor time a frame, of the two detectors."""

    frames: int
    found: tuple[float, float]
    mean_overlap: float
    mean_covered: float
    milliseconds: tuple[float, float]


def main() -> None:
    """Print a row for each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("detectors", nargs=2)
    parser.add_argument("clips", nargs="+", type=Path)
    arguments = parser.parse_args()
    detectors = [load_detector(name, device="cpu") for name in arguments.detectors]
    print("| clip | frames | found | found by the other | IoU | covered | CPU ms a frame | of the other |")
    print("|---|---|---|---|---|---|---|---|")
    for clip in arguments.clips:
        result = compare(*detectors, clip)
        print(
            f"| {clip.stem} | {result.frames} | {result.found[0]:.2f} | {result.found[1]:.2f} | "
            f"{result.mean_overlap:.2f} | {result.mean_covered:.2f} | {result.milliseconds[0]:.0f} | "
            f"{result.milliseconds[1]:.0f} |"
        )


def compare(one: PersonDetector, other: PersonDetector, clip: Path) -> Agreement:
    """Return how the two agree on every fifth frame of the clip."""
    with open_video(Video(clip.stem, clip)) as opened:
        wanted = range(0, opened.timeline.num_frames, EVERY)
        frames = [frame for _, frame in opened.frames(wanted)]
    ours, our_time = _timed(one, clip, frames)
    theirs, their_time = _timed(other, clip, frames)
    pairs = list(_pairs(ours, theirs))
    return Agreement(
        len(frames),
        (_share_found(ours), _share_found(theirs)),
        float(np.mean([overlap(*pair) for pair in pairs])),
        float(np.mean([covered(*pair) for pair in pairs])),
        (our_time, their_time),
    )


def covered(box: np.ndarray, other: np.ndarray) -> float:
    """Return the share of the box `other` that lies inside `box`."""
    sides = np.minimum(box[2:4], other[2:4]) - np.maximum(box[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0))) / area(other)


def _pairs(
    ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for mine, others in zip(ours, theirs, strict=True):
        box = largest_person(mine)
        same = None if box is None else most_overlapping(box, others)
        if box is not None and same is not None:
            yield box, same


def _share_found(persons: Sequence[np.ndarray]) -> float:
    return float(np.mean([len(each) > 0 for each in persons]))


def _timed(
    detector: PersonDetector, clip: Path, frames: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], float]:
    height, width = frames[0].shape[:2]
    footage = Footage(width, height, len(frames), 0, len(frames), 25.0)
    detect = detector.for_video(Video(clip.stem, clip), footage)
    detect([frames[0]], [0])  # the first call prepares the network
    began = time.process_time()
    found = [persons for at, frame in enumerate(frames) for persons in detect([frame], [at])]
    return found, 1000 * (time.process_time() - began) / len(frames)


if __name__ == "__main__":
    main()
