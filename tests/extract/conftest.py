"""Small videos as folders of pictures, and a stream whose features can be worked out by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.streams import Encoded, Encoder, Intake, plan_steps

FPS = 10.0
MEAN = partial(np.mean, keepdims=True, dtype=np.float32)  # goes to the decoding processes


@dataclass(frozen=True)
class Brightness:
    """Mean brightness of each frame of a step; steps whose first frame is odd have "no person"."""

    name: str = "brightness"
    rate_fps: float = 5.0
    frames_per_step: int = 2
    batch_size: int = 3
    drop_odd: bool = False
    dtype: str = "float32"
    prepare: Callable[[np.ndarray], np.ndarray] = MEAN

    @property
    def spec(self) -> StreamSpec:
        return StreamSpec(self.name, {"rate_fps": self.rate_fps, "frames_per_step": self.frames_per_step})

    @property
    def intake(self) -> Intake:
        plan = partial(plan_steps, rate_fps=self.rate_fps, frames_per_step=self.frames_per_step)
        return Intake(plan, self.prepare)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        def encode(frames: list[np.ndarray], frame_index: np.ndarray) -> Encoded:
            assert len(frame_index) <= self.batch_size
            features = np.array([frame.item() for frame in frames], np.float32).reshape(frame_index.shape)
            kept = frame_index[:, 0] % 2 == 0 if self.drop_odd else np.ones(len(frame_index), bool)
            with clock.phase("network"):
                return Encoded(features[kept], kept, {"frame_index": frame_index[kept]})

        return Encoder(encode)


@pytest.fixture
def picture_video(tmp_path: Path) -> Callable[..., Video]:
    """Make a video of `num_frames` pictures at 10 fps, picture i of brightness i."""

    def make(video_id: str, num_frames: int = 40, **facts: object) -> Video:
        folder = tmp_path / "videos" / video_id
        folder.mkdir(parents=True)
        for index in range(num_frames):
            Image.new("RGB", (8, 6), (index, index, index)).save(folder / f"{index:04d}.png")
        return Video(video_id=video_id, path=folder, fps=FPS, **facts)

    return make


@pytest.fixture
def brightness() -> type[Brightness]:
    return Brightness
