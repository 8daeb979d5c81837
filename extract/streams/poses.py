"""Stream `poses`: the athlete's joints a few times a second, and the feature vector made of them.

Features are those of `aqa_pipeline.poses.features`. The joints themselves are kept in `extras`, for drawing
and for other features. Frames without the athlete, or in which the network sees no pose, are dropped and
counted.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.poses import feature_names, pose_features
from aqa_pipeline.poses.features import VERSION, Moment
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from extract.clock import Clock
from extract.detectors import AthleteRule, PersonDetector
from extract.poses import PoseNetwork
from extract.streams.stream import Encoded, Encoder, Ending, Intake, plan_steps, whole_frame

RATE_FPS = 5.0
COORDINATES = "x, y, z in pixels of the frame (y down; z from the hips, 0 if unknown), visibility 0 to 1"


@dataclass(frozen=True)
class Poses:
    """One pose a step, as a feature vector. Speeds take the frame rate as constant.

    `extras` keep `joints` (joint, 4): x, y, z in pixels of the frame and the visibility from 0 to 1; the
    `boxes` of crops, and `frame_index`.
    """

    rate_fps: float
    network: PoseNetwork
    detector: PersonDetector
    rule: AthleteRule
    batch_size: int
    dtype: str

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        sampling = {"rate_fps": self.rate_fps, "frames_per_step": 1}
        person = {"detector": self.detector.identity, **self.rule.facts}
        pose: dict[str, SpecValue] = {
            "joints": self.network.joint_set.name,
            "coordinates": COORDINATES,
            "pose_features": VERSION,
        }
        return StreamSpec("poses", {**sampling, **person, **self.network.facts, **pose, "dtype": self.dtype})

    @property
    def feature_size(self) -> int:
        """Return the number of features of a pose."""
        return len(feature_names(self.network.joint_set))

    @property
    def intake(self) -> Intake:
        """The intake of whole frames: the detector needs every pixel."""
        return Intake(partial(plan_steps, rate_fps=self.rate_fps, frames_per_step=1), whole_frame)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to feature vectors (step, dim)."""
        detect, picker = self.detector.for_video(video, footage), self.rule.picker(video, footage)
        latest: list[Moment] = []

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            with clock.phase("detect"):
                shown = frame_index[:, 0].tolist()
                persons = picker.pick_each(shown, frames, detect(frames, shown))
            with clock.phase("network"):
                poses = [self._estimate(*each) for each in zip(frames, persons, strict=True)]
            kept = np.array([pose is not None for pose in poses])
            joints = self._stack([pose for pose in poses if pose is not None])
            boxes = [person for person, pose in zip(persons, poses, strict=True) if pose is not None]
            extras = {
                "joints": joints.astype(np.float32),
                "boxes": np.array(boxes, np.float32).reshape(-1, 5),
                "frame_index": frame_index[kept],
            }
            seconds = frame_index[kept, 0] / footage.fps
            return Encoded(self._features(joints, seconds, latest), kept, extras)

        return Encoder(encode, finish=lambda extras: Ending(extras, events=tuple(picker.events)))

    def _estimate(self, frame: np.ndarray, person: np.ndarray | None) -> np.ndarray | None:
        return None if person is None else self.network.estimate(frame, person[:4].astype(np.float64))

    def _stack(self, poses: list[np.ndarray]) -> np.ndarray:
        return np.reshape(poses, (-1, len(self.network.joint_set), 4))

    def _features(self, joints: np.ndarray, seconds: np.ndarray, latest: list[Moment]) -> np.ndarray:
        """Return the batch's vectors. `latest` holds the last pose of the batches before, if any."""
        if not len(joints):
            return np.empty((0, self.feature_size), np.float32)
        before = latest[0] if latest else None
        latest[:] = [Moment(joints[-1], float(seconds[-1]))]
        return pose_features(joints, seconds, self.network.joint_set, before=before)
