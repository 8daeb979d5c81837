"""Begin with the athlete whom somebody pointed at: the only box in the file of boxes of a video."""

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Video
from extract.detectors.continuity import Seen


def pointed_at(video: Video, footage: Footage) -> Seen | None:
    """Return the athlete's box and its frame, counted from the start of the performance.

    Return None for a video without a file of boxes, and for a file with several boxes: nobody drew those to
    point at a person. Raise `DatasetError` for a box that does not belong to the video.
    """
    if video.boxes is None or not video.boxes.is_file():
        return None
    boxes = read_boxes(video.boxes)
    if len(boxes.corners) != 1:
        return None
    check_belong(boxes.frame_of_row, boxes.corners, footage, name=f"boxes {video.boxes}")
    return Seen(boxes.corners.reshape(4), int(boxes.frame_of_row[0]) - footage.start_frame)
