"""Videos of an athlete, and a network that reads where the athlete is.

Frames show their number as the background's blue, and the athlete as a red box that moves. What the network
sees of the box must be where the stored quads are.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from aqa_pipeline.backbones import Backbone, Cost
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, Record, SpecValue, Video
from aqa_pipeline.store import Store
from extract.run.extraction import Extraction
from extract.run.stage import ExtractReport, extract
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import TubeSampling
from extract.streams.tubes import Tubes
from extract.trackers import Step, TubeSource, load_tube_source
from extract.trackers.corners import box_quad

WIDTH, HEIGHT, FPS = 160, 90, 25.0


def athlete(number: int) -> tuple[int, int, int, int]:
    """x1 y1 x2 y2 of the athlete in frame `number`."""
    x, y = 50 + number // 4, 20 + number // 5
    return x, y, x + 20, y + 30


def paint(number: int) -> np.ndarray:
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:, :, 2] = number
    x1, y1, x2, y2 = athlete(number)
    frame[y1:y2, x1:x2, 0] = 255
    return frame


@pytest.fixture
def athlete_video(tmp_path) -> Callable[..., Video]:
    """Make a video of `num_frames` frames with the athlete's boxes, `hidden` frames without one."""

    def make(video_id: str, num_frames: int, *, hidden: range = range(0), **facts: object) -> Video:
        folder = tmp_path / "videos" / video_id
        folder.mkdir(parents=True)
        rows = ["frame_index,x1,y1,x2,y2"]
        for number in range(num_frames):
            Image.fromarray(paint(number)).save(folder / f"{number:04d}.png")
            if number not in hidden:
                rows.append(",".join(map(str, (number, *athlete(number)))))
        boxes = tmp_path / f"{video_id}.csv"
        boxes.write_text("\n".join(rows))
        return Video(video_id, folder, fps=FPS, boxes=boxes, **facts)

    return make


class SeesTheAthlete(nn.Module):
    """Maps (B, 5, 16, 1, 1): each frame's number, and x1 y1 x2 y2 of the red box in the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def __deepcopy__(self, memo):
        return self  # a runtime works on a copy, whose calls would count elsewhere

    def forward_to(self, endpoint: str, clips: Tensor) -> Tensor:
        assert endpoint == "Mixed_4e"
        self.batches.append(len(clips))
        pixels = (clips + 1) * 127.5
        red = pixels[:, 0] > 127.5  # (B, T, H, W)
        columns, rows = red.any(dim=2).float(), red.any(dim=3).float()
        edges = [columns.argmax(-1), rows.argmax(-1)]
        edges += [224 - columns.flip(-1).argmax(-1), 224 - rows.flip(-1).argmax(-1)]
        number = pixels[:, 2, :, 0, 0].round()
        return torch.stack([number, *edges], dim=1)[..., None, None]


def annotations() -> TubeSource:
    return load_tube_source("annotations", detector=no_detector, device="cpu")


def no_detector():
    raise AssertionError("annotations need no detector")


def stream_of(
    views: str = "flip",
    *,
    stride: int = 10,
    source: TubeSource | None = None,
    clips_per_call: int = 4,
    dtype: str = "float32",
    network: nn.Module | None = None,
) -> Tubes:
    backbone = Backbone(
        name="eyes",
        feature_size=5,
        frames_per_clip=16,
        weights="none",
        build=nn.Identity,
        preprocess={"paper": "tsa-224", "released": "released-tsa-224"},
        source="",
        cost=Cost(gflops=0, num_parameters=0),
        map_shapes={"Mixed_4e": (5, 16, 1, 1)},
    )
    sees = network or SeesTheAthlete()
    eyes = LoadedBackbone(backbone, get_preprocess("tsa-224"), "random:0", "cpu", "fp32", lambda: sees)
    sampling = TubeSampling(stride=stride, views=views)
    return Tubes(sampling, "Mixed_4e", source or annotations(), eyes, clips_per_call, dtype)


def run(folder: Path, videos: list[Video], stream: Tubes) -> tuple[Store, ExtractReport]:
    store = Store(folder)
    return store, extract(Extraction("toy", store, [stream]), videos, progress=lambda **_: None)


def record_of(folder: Path, video: Video, stream: Tubes) -> Record:
    store, report = run(folder, [video], stream)
    assert not report.failures
    return store.read("toy", video.video_id, stream.spec)


class Scripted:
    """A tube source that notes which frames it was given; its events come when its script says so."""

    name = "scripted"

    def __init__(self, events: dict[int, str], absent: range = range(0), late: int = 0) -> None:
        self.facts: dict[str, SpecValue] = {"tracker": "scripted 1"}
        self.script, self.absent, self.late = events, absent, late
        self.seen: list[int] = []
        self.events: list[Event] = []

    def for_video(self, video: Video, footage: Footage) -> "Scripted":
        return self

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        assert frame.shape == (HEIGHT, WIDTH, 3)  # every pixel
        self.seen.append(frame_index)
        if frame_index in self.script:
            self.events.append(Event(frame_index - self.late, self.script[frame_index]))
        if frame_index in self.absent:
            return Step(np.full((4, 2), np.nan, np.float32), 0.0)
        return Step(box_quad(np.array(athlete(frame_index))), frame_index / 1000)


def bounds(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads.min(axis=-2), quads.max(axis=-2)], axis=-1)


@pytest.fixture(scope="session", name="athlete")
def _athlete() -> Callable[[int], tuple[int, int, int, int]]:
    """Return the function `athlete`."""
    return athlete


@pytest.fixture(scope="session", name="paint")
def _paint() -> Callable[[int], np.ndarray]:
    """Return the function `paint`."""
    return paint


@pytest.fixture(scope="session")
def athlete_network() -> type[SeesTheAthlete]:
    """Return the class `SeesTheAthlete`."""
    return SeesTheAthlete


@pytest.fixture(scope="session")
def annotated_boxes() -> TubeSource:
    """Return the source of tubes that reads the boxes of the dataset."""
    return annotations()


@pytest.fixture(scope="session")
def tubes_stream() -> Callable[..., Tubes]:
    """Return the function `stream_of`."""
    return stream_of


@pytest.fixture(scope="session")
def extract_tubes() -> Callable[[Path, list[Video], Tubes], tuple[Store, ExtractReport]]:
    """Return the function `run`."""
    return run


@pytest.fixture(scope="session")
def tubes_record() -> Callable[[Path, Video, Tubes], Record]:
    """Return the function `record_of`."""
    return record_of


@pytest.fixture(scope="session")
def scripted_source() -> type[Scripted]:
    """Return the class `Scripted`."""
    return Scripted


@pytest.fixture(scope="session", name="bounds")
def _bounds() -> Callable[[np.ndarray], np.ndarray]:
    """Return the function `bounds`."""
    return bounds
