"""The tubes of clips that are cut from stored pictures, made from the quads beside the pictures."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.athlete.tube_masks import (
    FRAMES_PER_STEP,
    GRID_SIZE,
    MaskVariant,
    PictureGeometry,
    paper_frame_masks,
    released_frame_masks,
    union_of_frames,
)
from heads.data.pixels.square import Square
from heads.data.tube_maps import Extras, Masks


@dataclass(frozen=True, eq=False)
class PixelTubes:
    """Where the athlete is in every stored frame of the videos, one entry of `quads` per video.

    `quads` hold what the stream pixels keeps beside its pictures. Without quads the tube is the whole grid.
    """

    quads: tuple[Extras, ...] = ()
    variant: MaskVariant = "paper"
    _made: dict[tuple[int, Square], Masks] = field(default_factory=dict, repr=False)

    def cut(self, video: int, frames: NDArray[np.int64], square: Square) -> Masks:
        """Return the tube `(clip, step, 14, 14)` of the frames `(clip, frame)`; empty steps stay empty."""
        if not self.quads:
            num_steps = frames.shape[1] // FRAMES_PER_STEP
            return np.ones((len(frames), num_steps, GRID_SIZE, GRID_SIZE), bool)
        if (video, square) not in self._made:
            self._made[video, square] = self._of_frames(self.quads[video], square)
        return union_of_frames(self._made[video, square][frames])

    def _of_frames(self, extras: Extras, square: Square) -> Masks:
        """Return the mask of every stored frame, `(frame, 14, 14)`."""
        if self.variant == "released":
            width, height = (int(side) for side in np.asarray(extras["frame_size"])[0])
            geometry = PictureGeometry((width, height))
            return released_frame_masks(np.asarray(extras["frame_quads"]), geometry, square.mirrored)
        quads = np.asarray(extras["quads"], dtype=np.float64) - (square.left, square.top)
        if square.mirrored:
            quads = np.stack([square.side - quads[..., 0], quads[..., 1]], axis=-1)
        return paper_frame_masks(quads, picture_size=square.side)
