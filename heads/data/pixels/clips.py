"""Clips that fine-tuning trains on: cut from the stored pictures of each video when a batch is made.

A view is one way to see a video: by how many frames its window is moved, whether it is mirrored, and where
the square lies that is cut out of its pictures. View 0 is the reference, which testing sees: the last frames,
not mirrored, the center. A loader that mirrors before it cuts the center is one pixel beside, for 171 - 112
is odd; here pictures are mirrored after the cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.athlete.tube_masks import FRAMES_PER_STEP, GRID_SIZE, with_whole_grid_where_empty
from aqa_pipeline.errors import RunError
from heads.data.pixels.pictures import Pictures, mean_colors
from heads.data.pixels.square import Square
from heads.data.pixels.tubes import PixelTubes
from heads.data.tube_maps import CPU, CutMaps, Seconds
from heads.recipes import FineTuning

CENTER = (1, 1)
PLACES = (CENTER, *((down, across) for down in range(3) for across in range(3) if (down, across) != CENTER))


@dataclass(frozen=True)
class View:
    """One way to see a video: its window moved by `shift` frames, mirrored, and where the square is cut out.

    `place` says in which of three rows and columns.
    """

    shift: int
    mirrored: bool = False
    place: tuple[int, int] = CENTER


def views_of(fine_tuning: FineTuning) -> tuple[View, ...]:
    """Return every view that training draws from; the first one is the reference."""
    return tuple(
        View(shift, mirrored, place)
        for place in (PLACES if fine_tuning.random_crop else (CENTER,))
        for mirrored in ((False, True) if fine_tuning.flip else (False,))
        for shift in fine_tuning.shifts
    )


def frames_of(fine_tuning: FineTuning, num_stored: int, *, shift: int) -> NDArray[np.int64]:
    """Return the stored frames of each clip `(clip, frame)`; the first and the last stand in for others."""
    starts = np.array(fine_tuning.starts_in(num_stored, shift=shift), dtype=np.int64)
    frames: NDArray[np.int64] = starts[:, None] + np.arange(fine_tuning.frames_per_clip)
    return frames.clip(0, num_stored - 1)


def square_of(view: View, *, size: tuple[int, int], side: int) -> Square:
    """Return the square that the view cuts out of pictures of that size (height, width).

    The center is that of torchvision: 115.5 becomes 116, the even number. Raise `RunError` for pictures that
    are smaller than the square.
    """
    rooms = [length - side for length in size]
    if min(rooms) < 0:
        raise RunError(
            f"the stored pictures are {size[1]}x{size[0]}, the network takes {side}x{side}: extract larger "
            "ones with --picture-size."
        )
    top, left = (round(room * at / 2) for room, at in zip(rooms, view.place, strict=True))
    return Square(top, left, side, view.mirrored)


@dataclass(frozen=True, eq=False)
class PixelClips:
    """The pictures of each video, and how clips are cut from them. They stand where maps of tubes stand.

    `checksums` stand for the records. `device` is where clips go.
    """

    videos: tuple[Pictures, ...]
    fine_tuning: FineTuning
    checksums: tuple[str, ...]
    tubes: PixelTubes = field(default_factory=PixelTubes)
    device: torch.device = CPU

    @property
    def num_channels(self) -> int:
        """The number of colors."""
        return 3

    @property
    def num_views(self) -> int:
        """The number of ways in which each video is seen."""
        return len(self.views)

    @cached_property
    def views(self) -> tuple[View, ...]:
        """Every view of a video, the reference first."""
        return views_of(self.fine_tuning)

    @property
    def num_empty(self) -> int:
        """The number of steps of reference views whose tube has no grid position."""
        tubes = (self._tube(video, self.views[0], slice(None)) for video in range(len(self.videos)))
        return sum(int((~tube.any(axis=(-2, -1))).sum()) for tube in tubes)

    def clip_seconds(self, pts_seconds: Sequence[Seconds]) -> tuple[Seconds, ...]:
        """Return the times of each video's clips, `(clip, 2)`, from those of its frames, `(frame, 2)`."""
        frames = [
            frames_of(self.fine_tuning, len(of_frames), shift=self.views[0].shift)
            for of_frames in pts_seconds
        ]
        return tuple(
            np.stack([of_frames[clips[:, 0], 0], of_frames[clips[:, -1], 1]], axis=1)
            for clips, of_frames in zip(frames, pts_seconds, strict=True)
        )

    def reference(self, video: int) -> NDArray[np.floating]:
        """Return the mean color of the whole pictures of each clip in the reference view, `(clip, 1, 3)`."""
        frames = self._frames(video, self.views[0], slice(None))
        needed, place = np.unique(frames, return_inverse=True)
        colors = mean_colors(self.videos[video], needed.tolist())[place.reshape(frames.shape)]
        return np.asarray(colors.mean(axis=1)[:, None])

    def cut(self, videos: Tensor, *, starts: Tensor, views: Tensor, num_steps: int) -> CutMaps:
        """Return clips, uint8 `(batch, clip, 3, frame, height, width)`, their tubes and their mask.

        Clips are where their pictures are decoded, the others on the CPU.
        """
        side, length = self.fine_tuning.crop, self.fine_tuning.frames_per_clip
        shape, place = (len(videos), num_steps, length, side, side, 3), self.videos[0].place(self.device)
        clips = torch.zeros(shape, dtype=torch.uint8, device=place)
        tubes = np.zeros((*clips.shape[:2], length // FRAMES_PER_STEP, GRID_SIZE, GRID_SIZE), bool)
        mask = np.zeros(clips.shape[:2], bool)
        chosen = zip(videos.tolist(), starts.tolist(), views.tolist(), strict=True)
        for row, (video, start, view) in enumerate(chosen):
            seen, window = self.views[view], slice(start, start + num_steps)
            found = self._clips(video, seen, window, place)
            clips[row, : len(found)], mask[row, : len(found)] = found, True
            tube = with_whole_grid_where_empty(self._tube(video, seen, window))
            tubes[row, : len(found)] = tube.masks
        return CutMaps(clips.permute(0, 1, 5, 2, 3, 4), torch.from_numpy(tubes), torch.from_numpy(mask))

    def _clips(self, video: int, view: View, window: slice, place: torch.device) -> Tensor:
        """Return clips of one video, `(clip, frame, height, width, 3)`; a shared frame is read once."""
        frames = self._frames(video, view, window)
        needed, at = np.unique(frames, return_inverse=True)
        read = self.videos[video].read(needed.tolist(), self._square(video, view), place=place)
        return read[torch.from_numpy(at.reshape(frames.shape)).to(place)]

    def _tube(self, video: int, view: View, window: slice) -> NDArray[np.bool_]:
        return self.tubes.cut(video, self._frames(video, view, window), self._square(video, view))

    def _frames(self, video: int, view: View, window: slice) -> NDArray[np.int64]:
        return frames_of(self.fine_tuning, len(self.videos[video]), shift=view.shift)[window]

    def _square(self, video: int, view: View) -> Square:
        return square_of(view, size=self.videos[video].size, side=self.fine_tuning.crop)
