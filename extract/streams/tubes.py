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

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, SpecValue, StreamSpec, Video
from extract.clock import Clock
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.stream import Encoded, Encoder, Ending, Intake, whole_frame
from extract.streams.tube_sampling import FRAMES_PER_CLIP, TubeSampling, plan_tubes, seen_by
from extract.trackers import Step as TubeStep
from extract.trackers import TubeMaker, TubeSource
from extract.trackers.tube import lost_in

# After which of I3D's layers the maps are taken (the code's --TSA_pos 7).
ENDPOINTS: dict[Literal["paper", "released"], str] = {"paper": "Mixed_4e", "released": "MaxPool3d_4a_3x3"}
QUADS = ("quads", "frame_quads")
EVENT_COUNTS = {LOST: "num_times_lost", RESTARTED: "num_times_restarted"}


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
        """One clip: the frames that wait for it are whole, for the tracker, and must not be many."""
        return 1

    @property
    def intake(self) -> Intake:
        """Whole frames: the tracker wants every pixel."""
        return Intake(partial(plan_tubes, sampling=self.sampling), whole_frame)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to maps and the athlete's quads in every view."""
        latest = LatestFrames(self.source.for_video(video, footage), self.backbone.preprocess.geometry)

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
        return Encoder(encode, finish=lambda extras: self._end(extras, latest), field_of_view=seen)

    def _end(self, extras: dict[str, np.ndarray], latest: "LatestFrames") -> Ending:
        """Take back the quads of frames in which the athlete was lost, as was noticed later."""
        offsets = np.array([view.end_offset for view in self.sampling.chosen_views])
        seen = np.maximum(extras["frame_index"][:, None] - offsets[:, None], 0)  # (clip, view, 16)
        lost = lost_in(seen, latest.events)
        quads = {name: np.where(lost[..., None, None], np.nan, extras[name]) for name in QUADS}
        present = extras["present"] & ~lost
        told = extras | {name: rows.astype(np.float32) for name, rows in quads.items()} | {"present": present}
        nobody = int((~present[:, 0].any(axis=1)).sum())
        return Ending(told, {**latest.counts(), "num_steps_without_person": nobody}, tuple(latest.events))

    def _maps(self, pictures: np.ndarray) -> np.ndarray:
        """Return the maps of every view of one clip (before + 16, H, W, 3)."""
        batches = self._calls(pictures)
        maps = [self.backbone.maps(batch, endpoint=self.endpoint).astype(self.dtype) for batch in batches]
        return np.concatenate(maps)

    def _calls(self, pictures: np.ndarray) -> Iterator[np.ndarray]:
        views = self.sampling.chosen_views
        clips = [pictures[seen_by(view, len(pictures))][:, :, :: -1 if view.flip else 1] for view in views]
        for start in range(0, len(clips), self.clips_per_call):
            yield np.stack(clips[start : start + self.clips_per_call])

    def _tube(self, steps: list[TubeStep], *, frame_size: tuple[int, int]) -> dict[str, np.ndarray]:
        """Return the tube of one clip (before + 16 frames) as every view sees it."""
        views = self.sampling.chosen_views
        geometry = self.backbone.preprocess.geometry.place(frame_size)
        windows = [seen_by(view, len(steps)) for view in views]
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
    """One frame: the picture that the network sees of it, and where the athlete is."""

    picture: np.ndarray
    tube: TubeStep


class LatestFrames:
    """The frames of a video's latest clip. Frames that two clips share are tracked and resized once."""

    def __init__(self, maker: TubeMaker, geometry: Callable[[np.ndarray], np.ndarray]) -> None:
        self._maker, self._geometry = maker, geometry
        self._shown: dict[int, Shown] = {}
        self._present: dict[int, bool] = {}

    def __getitem__(self, frame_index: int) -> Shown:
        return self._shown[frame_index]

    @property
    def events(self) -> list[Event]:
        """What has happened to the athlete so far."""
        return self._maker.events

    def counts(self) -> dict[str, int]:
        """Return how many frames were tracked, in how many nobody is followed, and how often that began."""
        present = np.array(list(self._present.values()))
        present &= ~lost_in(np.array(list(self._present)), self.events)
        kinds = [event.kind for event in self.events]
        return {
            "num_tracked_frames": len(present),
            "num_frames_without_athlete": int((~present).sum()),
            **{name: kinds.count(kind) for kind, name in EVENT_COUNTS.items()},
        }

    def take(self, frame_index: list[int], frames: list[np.ndarray]) -> None:
        """Take the frames of the next clip, in order."""
        kept = {index: self._shown[index] for index in frame_index if index in self._shown}
        fresh: dict[int, Shown] = {}
        for index, frame in zip(frame_index, frames, strict=True):
            if index not in kept and index not in fresh:
                fresh[index] = Shown(self._geometry(frame), self._maker.step(index, frame))
                self._present[index] = fresh[index].tube.present
        self._shown = kept | fresh
