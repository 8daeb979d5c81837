"""Simulate the stream `tubes`, for heads with attention in the athlete's tube (TSA-Net): I3D maps and quads.

The last 103 frames of a video are overlapping clips of 16 frames. The tilted box of the athlete moves over
them and covers about a seventh of the picture. Grid position p of a clip's maps, (528, 4, 14, 14), of a video
of quality q is

    x_p = sigma |e_p| + a (max(z_p, 0) u+ + max(-z_p, 0) u-),    e_p ~ N(0, I)

with u+ and u- as in aqa_pipeline/simulation/steps.py. The flipped view is the mirrored view with a small
perturbation: e' = sqrt(1 - p^2) e + p N(0, I).

`sparse`: in the tube z_p = effect q + r + n_p, outside it z_p = d + n_p. r ~ N(0, s^2) and d ~ N(0, 1 + s^2)
are one number per video each, n_p ~ N(0, c^2) is one number per grid position. The distractor d has the same
distribution as the signal at effect 1, and fills most grid positions. The maps do not mark the tube. One grid
position says little, because n_p is large. The mean in the tube correlates with q by 1 / sqrt(1 + s^2) =
0.89. The mean over all grid positions is f (q + r) + (1 - f) d for a tube of share f, and correlates by about
f / sqrt(f^2 + (1 - f)^2) of that (0.2). So a head that does not use the tube cannot find the signal.

`even`: z_p = effect q + r + n_p at all grid positions. The mean over all of them is then the best predictor.

With effect 0 no feature depends on the labels.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aqa_pipeline.athlete.tube_masks import (
    FRAMES_PER_STEP,
    GRID_SIZE,
    PictureGeometry,
    paper_frame_masks,
    union_of_frames,
)
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation, random_numbers
from aqa_pipeline.simulation.stream import BASE_SCALE, Directions, Drawn, directions

VERSION = 1  # of the model above; raise it if features change
VIDEO_NOISE = 0.5  # s
POSITION_NOISE = 1.5  # c
DISTRACTOR_SCALE = np.sqrt(1 + VIDEO_NOISE**2)
VIEW_NOISE = 0.3  # p

NUM_FRAMES = 103
FRAMES_PER_CLIP = 16
NUM_STEPS = FRAMES_PER_CLIP // FRAMES_PER_STEP
FPS = 25.0  # as the adapters of the datasets assume
FRAME_SIZES = {"aqa7": (320, 240)}
USUAL_FRAME_SIZE = (640, 360)

# Shares of the frame's width and height. A grid position is 0.035 of the width and 0.063 of the height.
BOX_WIDTHS, BOX_HEIGHTS = (0.1, 0.2), (0.3, 0.55)
CENTER, WANDERS = 0.5, (0.02, 0.08)
TILT = 0.25  # largest tilt, in radians

# The choices of `aqa extract --views`, and the names of their views.
VIEWS: dict[Literal["flip", "reference"], tuple[str, ...]] = {
    "flip": ("end-0", "end-0-flip"),
    "reference": ("end-0",),
}


@dataclass(frozen=True)
class SimulatedTubes:
    """Maps, (clip, view, 528, 4, 14, 14), of the last frames, a clip every `stride` frames, and quads."""

    stride: int
    views: Literal["flip", "reference"] = "flip"
    num_frames: int = NUM_FRAMES
    stream: str = "tubes"
    backbone: str = "i3d-tsa-net"
    endpoint: str = "Mixed_4e"
    dim: int = 528
    num_aspects: int = 1

    @property
    def name(self) -> str:
        """Return the name for `aqa simulate --streams`: `tubes:10` for 10 clips, or `tubes:10:reference`."""
        views = "" if self.views == "flip" else f":{self.views}"
        return f"{self.stream}:{len(self.clip_starts)}{views}"

    @property
    def clip_starts(self) -> list[int]:
        """Return the starts of the clips in the last frames: 0, 10, ..., 80, 87."""
        last = self.num_frames - FRAMES_PER_CLIP
        return [*range(0, last, self.stride), last]

    def spec(self, simulation: Simulation) -> StreamSpec:
        """Return the spec of the simulated stream."""
        sampling: dict[str, SpecValue] = {
            "num_frames": self.num_frames,
            "stride": self.stride,
            "frames_per_step": FRAMES_PER_CLIP,
            "views": ",".join(VIEWS[self.views]),
        }
        network: dict[str, SpecValue] = {"backbone": self.backbone, "endpoint": self.endpoint}
        return StreamSpec(self.stream, {**simulation.facts(VERSION), **network, **sampling})

    def num_bytes(self, video: Video) -> int:
        """Return the size of the maps of a video in bytes; it is the same for all videos."""
        num_positions = len(self.clip_starts) * len(VIEWS[self.views]) * NUM_STEPS * GRID_SIZE**2
        return num_positions * self.dim * np.dtype(np.float16).itemsize

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """Draw maps with their quads. `is_key`, (clip, step, row, column), is the tube that shows quality.

        Raises `DatasetError` for a video of unknown duration, or of too few frames.
        """
        frame_index = self._frame_index(dataset, video)
        rng = random_numbers(simulation, self.name, dataset, video.video_id)
        geometry = PictureGeometry(FRAME_SIZES.get(dataset, USUAL_FRAME_SIZE))
        frame_quads = wandering_box(rng, geometry)[-self.num_frames :]
        tube = self._tube(geometry.in_picture(frame_quads).astype(np.float32))
        noise = rng.normal(0, VIDEO_NOISE)  # r
        distractor = rng.normal(0, DISTRACTOR_SCALE)  # d
        shown = np.full(tube.shape, simulation.effect * quality + noise)
        if simulation.signal == "sparse":
            shown[~tube] = distractor
        shown += rng.normal(0, POSITION_NOISE, shown.shape)
        (seen,) = directions(simulation, self)
        return Drawn(
            features=self._maps(rng, seen, shown),
            pts_seconds=np.stack([frame_index[:, 0], frame_index[:, -1] + 1], axis=1) / FPS,
            is_key=tube & (simulation.signal == "sparse"),
            extras=self._extras(rng, geometry, frame_quads=frame_quads, frame_index=frame_index),
        )

    def _frame_index(self, dataset: str, video: Video) -> np.ndarray:
        """Return the frames of the performance in each clip, (clip, 16)."""
        num_frames, needed = round((video.duration_seconds or 0) * FPS), self.num_frames
        if num_frames < needed:
            raise DatasetError(
                f"{dataset} video {video.video_id!r} has a duration of {video.duration_seconds} seconds by "
                f"its labels; clips of its last {needed} frames need at least {needed / FPS} seconds."
            )
        return num_frames - needed + self._of_clips(np.arange(needed))

    def _of_clips(self, frames: np.ndarray) -> np.ndarray:
        """Return rows of the last frames by clip: (frame, ...) -> (clip, 16, ...)."""
        return frames[np.add.outer(self.clip_starts, np.arange(FRAMES_PER_CLIP))]

    def _tube(self, quads: np.ndarray) -> np.ndarray:
        """Return the tube, (clip, step, row, column), of quads, (frame, 4, 2), by eq. 1 and 2 of TSA-Net."""
        tube = union_of_frames(self._of_clips(paper_frame_masks(quads)))
        assert tube.any(axis=(-2, -1)).all(), "the box never leaves the picture"
        return tube

    def _maps(self, rng: np.random.Generator, seen: Directions, shown: np.ndarray) -> np.ndarray:
        """Return maps, (clip, view, channel, step, row, column), for `shown`, (clip, step, row, column)."""
        noise = rng.standard_normal((*shown.shape, self.dim), dtype=np.float32)
        views = []
        for name in VIEWS[self.views]:
            of_view, shown_in_view = noise, shown
            if name.endswith("-flip"):
                fresh = rng.standard_normal(noise.shape, dtype=np.float32)
                of_view = np.float32(np.sqrt(1 - VIEW_NOISE**2)) * noise[..., ::-1, :]
                of_view += np.float32(VIEW_NOISE) * fresh
                shown_in_view = shown[..., ::-1]
            features = np.abs(of_view) * np.float32(BASE_SCALE)
            seen.show(features, shown_in_view)
            views.append(np.moveaxis(features.astype(np.float16), -1, 1))
        return np.ascontiguousarray(np.stack(views, axis=1))

    def _extras(
        self,
        rng: np.random.Generator,
        geometry: PictureGeometry,
        *,
        frame_quads: np.ndarray,
        frame_index: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Return the extras that `aqa extract` stores beside the maps, with one row per clip."""
        flips = [name.endswith("-flip") for name in VIEWS[self.views]]
        num_clips, num_views = len(frame_index), len(flips)
        in_views = [self._of_clips(geometry.in_picture(frame_quads, flipped=flip)) for flip in flips]
        scores = self._of_clips(rng.uniform(0.8, 1.0, self.num_frames).astype(np.float32))
        return {
            "quads": np.stack(in_views, axis=1).astype(np.float32),
            "frame_quads": np.stack([self._of_clips(frame_quads)] * num_views, axis=1),
            "frame_size": np.tile(np.array(geometry.frame_size, np.int32), (num_clips, 1)),
            "scores": np.stack([scores] * num_views, axis=1),
            "present": np.ones((num_clips, num_views, FRAMES_PER_CLIP), bool),
            "frame_index": frame_index,
        }


def wandering_box(rng: np.random.Generator, geometry: PictureGeometry) -> np.ndarray:
    """Return quads, (103, 4, 2) float32 in pixels of the frame: a tilted box that moves."""
    size = np.array([rng.uniform(*BOX_WIDTHS), rng.uniform(*BOX_HEIGHTS)])
    phases = (
        2 * np.pi * (rng.uniform(0.5, 2, 3) * np.arange(NUM_FRAMES)[:, None] / NUM_FRAMES + rng.random(3))
    )
    swing = np.sin(phases)  # (frame, x y tilt)
    centers = (CENTER + swing[:, :2] * rng.uniform(*WANDERS, 2)) * geometry.frame_size
    tilt = TILT * rng.random() * swing[:, 2]
    around = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * size * geometry.frame_size
    turn = np.stack([np.cos(tilt), -np.sin(tilt), np.sin(tilt), np.cos(tilt)], axis=-1).reshape(-1, 2, 2)
    return (centers[:, None] + around @ turn.mT).astype(np.float32)
