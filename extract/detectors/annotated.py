"""Detector `annotations`: read person boxes that came with the dataset."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Video
from extract.detectors.detector import Detect


@dataclass(frozen=True)
class AnnotatedPersons:
    """Boxes from `Video.boxes`, all of confidence 1. Frames without a row have no person."""

    name: str = "annotations"
    identity: str = "annotations"

    def for_video(self, video: Video, footage: Footage) -> Detect:
        """Return the function that looks up the boxes of `video`'s frames.

        Raise `DatasetError` if the video has no boxes, or if they cannot be read or do not fit the footage.
        """
        if video.boxes is None:
            raise DatasetError(
                f"video {video.video_id!r} came without person boxes: use another detector, "
                "for instance --detector torchvision"
            )
        by_frame = read_boxes(video.boxes)
        check_belong(by_frame.frame_of_row, by_frame.corners, footage, name=f"boxes {video.boxes}")

        def detect(frames: list[np.ndarray], frame_index: Sequence[int]) -> list[np.ndarray]:
            # Boxes count the frames of the file; `frame_index` counts those of the window within it.
            return [_certain(by_frame.get(index + video.start_frame)) for index in frame_index]

        return detect


def _certain(boxes: np.ndarray | None) -> np.ndarray:
    if boxes is None:
        return np.empty((0, 5), np.float32)
    return np.column_stack([boxes, np.ones(len(boxes))]).astype(np.float32)
