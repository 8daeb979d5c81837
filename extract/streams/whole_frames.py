"""Streams `segments` and `frames`: whole frames, alone or in clips, through a backbone (ACTION-NET 5.2).

`segments` are clips through a video backbone, in the paper 16 frames at 5 a second; `frames` are single
frames, one a second, through an image backbone: the paper's "w/o detection" ablation.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from extract.clock import Clock
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.stream import Encoded, Encoder, Intake, Rest, plan_steps


@dataclass(frozen=True)
class WholeFrames:
    """Steps of `frames_per_step` frames sampled at `rate_fps`, without overlap.

    The papers drop the `rest`. A padded last step repeats the last frame; the spec has the fact `rest`.
    """

    name: str
    rate_fps: float
    frames_per_step: int
    backbone: LoadedBackbone
    batch_size: int
    dtype: str
    rest: Rest = "dropped"

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        sampling: dict[str, SpecValue] = {"rate_fps": self.rate_fps, "frames_per_step": self.frames_per_step}
        if self.rest == "padded":
            sampling["rest"] = self.rest
        return StreamSpec(self.name, {**sampling, **self.backbone.facts, "dtype": self.dtype})

    @property
    def feature_size(self) -> int:
        """Return the number of features of a step."""
        return self.backbone.backbone.feature_size

    @property
    def intake(self) -> Intake:
        """Return the plan of the steps, and the resizing of a frame."""
        plan = partial(
            plan_steps, rate_fps=self.rate_fps, frames_per_step=self.frames_per_step, rest=self.rest
        )
        return Intake(plan, self.backbone.preprocess.geometry)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to features (step, dim)."""

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            batch = np.stack(frames)  # (B * T, H, W, 3)
            if self.backbone.backbone.takes == "clip":
                batch = batch.reshape(*frame_index.shape, *batch.shape[1:])  # (B, T, H, W, 3)
            with clock.phase("network"):
                features = self.backbone.features(batch)
            counts = self.backbone.counts(len(features))
            return Encoded(features, np.ones(len(features), bool), {"frame_index": frame_index}, counts)

        return Encoder(encode, field_of_view=self.backbone.preprocess.field_of_view(footage))
