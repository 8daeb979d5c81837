"""The stored pictures of a video, raw or as JPEG: whole frames, or the square that a network sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.backbones.jpeg import decode_jpeg, decode_jpegs, decodes_on
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import StreamSpec
from heads.data.pixels.square import Square
from heads.data.tube_maps import CPU, Extras

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

    def place(self, device: torch.device) -> torch.device:
        """Return where `read` puts pictures that a network on that device needs."""
        ...

    def read(self, frames: Sequence[int], square: Square, *, place: torch.device) -> Tensor:
        """Return the square of each of these frames, uint8 (frame, side, side, 3), RGB."""
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

    def place(self, device: torch.device) -> torch.device:
        """Return the CPU, where the mapped file is."""
        return CPU

    def read(self, frames: Sequence[int], square: Square, *, place: torch.device) -> Tensor:
        """Return the square of each of these frames; bytes beside it are not read."""
        inside = torch.from_numpy(self.rows[:, square.rows, square.columns][list(frames)])
        return square.turned(inside)


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
        return decode_jpeg(self._file(frame))

    def place(self, device: torch.device) -> torch.device:
        """Return the network's device if it decodes JPEG files, else the CPU."""
        return device if decodes_on(device) else CPU

    def read(self, frames: Sequence[int], square: Square, *, place: torch.device) -> Tensor:
        """Return the square of each of these frames, decoded there."""
        whole = decode_jpegs([self._file(frame) for frame in frames], device=place)
        return square.turned(whole[:, square.rows, square.columns])

    def _file(self, frame: int) -> NDArray[np.uint8]:
        return self.rows[frame, : int(self.num_bytes[frame])]


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
