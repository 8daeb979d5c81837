"""Plan which frames make which clip of a tube, and the views of each clip: TSA-Net 4.2, (M)USDL.

Frames are counted, not timed: the papers take the last 103 frames of a clip as they are.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aqa_pipeline.errors import AqaError
from aqa_pipeline.plurals import counted
from aqa_pipeline.video import Timeline
from extract.streams.clip_sampling import View
from extract.streams.stream import Steps

ViewChoice = Literal["reference", "flip", "all"]

FRAMES_PER_CLIP = 16
NUM_LAST_FRAMES = 103
NUM_END_FRAMES = 7  # (M)USDL draws a shift of 0 to 6 frames
STRIDE, STRIDES = 10, {"fr-fs": 16}  # TSA-Net 4.2: 10 clips of MTL-AQA and AQA-7, 7 of FR-FS

# The first one is the reference: not augmented, what heads are tested on.
VIEWS: dict[ViewChoice, tuple[View, ...]] = {
    "reference": (View("end-0", 0, False),),
    "flip": (View("end-0", 0, False), View("end-0-flip", 0, True)),
    "all": (
        *(View(f"end-{offset}", offset, False) for offset in range(NUM_END_FRAMES)),
        *(View(f"end-{offset}-flip", offset, True) for offset in range(NUM_END_FRAMES)),
    ),
}


def usual_stride(dataset: str) -> int:
    """Return the frames from clip to clip in the paper's experiments with that dataset."""
    return STRIDES.get(dataset, STRIDE)


@dataclass(frozen=True)
class TubeSampling:
    """The last `num_frames` frames as clips of 16, one every `stride` frames, and their views.

    The stride is at most 16: the tracker sees every frame. Raise `AqaError` for numbers out of range.
    """

    num_frames: int = NUM_LAST_FRAMES
    stride: int = STRIDE
    views: ViewChoice = "flip"

    def __post_init__(self) -> None:
        if self.num_frames < FRAMES_PER_CLIP or not 1 <= self.stride <= FRAMES_PER_CLIP:
            raise AqaError(
                f"stream tubes takes {FRAMES_PER_CLIP} frames or more, a clip every 1 to {FRAMES_PER_CLIP} "
                f"of them; got {counted(self.num_frames, 'frame')}, a clip every {self.stride}."
            )

    @property
    def chosen_views(self) -> tuple[View, ...]:
        """Return the views that are stored; the first one is the reference."""
        return VIEWS[self.views]


def clip_starts(num_frames: int, *, stride: int) -> list[int]:
    """Return where clips start; the last clip ends with the frames, and may overlap more than others.

    103 frames, stride 10 -> 0, 10, ..., 80, 87; stride 16 -> 0, 16, 32, 48, 64, 80, 87. Fewer frames than a
    clip has are one clip from before them: 13 -> -3.
    """
    last = num_frames - FRAMES_PER_CLIP
    return [*range(0, last, stride), last]


def plan_tubes(timeline: Timeline, *, sampling: TubeSampling) -> Steps:
    """Return one step per clip of the last frames, with the frames before it that its views need.

    Times are those of the reference view. Frames before the video's start are copies of its first frame; they
    are counted.
    """
    num_frames = min(sampling.num_frames, timeline.num_frames)
    starts = np.array(clip_starts(num_frames, stride=sampling.stride)) + timeline.num_frames - num_frames
    num_before = max(view.end_offset for view in sampling.chosen_views)
    wanted = starts[:, None] + np.arange(-num_before, FRAMES_PER_CLIP)
    frame_index = np.maximum(wanted, 0)
    reference = frame_index[:, num_before:]
    shown_until = np.append(timeline.pts_seconds[1:], timeline.duration_seconds)
    pts_seconds = np.stack([timeline.pts_seconds[reference[:, 0]], shown_until[reference[:, -1]]], axis=1)
    return Steps(frame_index, pts_seconds, {"num_repeated_frames": max(0, -int(wanted.min()))})


def frames_of_view(view: View, num_shown: int) -> slice:
    """Return which of the `num_shown` frames of a step belong to the view."""
    stop = num_shown - view.end_offset
    return slice(stop - FRAMES_PER_CLIP, stop)
