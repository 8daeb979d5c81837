"""The interface of a person detector."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video

# RGB frames, uint8 (height, width, channel), and their indices in the video's window -> the persons of each
# frame, float32 (person, 5): x1, y1, x2, y2 in pixels of that frame, confidence in [0, 1].
Detect = Callable[[list[np.ndarray], Sequence[int]], list[np.ndarray]]


class PersonDetector(Protocol):
    """Finds persons in frames.

    `identity` becomes part of the spec of features that depend on the boxes.
    """

    @property
    def name(self) -> str:
        """The name that `load_detector` takes."""
        ...

    @property
    def identity(self) -> str:
        """Name, weights and threshold: `yolo:yolo11n sha256:... confidence>=0.25`."""
        ...

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """Return the function that finds the persons in frames of `video`."""
        ...
