"""The stored pictures of a video, raw or as JPEG, read frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.backbones.jpeg import decode_jpeg
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import StreamSpec
from heads.data.tube_maps import Extras

Picture = NDArray[np.uint8]  # (height, width, 3), RGB


class Pictures(Protocol):
    """The pictures of one video, in the order of its frames."""

    @property
    def size(self) -> tuple[int, int]:
        """Return the height and width of every picture."""
        ...

    def __len__(self) -> int:
        """Return the number of frames."""
        ...

    def __getitem__(self, frame: int) -> Picture:
        """Return one frame, (height, width, 3), RGB."""
        ...


@dataclass(frozen=True, eq=False)
class RawPictures:
    """Pictures `(frame, height, width, 3)` that may lie in a mapped file; a frame is a view of it."""

    rows: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Return the height and width of every picture."""
        return self.rows.shape[1], self.rows.shape[2]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, frame: int) -> Picture:
        return self.rows[frame]


@dataclass(frozen=True, eq=False)
class JpegPictures:
    """JPEG files `(frame, byte)`, each padded with zeros behind its `num_bytes` `(frame)`.

    `size` is the height and width of every picture.
    """

    rows: NDArray[np.uint8]
    num_bytes: NDArray[np.int32]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, frame: int) -> Picture:
        return decode_jpeg(self.rows[frame, : int(self.num_bytes[frame])])


def mean_colors(pictures: Pictures, frames: Sequence[int]) -> NDArray[np.float64]:
    """Return the mean color of each of these frames, `(frame, 3)`."""
    return np.stack([pictures[frame].mean(axis=(0, 1), dtype=np.float64) for frame in frames])


def pictures_of(spec: StreamSpec, features: NDArray[np.generic], extras: Extras) -> Pictures:
    """Return the pictures of a record of the stream pixels; raise `RunError` for another record."""
    if features.dtype != np.uint8 or features.ndim not in (2, 4) or not len(features):
        raise RunError(
            f"the {spec.stream!r} record holds {features.dtype} {features.shape}: expected pictures, uint8 "
            "(frame, height, width, 3), or JPEG files (frame, byte). Extract with `aqa extract --streams "
            "pixels`."
        )
    rows = features.astype(np.uint8, copy=False)
    if rows.ndim == 4:
        return RawPictures(rows)
    size = int(spec.facts["height"]), int(spec.facts["width"])  # type: ignore[arg-type]
    return JpegPictures(rows, np.asarray(extras["num_bytes"], dtype=np.int32), size)
