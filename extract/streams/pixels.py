"""Stream `pixels`: the frames themselves, for networks that are trained from pictures on.

A network that is fine-tuned reads the same frames in every epoch. Decoding and resizing them once leaves
reading them, which a memory map does. Crops, flips, shifts of the end frame and the statistics of the
normalization belong to the training: the stored picture is the whole frame.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.streams.pixel_sampling import PixelSampling, plan_pixels
from extract.streams.stored_picture import StoredPicture
from extract.streams.stream import Encoded, Encoder, Ending, Intake, whole_frame
from extract.streams.tracked_frames import TrackedFrames
from extract.trackers import TubeSource

QUADS = ("quads", "frame_quads")


@dataclass(frozen=True)
class Pixels:
    """One frame a step: uint8 (height, width, 3), or a JPEG file (byte,), with zeros after a shorter one.

    `extras` keep `frame_index` (), and for JPEG `num_bytes` (), the length of the file. With a `source` of
    tubes they also keep the athlete's `quads` (4, 2) in pixels of the stored picture, `frame_quads` (4, 2) in
    pixels of the frame, NaN where nobody is followed, and `frame_size` (2,), the frame's width and height. A
    frame in which nobody is followed counts as a step without a person, and is kept.
    """

    sampling: PixelSampling
    picture: StoredPicture
    source: TubeSource | None = None

    @property
    def spec(self) -> StreamSpec:
        """Return the stream's spec."""
        tracker = self.source.facts if self.source else {}
        facts = {**self.sampling.facts, **self.picture.facts, **tracker, "dtype": self.dtype}
        return StreamSpec("pixels", facts)

    @property
    def dtype(self) -> str:
        """The type of pixels, and of bytes of a JPEG."""
        return "uint8"

    @property
    def batch_size(self) -> int:
        """One frame: no network waits for more."""
        return 1

    @property
    def intake(self) -> Intake:
        """The plan, and the stored picture of a frame; a tracker needs every pixel."""
        plan = partial(plan_pixels, sampling=self.sampling, is_tracked=self.source is not None)
        return Intake(plan, whole_frame if self.source else self.picture.store)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        """Return the function from frames to stored pictures."""
        whole = (0.0, 0.0, float(footage.width), float(footage.height))
        if self.source is None:
            return Encoder(lambda frames, index: self._encoded(frames[-1], index, {}), field_of_view=whole)
        tracked = TrackedFrames(self.source.for_video(video, footage))

        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            with clock.phase("track"):
                quad = tracked.step_through(frame_index[0].tolist(), frames).quad
            with clock.phase("resize"):
                stored = self.picture.store(frames[-1])
            size = (frames[-1].shape[1], frames[-1].shape[0])
            tube = {
                "quads": self.picture.place(quad, frame_size=size),
                "frame_quads": quad.astype(np.float32),
                "frame_size": np.array(size, np.int32),
            }
            return self._encoded(stored, frame_index, tube)

        return Encoder(encode, finish=lambda extras: _without_lost(extras, tracked), field_of_view=whole)

    def _encoded(self, stored: np.ndarray, frame_index: np.ndarray, tube: dict[str, np.ndarray]) -> Encoded:
        extras = {"frame_index": frame_index[:, -1]}
        if self.picture.jpeg_quality is not None:
            extras["num_bytes"] = np.array([len(stored)], np.int32)
        extras |= {name: value[None] for name, value in tube.items()}
        return Encoded(stored[None], np.ones(1, bool), extras)


def _without_lost(extras: dict[str, np.ndarray], tracked: TrackedFrames) -> Ending:
    """Remove the quads of frames in which the athlete was lost: a loss is noticed some frames later."""
    lost = tracked.is_lost(extras["frame_index"])[:, None, None]
    quads = {name: np.where(lost, np.float32(np.nan), extras[name]) for name in QUADS}
    nobody = int(np.isnan(quads["quads"]).any(axis=(1, 2)).sum())
    counts = {**tracked.counts(), "num_steps_without_person": nobody}
    return Ending(extras | quads, counts, tuple(tracked.events))
