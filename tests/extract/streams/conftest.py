"""Videos whose every frame says its number, and a network that reads it: a feature names the frame it saw."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from aqa_pipeline.backbones import Backbone, Cost
from aqa_pipeline.backbones.frame_to_square import SquashAndCrop
from aqa_pipeline.backbones.preprocess import Preprocess
from aqa_pipeline.backbones.resizing import bilinear_center
from aqa_pipeline.records import Record, Video
from extract.clock import Clock
from extract.decoding.decode import Job, Opened, PreparedFrame, decode
from extract.run.collector import Collector
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import ClipSampling, Stream
from extract.streams.clips import Clips

FPS = 25.0
RIGHT = 1000  # what the right half of a frame shows more than the left one


def paint(number: int) -> Image.Image:
    """8x6 pixels: the number in the left half, the number + RIGHT in the right one (red tells the 250s)."""
    picture = np.zeros((6, 8, 3), np.uint8)
    for half, value in ((slice(None, 4), number), (slice(4, None), number + RIGHT)):
        picture[:, half, :2] = divmod(value, 250)
    return Image.fromarray(picture)


def read_numbers(clips: Tensor) -> Tensor:
    """Clips (B, 3, T, H, W) of pixels -> the T numbers on the left, then the T numbers on the right."""
    values = 250 * clips[:, 0, :, 0] + clips[:, 1, :, 0]  # (B, T, W) of the first row
    return torch.cat([values[:, :, 0], values[:, :, -1]], dim=1)


CROP = SquashAndCrop(8, 6, 4, bilinear_center)  # resizes nothing: rows 1 to 4, columns 2 to 5
PIXELS = Preprocess("pixels", 4, CROP, (0, 0, 0), (1 / 255,) * 3, "")


class Calling(torch.nn.Module):
    """A function as a network."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, pictures: Tensor) -> Tensor:
        return self.function(pictures)


@pytest.fixture
def numbered_video(tmp_path: Path) -> Callable[..., Video]:
    """Make a video of `num_frames` pictures at 25 fps; picture i shows the number i."""

    def make(video_id: str, num_frames: int, **facts: object) -> Video:
        folder = tmp_path / "videos" / video_id
        folder.mkdir(parents=True)
        for number in range(num_frames):
            paint(number).save(folder / f"{number:04d}.png")
        return Video(video_id=video_id, path=folder, fps=FPS, **facts)

    return make


@pytest.fixture
def clips_stream() -> Callable[..., Clips]:
    """Make a stream of clips of `frames` frames; `network` makes (B, `feature_size`) of the pixels."""

    def make(
        frames: int = 32,
        *,
        span: str = "last-96",
        views: str = "all",
        clips_per_call: int = 5,
        dtype: str = "float32",
        network: Callable[[Tensor], Tensor] = read_numbers,
        feature_size: int | None = None,
    ) -> Clips:
        backbone = Backbone(
            name="numbers",
            feature_size=feature_size or 2 * frames,
            frames_per_clip=frames,
            weights="none",
            build=torch.nn.Identity,
            preprocess={"paper": "pixels", "released": "pixels"},
            source="",
            cost=Cost(gflops=0, num_parameters=0),
        )
        loaded = LoadedBackbone(backbone, PIXELS, "random:0", "cpu", "fp32", lambda: Calling(network))
        return Clips(ClipSampling(span, views), loaded, clips_per_call, dtype)

    return make


@pytest.fixture(scope="session")
def record_here() -> Callable[[Video, Stream], Record]:
    """Return a function that makes a record in this process: a decoding process takes seconds to start."""

    def make(video: Video, stream: Stream) -> Record:
        opened, *frames = decode(Job(video, (stream.intake,), "auto"))
        assert isinstance(opened, Opened)
        collector = Collector(stream, video, opened.footage, opened.steps[0], Clock())
        for frame in frames:
            assert isinstance(frame, PreparedFrame)
            collector.push(frame.frame_index, frame.prepared[0])
        return collector.record("toy", source=opened.source, picture={})

    return make
