"""Check that the boxes or quads that came with a video belong to that video."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aqa_pipeline.athlete.boxes import BoxTable, read_boxes
from aqa_pipeline.athlete.quads import read_quad_csv
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong, doubt
from aqa_pipeline.records import Video
from aqa_pipeline.video import VideoFacts


class BoxCheck:
    """Checks box files. It reads each file once, because the performances of a broadcast may share one.

    `refused` and `doubtful` are pairs of a video id and a reason.
    """

    def __init__(self) -> None:
        self.refused: list[tuple[str, str]] = []
        self.doubtful: list[tuple[str, str]] = []
        self._read: dict[Path, tuple[np.ndarray, np.ndarray, bool] | DatasetError] = {}

    def take(self, video: Video, facts: VideoFacts) -> None:
        """Compare the boxes of a video, if it has any, with its size and length."""
        if video.boxes is None or not video.boxes.is_file():
            return
        footage = footage_of(video, facts)
        try:
            frame_index, corners, may_leave = self._rows(video.boxes)
            name = f"boxes {video.boxes}"
            check_belong(frame_index, corners, footage, name=name, may_leave=may_leave)
        except DatasetError as error:
            self.refused.append((video.video_id, str(error)))
            return
        if reason := doubt(corners, footage):
            self.doubtful.append((video.video_id, reason))

    def _rows(self, path: Path) -> tuple[np.ndarray, np.ndarray, bool]:
        if path not in self._read:
            try:
                self._read[path] = _read_rows(path)
            except DatasetError as error:
                self._read[path] = error
        rows = self._read[path]
        if isinstance(rows, DatasetError):
            raise rows
        return rows


def footage_of(video: Video, facts: VideoFacts) -> Footage:
    """Return the footage of the performance, by the header of the video."""
    return Footage(
        width=facts.width,
        height=facts.height,
        num_frames=facts.num_frames,
        start_frame=video.start_frame,
        stop_frame=facts.num_frames if video.stop_frame is None else video.stop_frame,
        fps=facts.fps,
    )


def _read_rows(path: Path) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return frame index (row,), corners (row, corner, 2), and whether they are the quads of a tracker."""
    try:
        table: BoxTable | Mapping[int, np.ndarray] = read_boxes(path)
    except DatasetError as error:
        try:
            table = read_quad_csv(path)
        except DatasetError:
            raise error from None
    if isinstance(table, BoxTable):
        return table.frame_of_row, table.corners, False
    quads: Sequence[np.ndarray] = list(table.values())
    return np.array(list(table), np.int64), np.array(quads).reshape(-1, 4, 2), True
