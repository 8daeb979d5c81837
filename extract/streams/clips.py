"""Stream `clips`: native frames, clip by clip, through a video backbone (Weight-Decider 3.1, 4.3).

The paper draws an end frame and a flip anew whenever a video is trained on. Here all of these views are made
once, and heads draw one: features are (clip, view, dim). Frames are mirrored after the center crop, so that
both views see the same pixels; a loader that mirrors before it crops one pixel beside, for 171 - 112 is odd.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.clip_sampling import ClipSampling, cut_views, plan_clips, reference_frames
from extract.streams.stream import Encoded, Encoder, Intake


@dataclass(frozen=True)
class Clips:
    """Clips of as many frames as the backbone takes. `extras` keep the frames of the reference view.

    The network sees at most `clips_per_call` clips at once, whatever the number of views.
    """

    sampling: ClipSampling
    backbone: LoadedBackbone
    clips_per_call: int
    dtype: str

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        sampling = {
            "span": self.sampling.span,
            "frames_per_step": self.frames_per_clip,
            "views": ",".join(view.name for view in self.sampling.chosen_views),
        }
        return StreamSpec("clips", {**sampling, **self.backbone.facts, "dtype": self.dtype})

    @property
    def feature_size(self) -> int:
        """Return the number of features of a clip."""
        return self.backbone.backbone.feature_size

    @property
    def frames_per_clip(self) -> int:
        """Return the number of frames that the network takes."""
        frames = self.backbone.backbone.frames_per_clip
        assert frames is not None, "clips need a clip backbone"
        return frames

    @property
    def batch_size(self) -> int:
        """The number of steps per batch; each step is a clip per view."""
        return max(1, self.clips_per_call // len(self.sampling.chosen_views))

    @property
    def intake(self) -> Intake:
        """Return the plan of the clips, and the resizing of a frame."""
        plan = partial(plan_clips, sampling=self.sampling, frames_per_clip=self.frames_per_clip)
        return Intake(plan, self.backbone.preprocess.geometry)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to features (step, view, dim)."""

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            steps = np.stack(frames).reshape(*frame_index.shape, *frames[0].shape)  # (B, n + before, H, W, 3)
            with clock.phase("network"):
                features = np.concatenate([self.backbone.features(clips) for clips in self._calls(steps)])
            features = features.reshape(len(steps), -1, self.feature_size)  # (B * V, D) -> (B, V, D)
            made_by = self.backbone.counts(len(steps))
            used = reference_frames(frame_index, self.frames_per_clip)
            return Encoded(features, np.ones(len(steps), bool), {"frame_index": used}, made_by)

        return Encoder(encode, field_of_view=self.backbone.preprocess.field_of_view(footage))

    def _calls(self, steps: np.ndarray) -> Iterator[np.ndarray]:
        """Return the clips of every view of every step, as batches for the network."""
        views, frames = self.sampling.chosen_views, self.frames_per_clip
        clips = [clip for step in steps for clip in cut_views(step, views=views, frames_per_clip=frames)]
        for start in range(0, len(clips), self.clips_per_call):
            yield np.stack(clips[start : start + self.clips_per_call])
