"""Stream `tubes`: I3D's maps of overlapping clips, and where the athlete is in every frame of them.

Paper: Wang et al., "TSA-Net: Tube Self-Attention Network for Action Quality Assessment", ACM MM 2021, 3.1,
3.2. Original code: github.com/Shunli-Wang/TSA-Net (FR-FS only). Own text.

The maps are those after the first stage of I3D, in front of the tube self-attention, which is the head's, as
are the masks. The paper tracks once and mirrors or shifts clips anew whenever a video is trained on; here
these views are made once, and heads draw one. Quads are mirrored with the pictures, in the crop that the
network sees.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from extract.clock import Clock
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.stream import Encoded, Encoder, Ending, Intake, whole_frame
from extract.streams.tracked_frames import TrackedFrames
from extract.streams.tube_sampling import FRAMES_PER_CLIP, TubeSampling, frames_of_view, plan_tubes
from extract.trackers import Step as TubeStep
from extract.trackers import TubeSource

# After which of I3D's layers the maps are taken (the code's --TSA_pos 7).
ENDPOINTS: dict[Literal["paper", "released"], str] = {"paper": "Mixed_4e", "released": "MaxPool3d_4a_3x3"}
QUADS = ("quads", "frame_quads")


@dataclass(frozen=True)
class Tubes:
    """Clips as maps, (clip, view, channel, step, height, width), and the tube in `extras`, a row per clip:

    `quads` (view, 16, 4, 2) in pixels of the crop, mirrored where the view is, NaN where nobody is followed;
    `frame_quads`, the same in pixels of the frame and never mirrored, and `frame_size` (2,), its width and
    height; `present` and the tracker's `scores` (view, 16); `frame_index` (16,) of the reference view.
    A clip without any quad in its reference view counts as a step without a person, and is kept.
    The network sees the views of one clip at once, at most `clips_per_call` of them.
    """

    sampling: TubeSampling
    endpoint: str
    source: TubeSource
    backbone: LoadedBackbone
    clips_per_call: int
    dtype: str

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        sampling: dict[str, SpecValue] = {
            "num_frames": self.sampling.num_frames,
            "stride": self.sampling.stride,
            "frames_per_step": FRAMES_PER_CLIP,
            "views": ",".join(view.name for view in self.sampling.chosen_views),
        }
        network = {"endpoint": self.endpoint, **self.backbone.facts, "dtype": self.dtype}
        return StreamSpec("tubes", {**sampling, **self.source.facts, **network})

    @property
    def batch_size(self) -> int:
        """One clip: its frames wait in full size, for the tracker, and must not be many."""
        return 1

    @property
    def intake(self) -> Intake:
        """The intake of whole frames: the tracker needs every pixel."""
        return Intake(partial(plan_tubes, sampling=self.sampling), whole_frame)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to maps and the athlete's quads in every view."""
        tracked = TrackedFrames(self.source.for_video(video, footage))
        latest = LatestFrames(tracked, self.backbone.preprocess.geometry)

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            (index,) = frame_index  # one clip a batch
            with clock.phase("track"):
                latest.take(index.tolist(), frames)
            height, width = frames[0].shape[:2]
            shown = [latest[at] for at in index.tolist()]
            with clock.phase("network"):
                maps = self._maps(np.stack([frame.picture for frame in shown]))
            extras = self._tube([frame.tube for frame in shown], frame_size=(width, height))
            extras["frame_index"] = index[-FRAMES_PER_CLIP:]
            rows = {name: values[None] for name, values in extras.items()}
            return Encoded(maps[None], np.ones(1, bool), rows, self.backbone.counts(num_steps=1))

        seen = self.backbone.preprocess.field_of_view(footage)
        return Encoder(encode, finish=lambda extras: self._end(extras, tracked), field_of_view=seen)

    def _end(self, extras: dict[str, np.ndarray], tracked: TrackedFrames) -> Ending:
        """Remove the quads of frames in which the athlete was lost: a loss is noticed some frames later."""
        offsets = np.array([view.end_offset for view in self.sampling.chosen_views])
        seen = np.maximum(extras["frame_index"][:, None] - offsets[:, None], 0)  # (clip, view, 16)
        lost = tracked.is_lost(seen)
        quads = {name: np.where(lost[..., None, None], np.nan, extras[name]) for name in QUADS}
        present = extras["present"] & ~lost
        stored = (
            extras | {name: rows.astype(np.float32) for name, rows in quads.items()} | {"present": present}
        )
        nobody = int((~present[:, 0].any(axis=1)).sum())
        counts = {**tracked.counts(), "num_steps_without_person": nobody}
        return Ending(stored, counts, tuple(tracked.events))

    def _maps(self, pictures: np.ndarray) -> np.ndarray:
        """Return the maps of every view of one clip (before + 16, height, width, 3)."""
        batches = self._calls(pictures)
        maps = [self.backbone.maps(batch, endpoint=self.endpoint).astype(self.dtype) for batch in batches]
        return np.concatenate(maps)

    def _calls(self, pictures: np.ndarray) -> Iterator[np.ndarray]:
        views = self.sampling.chosen_views
        clips = [
            pictures[frames_of_view(view, len(pictures))][:, :, :: -1 if view.flip else 1] for view in views
        ]
        for start in range(0, len(clips), self.clips_per_call):
            yield np.stack(clips[start : start + self.clips_per_call])

    def _tube(self, steps: list[TubeStep], *, frame_size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Return the tube of one clip (before + 16 frames) as every view sees it."""
        views = self.sampling.chosen_views
        geometry = self.backbone.preprocess.geometry.place(frame_size)
        windows = [frames_of_view(view, len(steps)) for view in views]
        quads = np.stack([step.quad for step in steps]).astype(np.float32)
        in_picture = {flip: geometry.in_picture(quads, flipped=flip) for flip in (False, True)}
        crops = [in_picture[view.flip][window] for view, window in zip(views, windows, strict=True)]
        scores = np.array([step.score for step in steps], np.float32)
        present = np.array([step.present for step in steps])
        return {
            "quads": np.stack(crops).astype(np.float32),
            "frame_quads": np.stack([quads[window] for window in windows]),
            "frame_size": np.array(frame_size, np.int32),
            "scores": np.stack([scores[window] for window in windows]),
            "present": np.stack([present[window] for window in windows]),
        }


class Shown(NamedTuple):
    """One frame: the picture that the network gets, and the athlete's place in it."""

    picture: np.ndarray
    tube: TubeStep


class LatestFrames:
    """The frames of a video's latest clip. Frames that two clips share are tracked and resized once."""

    def __init__(self, tracked: TrackedFrames, geometry: Callable[[np.ndarray], np.ndarray]) -> None:
        self._tracked, self._geometry = tracked, geometry
        self._shown: dict[int, Shown] = {}

    def __getitem__(self, frame_index: int) -> Shown:
        return self._shown[frame_index]

    def take(self, frame_index: list[int], frames: list[np.ndarray]) -> None:
        """Take the frames of the next clip, in order."""
        kept = {index: self._shown[index] for index in frame_index if index in self._shown}
        fresh: dict[int, Shown] = {}
        for index, frame in zip(frame_index, frames, strict=True):
            if index not in kept and index not in fresh:
                fresh[index] = Shown(self._geometry(frame), self._tracked.step(index, frame))
        self._shown = kept | fresh
