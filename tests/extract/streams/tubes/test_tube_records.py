"""Records of `tubes`: made once, made again after a break, by the real network, and reported."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import center_crop, pil_to_tensor

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.errors import UnknownName
from aqa_pipeline.records import Video
from extract.run.report import format_extract_report
from extract.runtimes.load_backbone import LoadedBackbone, load_backbone
from extract.streams import TubeSampling
from extract.streams.tubes import Tubes

WIDTH, HEIGHT, FPS = 160, 90, 25.0


@pytest.fixture(scope="module")
def i3d() -> LoadedBackbone:
    return load_backbone("i3d-tsa-net", weights="random:0", device="cpu", precision="fp32")


def test_what_is_there_is_not_made_again_and_a_video_without_boxes_does_not_stop_the_rest(
    tmp_path, athlete_video, extract_tubes, tubes_stream
):
    videos = [athlete_video("a", 20), athlete_video("b", 20)]
    boxless = Video("c", videos[0].path, fps=FPS)
    extract_tubes(tmp_path / "s", videos[:1], tubes_stream())
    _, report = extract_tubes(tmp_path / "s", [boxless, *videos], tubes_stream())
    assert [row.video_id for row in report.written] == ["b"]
    assert report.num_already_there == 1
    assert [failure.video_id for failure in report.failures] == ["c"]
    assert "'c' came without boxes: use a tracker" in report.failures[0].reason
    _, report = extract_tubes(tmp_path / "s", videos, tubes_stream("reference"))
    assert [row.video_id for row in report.written] == ["a", "b"]


def test_a_run_that_broke_off_in_the_middle_goes_on_to_the_same_bytes(
    tmp_path, athlete_video, athlete_network, extract_tubes, tubes_stream
):
    class Fails(athlete_network):
        def forward_to(self, endpoint: str, clips: Tensor) -> Tensor:
            if len(self.batches) == 4:
                raise RuntimeError("the machine lost its power")
            return super().forward_to(endpoint, clips)

    video = athlete_video("a", 110)
    store, report = extract_tubes(tmp_path / "s", [video], tubes_stream(network=Fails()))
    assert [failure.reason for failure in report.failures] == ["RuntimeError: the machine lost its power"]
    assert not store.has("toy", "a", tubes_stream().spec)
    again, _ = extract_tubes(tmp_path / "s", [video], tubes_stream())
    whole, _ = extract_tubes(tmp_path / "other", [video], tubes_stream())
    paths = [each.path("toy", "a", tubes_stream().spec) for each in (again, whole)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(("clips_per_call", "calls"), [(1, [1] * 14), (5, [5, 5, 4]), (16, [14])])
def test_the_network_sees_no_more_clips_at_once_than_asked(
    tmp_path, athlete_video, clips_per_call, calls, athlete_network, tubes_stream, tubes_record
):
    network = athlete_network()
    stream = tubes_stream("all", clips_per_call=clips_per_call, network=network)
    tubes_record(tmp_path / "s", athlete_video("a", 16), stream)
    assert network.batches == calls


def test_the_spec_says_how_clips_tubes_and_maps_were_made(tubes_stream):
    assert dict(tubes_stream("reference", stride=16, dtype="float16").spec.facts) == {
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
    assert tubes_stream().spec.views == ("end-0", "end-0-flip")


@pytest.mark.parametrize("endpoint", ["Mixed_4e", "MaxPool3d_4a_3x3"])
def test_maps_are_the_networks_on_the_clip_as_torchvision_would_cut_it(
    tmp_path, athlete_video, i3d, endpoint, tubes_record, annotated_boxes, paint
):
    stream = Tubes(TubeSampling(views="flip"), endpoint, annotated_boxes, i3d, 2, "float16")
    record = tubes_record(tmp_path / "s", athlete_video("a", 16), stream)
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


def test_the_report_tells_the_size_of_a_record(tmp_path, athlete_video, i3d, extract_tubes, annotated_boxes):
    stream = Tubes(TubeSampling(), "Mixed_4e", annotated_boxes, i3d, 2, "float16")
    store, report = extract_tubes(tmp_path / "s", [athlete_video("a", 16)], stream)
    of_maps = 2 * 528 * 4 * 14 * 14 * 2
    size = store.path("toy", "a", stream.spec).stat().st_size
    assert [row.num_bytes for row in report.written] == [size]
    assert of_maps < size < of_maps + 50_000
    text = format_extract_report(report)
    assert "MB per video" in text
    assert f"{size / 1e6:.2f}" in text
    assert "tracking" in text
