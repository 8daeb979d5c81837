"""The stream `tubes` from pictures to the store, with a network that reads where the athlete is.

Frames show their number as the background's blue, and the athlete as a red box that moves. What the network
sees of the box must be where the stored quads are.
"""

import weakref
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms.functional import center_crop, pil_to_tensor

from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.athlete.tube_masks import PictureGeometry, paper_frame_masks, union_of_frames
from aqa_pipeline.backbones import Backbone, Cost, get_backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.errors import UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, Record, SpecValue, Video
from aqa_pipeline.store import Store
from aqa_pipeline.video import Timeline
from extract.clock import Clock
from extract.run.collector import Collector
from extract.run.extraction import Extraction
from extract.run.report import format_extract_report
from extract.run.stage import ExtractReport, extract
from extract.runtimes.load_backbone import LoadedBackbone, load_backbone
from extract.streams import TubeSampling
from extract.streams.tubes import Tubes
from extract.trackers import Step, TubeSource, load_tube_source
from extract.trackers.corners import box_quad

WIDTH, HEIGHT, FPS = 160, 90, 25.0
FOOTAGE = Footage(WIDTH, HEIGHT, 300, 0, 300, FPS)
ONE_PIXEL = 1.5  # of the picture: an edge is a slope there, for frames are enlarged 2.8 times


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


def bounds(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads.min(axis=-2), quads.max(axis=-2)], axis=-1)


@pytest.mark.parametrize("views", ["reference", "flip", "all"])
def test_quads_are_where_the_network_sees_the_athlete_in_every_view(tmp_path, athlete_video, views):
    num_frames = 112
    record = record_of(tmp_path / "s", athlete_video("a", num_frames), stream_of(views))
    chosen = TubeSampling(views=views).chosen_views
    seen = record.features[..., 0, 0]  # (clip, view, 5, 16)
    assert seen.shape == (10, len(chosen), 5, 16)
    for clip, start in enumerate([0, 10, 20, 30, 40, 50, 60, 70, 80, 87]):
        for at, view in enumerate(chosen):
            numbers = num_frames - 103 + start - view.end_offset + np.arange(16)
            np.testing.assert_array_equal(seen[clip, at, 0], numbers)
            in_frame = np.array([athlete(number) for number in numbers])
            np.testing.assert_array_equal(bounds(record.extras["frame_quads"][clip, at]), in_frame)
    in_crop = np.moveaxis(seen[:, :, 1:], 2, -1)
    np.testing.assert_allclose(bounds(record.extras["quads"]), in_crop, atol=ONE_PIXEL)
    np.testing.assert_array_equal(record.extras["frame_index"], seen[:, 0, 0])
    assert record.extras["present"].all()
    assert (record.extras["scores"] == 1).all()
    assert record.extras["frame_size"].tolist() == [[WIDTH, HEIGHT]] * 10


def test_masks_of_the_record_are_those_of_the_frames_quads(tmp_path, athlete_video):
    record = record_of(tmp_path / "s", athlete_video("a", 103), stream_of())
    geometry = PictureGeometry((WIDTH, HEIGHT))
    of_crop = union_of_frames(paper_frame_masks(record.extras["quads"]))
    for view, flipped in enumerate((False, True)):
        in_picture = geometry.in_picture(record.extras["frame_quads"][:, view], flipped=flipped)
        np.testing.assert_array_equal(of_crop[:, view], union_of_frames(paper_frame_masks(in_picture)))
    assert of_crop.any(axis=(-2, -1)).all()


def test_seven_clips_for_fr_fs(tmp_path, athlete_video):
    record = record_of(tmp_path / "s", athlete_video("a", 103), stream_of("reference", stride=16))
    assert record.features[:, 0, 0, 0, 0, 0].tolist() == [0, 16, 32, 48, 64, 80, 87]


@pytest.mark.parametrize("num_frames", [1, 13, 30])
def test_a_short_video(tmp_path, athlete_video, num_frames):
    record = record_of(tmp_path / "s", athlete_video("a", num_frames), stream_of("all"))
    in_crop = np.moveaxis(record.features[:, :, 1:, :, 0, 0], 2, -1)
    np.testing.assert_allclose(bounds(record.extras["quads"]), in_crop, atol=ONE_PIXEL)
    assert record.counts["num_tracked_frames"] == num_frames
    assert len(record.features) == (1 if num_frames < 17 else 3)


def test_a_performance_cut_out_of_a_longer_file_has_its_own_boxes(tmp_path, athlete_video):
    video = athlete_video("a", 60, start_frame=20, stop_frame=50)
    record = record_of(tmp_path / "s", video, stream_of("reference"))
    assert record.features[:, 0, 0, 0, 0, 0].tolist() == [20, 30, 34]
    assert bounds(record.extras["frame_quads"])[0, 0, 0].tolist() == list(athlete(20))


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


