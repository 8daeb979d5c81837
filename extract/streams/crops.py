"""Stream `crops`: the athlete of one frame a second through an image backbone (ACTION-NET 5.2).

The paper takes the largest person of every frame. A followed athlete stays the same among several persons.
Frames without the athlete are dropped and counted.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.detectors import AthleteRule, PersonDetector, crop_person
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.stream import Encoded, Encoder, Ending, Intake, plan_steps, whole_frame


@dataclass(frozen=True)
class Crops:
    """One crop of the athlete a step; `extras` keep box (x1, y1, x2, y2, confidence; pixels) and frame."""

    rate_fps: float
    backbone: LoadedBackbone
    detector: PersonDetector
    rule: AthleteRule
    batch_size: int
    dtype: str

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        sampling = {"rate_fps": self.rate_fps, "frames_per_step": 1}
        person = {"detector": self.detector.identity, **self.rule.facts}
        return StreamSpec("crops", {**sampling, **person, **self.backbone.facts, "dtype": self.dtype})

    @property
    def feature_size(self) -> int:
        """Return the number of features of a crop."""
        return self.backbone.backbone.feature_size

    @property
    def intake(self) -> Intake:
        """The intake of whole frames: the detector needs every pixel."""
        return Intake(partial(plan_steps, rate_fps=self.rate_fps, frames_per_step=1), whole_frame)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to features of the athlete's crops (step, dim)."""
        detect, picker = self.detector.for_video(video, footage), self.rule.picker(video, footage)

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            with clock.phase("detect"):
                shown = frame_index[:, 0].tolist()
                persons = picker.pick_each(shown, frames, detect(frames, shown))
            kept = np.array([person is not None for person in persons])
            boxes = np.array([person for person in persons if person is not None], np.float32).reshape(-1, 5)
            sources = [frame for frame, is_kept in zip(frames, kept, strict=True) if is_kept]
            with clock.phase("network"):
                features = self._features(sources, boxes)
            extras = {"boxes": boxes, "frame_index": frame_index[kept]}
            return Encoded(features, kept, extras, self.backbone.counts(len(features)))

        return Encoder(encode, finish=lambda extras: Ending(extras, events=tuple(picker.events)))

    def _features(self, frames: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        if not frames:
            return np.empty((0, self.feature_size), np.float32)
        crops = [crop_person(frame, box[:4]) for frame, box in zip(frames, boxes, strict=True)]
        return self.backbone.features(np.stack([self.backbone.preprocess.geometry(crop) for crop in crops]))
