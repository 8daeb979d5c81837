"""What every person detector is."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video

# Frames (RGB, uint8, (H, W, 3)) and their indices in the video's window -> per frame the persons in it,
# (n, 5) float32: x1, y1, x2, y2 in pixels of that frame, confidence in [0, 1].
Detect = Callable[[list[np.ndarray], Sequence[int]], list[np.ndarray]]


class PersonDetector(Protocol):
    """Finds persons in frames.

    `identity` goes into the spec of what is made of the boxes. Its first word is what `load_detector` takes,
    the rest says which bytes and thresholds: `yolo:yolo11n sha256:... confidence>=0.25`.
    """

    @property
    def name(self) -> str: ...

    @property
    def identity(self) -> str: ...

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """The function that finds the persons in frames of `video`."""
        ...