@pytest.mark.parametrize(("views", "first"), [("flip", 7), ("all", 1)])
def test_the_tracker_sees_every_frame_once_and_in_order_and_its_events_are_counted(
    tmp_path, athlete_video, views, first
):
    script = {first: "started", 30: "lost", 31: "restarted", 60: "lost", 64: "restarted", 109: "lost"}
    source = Scripted(script, absent=range(60, 64))
    record = record_of(tmp_path / "s", athlete_video("a", 110), stream_of(views, source=source))
    assert source.seen == list(range(first, 110))
    assert record.counts == {
        "num_steps": 10,
        "num_steps_without_person": 0,
        "num_repeated_frames": 0,
        "num_tracked_frames": 110 - first,
        "num_frames_without_athlete": 6,
        "num_times_lost": 3,
        "num_times_restarted": 2,
    }
    np.testing.assert_allclose(record.extras["scores"][0, 0], np.arange(7, 23) / 1000)
    hidden = np.isin(record.extras["frame_index"], [30, *range(60, 64), 109])
    np.testing.assert_array_equal(record.extras["present"][:, 0], ~hidden)
    np.testing.assert_array_equal(np.isnan(record.extras["quads"][:, 0]).all(axis=(-2, -1)), hidden)


@pytest.mark.parametrize("views", ["reference", "all"])
def test_a_loss_that_is_noticed_late_is_taken_back_from_its_first_frame_on(tmp_path, athlete_video, views):
    """Noticed in frame 72, 12 frames late: clips that were encoded before have lost their quads too."""
    source = Scripted({72: "lost", 92: "restarted"}, late=12)
    record = record_of(tmp_path / "s", athlete_video("a", 110), stream_of(views, source=source))
    assert [(event.frame_index, event.kind) for event in record.events] == [(60, "lost"), (80, "restarted")]
    for at, view in enumerate(TubeSampling(views=views).chosen_views):
        seen = record.extras["frame_index"] - view.end_offset
        gone = (seen >= 60) & (seen < 80)
        np.testing.assert_array_equal(record.extras["present"][:, at], ~gone)
        for name in ("quads", "frame_quads"):
            np.testing.assert_array_equal(np.isnan(record.extras[name][:, at]).all(axis=(-2, -1)), gone)
    assert record.counts["num_frames_without_athlete"] == 20
    assert describe_tracking(
        record
    ) == f"followed in {90 - num_before(views)} of {110 - num_before(views)} frames, " + (
        "lost at 2.4 s, found again by the detector at 3.2 s"
    )


def num_before(views: str) -> int:
    """Frames before those that the views see."""
    return 110 - 103 - max(view.end_offset for view in TubeSampling(views=views).chosen_views)


def test_a_repeated_first_frame_is_tracked_once(tmp_path, athlete_video):
    source = Scripted({})
    record_of(tmp_path / "s", athlete_video("a", 13), stream_of("all", source=source))
    assert source.seen == list(range(13))


def test_an_athlete_who_is_never_found_leaves_the_maps_and_is_counted(tmp_path, athlete_video):
    video = athlete_video("a", 103, hidden=range(1, 103))
    record = record_of(tmp_path / "s", video, stream_of())
    assert record.features.shape[:2] == (10, 2)
    assert record.counts["num_steps_without_person"] == 9
    assert record.counts["num_frames_without_athlete"] == 102
    masks = union_of_frames(paper_frame_masks(record.extras["quads"]))
    assert (~masks.any(axis=(-2, -1))).sum() == 2 * (10 * 4 - 1)
    assert not masks[1:].any()


def test_what_is_there_is_not_made_again_and_a_video_without_boxes_does_not_stop_the_rest(
    tmp_path, athlete_video
):
    videos = [athlete_video("a", 20), athlete_video("b", 20)]
    boxless = Video("c", videos[0].path, fps=FPS)
    run(tmp_path / "s", videos[:1], stream_of())
    _, report = run(tmp_path / "s", [boxless, *videos], stream_of())
    assert [row.video_id for row in report.written] == ["b"]
    assert report.num_already_there == 1
    assert [failure.video_id for failure in report.failures] == ["c"]
    assert "'c' came without boxes: use a tracker" in report.failures[0].reason
    _, report = run(tmp_path / "s", videos, stream_of("reference"))
    assert [row.video_id for row in report.written] == ["a", "b"]


