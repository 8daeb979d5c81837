"""How a video backbone is trained together with its head: clips, augmentation, normalization, learning rates.

The recipes that papers published differ in all of these; each difference is one field here.
"""

from dataclasses import dataclass
from typing import Literal

PIXELS = "pixels"  # the stream of pictures

# How statistics of BatchNorm are treated: of each batch, of the checkpoint while scale and shift still learn,
# or the whole backbone as in evaluation (no dropout either) while its weights still learn.
BatchNormMode = Literal["train", "frozen-statistics", "eval"]

# One clip position of all videos after the other, so that statistics of a batch are those of one position, or
# all real clips of a batch at once.
ClipOrder = Literal["in-turn", "packed"]


@dataclass(frozen=True)
class FineTuning:
    """The pictures that a backbone sees, and how it is trained.

    * The window is the last `num_frames` stored frames of a video, moved by one of `shifts` frames (below 0:
      earlier frames). Training draws a shift per video; the first one is the reference, which testing uses.
      `num_frames` None is the whole video, whose clips stand side by side.
    * Clip i is the `frames_per_clip` frames from frame `clip_starts[i]` of the window.
    * `flip` mirrors half of the videos in training. `crop` is the side of the square picture in pixels;
      `random_crop` places it at random in training. Otherwise it is the center.
    * `normalization` names mean and deviation of the pixels (aqa_pipeline/backbones/normalization.py).
    * `backbone_lr` is the learning rate of the backbone's last layer; each layer before it has that of the
      next one times `layer_decay`. `freeze_until` names the last layer that does not learn; "" freezes none.
    * `checkpoint_activations` computes activations twice instead of keeping them, clip by clip.
    * `ema` is the decay per batch of a moving average of the weights, which is evaluated and kept in place of
      the weights: 0.999 spans the last 1,000 batches. 0 is no average.

    Raises `ValueError` for clips outside the window and for numbers out of range.
    """

    frames_per_clip: int
    clip_starts: tuple[int, ...]
    num_frames: int | None
    crop: int
    normalization: str
    backbone_lr: float
    batchnorm: BatchNormMode = "train"
    clip_passing: ClipOrder = "in-turn"
    shifts: tuple[int, ...] = (0,)
    flip: bool = False
    random_crop: bool = False
    layer_decay: float = 1.0
    freeze_until: str = ""
    checkpoint_activations: bool = False
    ema: float = 0.0

    def __post_init__(self) -> None:
        for name in ("clip_starts", "shifts"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.shifts or min(self.frames_per_clip, self.crop) < 1:
            raise ValueError(f"expected at least one shift, frame per clip and pixel of a crop; got {self}")
        self._check_window()
        if not 0 < self.layer_decay <= 1 or not 0 <= self.ema < 1 or self.backbone_lr < 0:
            raise ValueError(
                f"layer_decay {self.layer_decay}, ema {self.ema}, backbone_lr {self.backbone_lr}: expected a "
                "layer_decay above 0 and up to 1, an ema from 0 to below 1, and no negative learning rate."
            )
        if self.checkpoint_activations and (self.batchnorm, self.clip_passing) == ("train", "packed"):
            raise ValueError(
                "checkpoint_activations goes clip by clip, but BatchNorm takes statistics over all clips of "
                'a packed batch: choose clip_passing "in-turn" or batchnorm "frozen-statistics".'
            )

    def _check_window(self) -> None:
        if self.num_frames is None:
            if self.clip_starts:
                raise ValueError("clips of a whole video stand side by side: expected no clip_starts.")
            return
        stops = [start + self.frames_per_clip for start in self.clip_starts]
        if not stops or min(self.clip_starts) < 0 or max(stops) > self.num_frames:
            raise ValueError(
                f"clips of {self.frames_per_clip} frames from {self.clip_starts} do not lie within a window "
                f"of {self.num_frames} frames: expected at least one, from 0 on, none beyond the window."
            )

    def starts_in(self, num_stored: int, *, shift: int) -> tuple[int, ...]:
        """Return where the clips of a video with so many stored frames start, its window moved by `shift`.

        Starts may be below 0, and clips may end behind the last frame: first and last frame are repeated
        there. 109 stored frames, 103 in the window, shift -6 -> 0, 10, ..., 80, 87.
        """
        if self.num_frames is None:
            window, starts = num_stored, tiled_starts(num_stored, self.frames_per_clip)
        else:
            window, starts = self.num_frames, self.clip_starts
        return tuple(num_stored - window + shift + start for start in starts)


def tiled_starts(num_frames: int, frames_per_clip: int, *, stride: int | None = None) -> tuple[int, ...]:
    """Return where clips start; the last clip ends with the frames, and may overlap more than others.

    The stride is that of clips side by side unless it is given. 96 frames, clips of 32 -> 0, 32, 64; 103
    frames, clips of 16, stride 10 -> 0, 10, ..., 80, 87. Fewer frames than a clip has are one clip from
    before them: 13 frames, clips of 16 -> -3.
    """
    last = num_frames - frames_per_clip
    return (*range(0, last, stride or frames_per_clip), last)
