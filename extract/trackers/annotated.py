"""Tubes `annotations`: read quads or boxes that came with the data, or that another program tracked."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from aqa_pipeline.athlete.quads import Quads, read_quad_csv, read_quads
from aqa_pipeline.datasets.reading.file_names import NameIndex
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Event, SpecValue, Video
from aqa_pipeline.weights import sha256_of
from extract.trackers.corners import canonical
from extract.trackers.quad_files import choose, quads_file
from extract.trackers.tube import Step, no_quad


@dataclass(frozen=True)
class AnnotatedQuads:
    """Quads from disk, all with score 1. Frames without a row have no quad.

    `path` is a JSON file of all videos (FRFS_Boxes.json), a folder of `<video id>.csv`, or None for
    `Video.boxes`. The rows of the JSON file count the frames of the performance. The others count the frames
    of the video's file.
    """

    path: Path | None = None

    @property
    def name(self) -> str:
        """The name that `load_tube_source` takes."""
        return "annotations"

    @property
    def facts(self) -> dict[str, SpecValue]:
        """The tubes' part of a stream's spec."""
        one_file = self.path is not None and self.path.is_file()
        return {
            "tracker": f"annotations sha256:{sha256_of(self.path)}" if one_file and self.path else self.name
        }

    def for_video(self, video: Video, footage: Footage) -> "AnnotatedTube":
        """Return the quads of `video` by frame.

        Raise `DatasetError` if there are none, or if they cannot be read or do not fit the footage.
        """
        if self.path is not None and self.path.suffix.lower() == ".json":
            clip = choose(video.video_id, NameIndex(self._clips), where=f"quads {self.path}")
            if clip is None:
                known = ", ".join(sorted(self._clips)[:5])
                raise DatasetError(f"{self.path} has no quads of {video.video_id!r}; it begins with {known}")
            quads = dict(enumerate(self._clips[clip]))
            _check(quads, footage.performance, name=f"quads {self.path}, clip {clip!r}")
            return AnnotatedTube(quads, 0)
        path = video.boxes if self.path is None else quads_file(self.path, video.video_id)
        if path is None:
            raise DatasetError(
                f"video {video.video_id!r} came without boxes: use a tracker, for instance --tracker nano"
            )
        quads = read_quad_csv(path)
        _check(quads, footage, name=f"quads {path}")
        return AnnotatedTube(quads, video.start_frame)

    @cached_property
    def _clips(self) -> dict[str, Quads]:
        assert self.path is not None
        return read_quads(self.path)


def _check(quads: dict[int, Quads], footage: Footage, *, name: str) -> None:
    corners = np.array(list(quads.values())).reshape(-1, 4, 2)
    check_belong(np.array(list(quads), np.int64), corners, footage, name=name, may_leave=True)


@dataclass(frozen=True, eq=False)
class AnnotatedTube:
    """The quads of one video by frame of the file; its frame `first` is frame 0 of the performance."""

    quads: dict[int, Quads]
    first: int
    events: list[Event] = field(default_factory=list)

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Return the quad of that frame of the performance."""
        quad = self.quads.get(frame_index + self.first)
        if quad is None:
            return Step(no_quad(), 0.0)
        return Step(canonical(quad.astype(np.float32)), 1.0)