def test_a_run_that_broke_off_in_the_middle_goes_on_to_the_same_bytes(tmp_path, athlete_video):
    class Fails(SeesTheAthlete):
        def forward_to(self, endpoint: str, clips: Tensor) -> Tensor:
            if len(self.batches) == 4:
                raise RuntimeError("the machine lost its power")
            return super().forward_to(endpoint, clips)

    video = athlete_video("a", 110)
    store, report = run(tmp_path / "s", [video], stream_of(network=Fails()))
    assert [failure.reason for failure in report.failures] == ["RuntimeError: the machine lost its power"]
    assert not store.has("toy", "a", stream_of().spec)
    again, _ = run(tmp_path / "s", [video], stream_of())
    whole, _ = run(tmp_path / "other", [video], stream_of())
    paths = [each.path("toy", "a", stream_of().spec) for each in (again, whole)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(("clips_per_call", "calls"), [(1, [1] * 14), (5, [5, 5, 4]), (16, [14])])
def test_the_network_sees_no_more_clips_at_once_than_asked(tmp_path, athlete_video, clips_per_call, calls):
    network = SeesTheAthlete()
    stream = stream_of("all", clips_per_call=clips_per_call, network=network)
    record_of(tmp_path / "s", athlete_video("a", 16), stream)
    assert network.batches == calls


def test_whole_frames_in_memory_are_those_of_one_clip(tmp_path):
    gone, held = [], []
    source = Scripted({})
    stream = stream_of("all", source=source)
    steps = stream.intake.plan(Timeline(np.arange(300), Fraction(1, 25), 300))
    collector = Collector(stream, Video("a", tmp_path), FOOTAGE, steps, Clock())
    for pushed, index in enumerate(np.unique(steps.frame_index).tolist(), start=1):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        weakref.finalize(frame, gone.append, index)
        collector.push(index, frame)
        del frame
        held.append(pushed - len(gone))
    assert max(held) <= 22
    assert source.seen == list(range(300 - 109, 300))


def test_the_spec_says_how_clips_tubes_and_maps_were_made():
    assert dict(stream_of("reference", stride=16, dtype="float16").spec.facts) == {
        "num_frames": 103,
        "stride": 16,
        "frames_per_step": 16,
        "views": "end-0",
        "tracker": "annotations",
        "endpoint": "Mixed_4e",
        "backbone": "eyes",
        "weights": "random:0",
        "preprocess": "tsa-224",
        "precision": "fp32",
        "dtype": "float16",
    }
    assert stream_of().spec.views == ("end-0", "end-0-flip")


@pytest.fixture(scope="module")
def i3d() -> LoadedBackbone:
    return load_backbone("i3d-tsa-net", weights="random:0", device="cpu", precision="fp32")


@pytest.mark.parametrize("endpoint", ["Mixed_4e", "MaxPool3d_4a_3x3"])
def test_maps_are_the_networks_on_the_clip_as_torchvision_would_cut_it(
    tmp_path, athlete_video, i3d, endpoint
):
    stream = Tubes(TubeSampling(views="flip"), endpoint, annotations(), i3d, 2, "float16")
    record = record_of(tmp_path / "s", athlete_video("a", 16), stream)
    frames = [Image.fromarray(paint(n)).resize((455, 256), Image.Resampling.BILINEAR) for n in range(16)]
    clip = torch.stack([center_crop(pil_to_tensor(frame), [224, 224]) for frame in frames], dim=1)
    with torch.inference_mode():
        both = torch.stack([clip, clip.flip(-1)]) / 127.5 - 1
        expected = i3d.network.forward_to(endpoint, both).numpy()
    assert record.features.shape == (1, 2, *get_backbone("i3d-tsa-net").map_shapes[endpoint])
    assert record.features.dtype == np.float16
    np.testing.assert_allclose(record.features[0], expected, rtol=2e-3, atol=2e-3 * expected.std())


def test_an_endpoint_out_of_reach_is_an_error(i3d):
    with pytest.raises(UnknownName, match="endpoint of i3d-tsa-net 'Mixed_5c'"):
        i3d.maps(np.zeros((1, 16, 224, 224, 3), np.uint8), endpoint="Mixed_5c")


def test_the_report_tells_the_size_of_a_record(tmp_path, athlete_video, i3d):
    stream = Tubes(TubeSampling(), "Mixed_4e", annotations(), i3d, 2, "float16")
    store, report = run(tmp_path / "s", [athlete_video("a", 16)], stream)
    of_maps = 2 * 528 * 4 * 14 * 14 * 2
    size = store.path("toy", "a", stream.spec).stat().st_size
    assert [row.num_bytes for row in report.written] == [size]
    assert of_maps < size < of_maps + 50_000
    text = format_extract_report(report)
    assert "MB per video" in text
    assert f"{size / 1e6:.2f}" in text
    assert "tracking" in text
