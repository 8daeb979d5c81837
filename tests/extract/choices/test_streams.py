"""From options to streams, and from a run's specs back to the very same streams."""

import functools

import numpy as np
import pytest

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.errors import AqaError, SpecMismatch, UnknownName, WeightsError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from extract.choices.from_run import rebuild_streams
from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.clock import Clock
from extract.commands.parse_options import parse_by_stream
from extract.runtimes.load_backbone import load_backbone
from extract.streams import STREAMS, ClipSampling

NETS = "resnet18-imagenet-v1 resnet50-imagenet-v1"
I3DS = "i3d-kinetics-piergiaj i3d-kinetics-hassony2"
NANO = "nanotrack-v2-backbone nanotrack-v2-head"
RESNET = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
SMALL = StreamOptions(networks=RESNET, athlete=AthleteOptions(detector="annotations"))
OPEN = StreamOptions()  # what a run's specs leave to choose: everything


def test_options_are_by_stream_or_for_all():
    assert parse_by_stream([], option="--weights") == {}
    assert parse_by_stream(["resnet18", "segments=i3d"], option="--backbone") == {
        "": "resnet18",
        "segments": "i3d",
    }
    assert parse_by_stream(["/a=b/weights.pt"], option="--weights") == {"": "/a=b/weights.pt"}


def test_an_option_for_no_stream_or_given_twice_is_an_error():
    with pytest.raises(UnknownName, match=r"unknown stream 'segmens'. Did you mean 'segments'\?"):
        parse_by_stream(["segmens=i3d"], option="--backbone")
    with pytest.raises(AqaError, match="--weights is given twice for all streams: a and b"):
        parse_by_stream(["a", "b"], option="--weights")


def test_a_backbone_that_takes_something_else_is_an_error():
    with pytest.raises(AqaError, match="segments needs a backbone that takes a clip; resnet18 does not"):
        build_streams(
            ["segments"], StreamOptions(networks=RESNET.changed(backbones={"segments": "resnet18"}))
        )


def test_one_network_serves_both_image_streams():
    crops, frames = build_streams(["crops", "frames"], SMALL)
    assert crops.backbone is frames.backbone
    assert crops.spec.hash != frames.spec.hash


def test_a_spec_names_everything_that_makes_the_features():
    (crops,) = build_streams(["crops"], SMALL)
    assert dict(crops.spec.facts) == {
        "rate_fps": 1.0,
        "frames_per_step": 1,
        "detector": "annotations",
        "person": "largest",
        "backbone": "resnet18",
        "weights": "random:0",
        "preprocess": "squash-224",
        "precision": "fp32",
        "dtype": "float32",
    }


@pytest.mark.parametrize(
    "changes", [{}, {"dtype": "float16"}, {"networks": RESNET.changed(precision="bf16")}]
)
def test_specs_rebuild_the_same_streams(changes, request):
    options = SMALL.changed(**changes)
    if "networks" in changes:
        request.getfixturevalue("bf16")
    streams = build_streams(["crops", "frames"], options)
    specs = [stream.spec for stream in streams]
    again = rebuild_streams(specs, OPEN)
    assert [stream.spec for stream in again] == specs
    picture = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), np.uint8)
    np.testing.assert_array_equal(streams[1].backbone.features(picture), again[1].backbone.features(picture))


def test_other_weights_than_the_runs_are_refused():
    specs = [stream.spec for stream in build_streams(["frames"], SMALL)]
    with pytest.raises(SpecMismatch, match="weights: random:0 != random:7"):
        rebuild_streams(specs, StreamOptions(networks=NetworkOptions(weights={"": "random:7"})))


def test_a_detector_that_was_a_path_must_be_named():
    (crops,) = build_streams(["crops"], SMALL)
    spec = StreamSpec("crops", {**crops.spec.facts, "detector": "yolo:mine sha256:00 confidence>=0.25"})
    with pytest.raises(AqaError, match=r"made with the detector yolo:mine sha256:00.*--detector yolo:PATH"):
        rebuild_streams([spec], OPEN)


def test_crops_of_frames_without_a_person_are_left_out(tmp_path):
    (crops,) = build_streams(["crops"], SMALL)
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("frame_index,x1,y1,x2,y2\n0,10,5,30,40\n0,0,0,5,5\n2,1,1,20,20\n")
    encode = crops.encoder(
        Video("a", tmp_path / "a.mp4", boxes=boxes), Footage(64, 48, 3, 0, 3, 1.0), Clock()
    )
    frames = list(np.random.default_rng(0).integers(0, 255, (3, 48, 64, 3), np.uint8))
    encoded = encode(frames, np.array([[0], [1], [2]]))
    assert encoded.kept.tolist() == [True, False, True]
    assert encoded.extras["boxes"][:, :4].tolist() == [[10, 5, 30, 40], [1, 1, 20, 20]]
    assert encoded.extras["frame_index"].tolist() == [[0], [2]]
    crop = crops.backbone.preprocess.geometry(frames[0][5:40, 10:30])
    np.testing.assert_allclose(
        encoded.features[0], crops.backbone.features(np.stack([crop]))[0], rtol=1e-4, atol=1e-5
    )
    nobody = encode(frames[1:2], np.array([[1]]))
    assert nobody.features.shape == (0, 512)


CLIPS = StreamOptions(networks=RESNET.changed(backbones={"clips": "mc3_18"}))


@pytest.fixture
def one_load(monkeypatch):
    """Each network is loaded once for all tests: what is tested is what they are asked for."""
    monkeypatch.setattr("extract.choices.networks.load_backbone", load_once)


load_once = functools.cache(load_backbone)


@pytest.mark.usefixtures("one_load")
@pytest.mark.parametrize(
    ("span", "views", "dtype"),
    [
        ("last-96", "all", "float32"),
        ("whole", "reference", "float16"),
        ("middle", "reference", "float32"),
    ],
)
def test_specs_rebuild_the_same_clips(span, views, dtype):
    options = CLIPS.changed(inputs=InputOptions(span=span, views=views), dtype=dtype)
    (stream,) = build_streams(["clips"], options)
    assert stream.frames_per_clip == 16
    (again,) = rebuild_streams([stream.spec], OPEN)
    assert again.spec == stream.spec
    assert again.sampling == ClipSampling(span, views)


@pytest.mark.usefixtures("one_load")
def test_clips_cut_another_way_than_we_can_are_refused():
    (stream,) = build_streams(["clips"], CLIPS)
    spec = StreamSpec("clips", {**stream.spec.facts, "views": "end-0,end-9"})
    with pytest.raises(SpecMismatch, match="views: end-0,end-9 != end-0,end-1,end-2"):
        rebuild_streams([spec], OPEN)


def test_the_usual_backbone_of_clips_is_the_best_of_the_paper():
    backbone = get_backbone(STREAMS["clips"].default_backbone)
    assert (backbone.frames_per_clip, backbone.feature_size) == (32, 512)
    assert 96 % backbone.frames_per_clip == 0


def test_a_backbone_whose_clips_do_not_fill_the_frames_is_refused_before_its_weights_are_asked_for():
    networks = NetworkOptions(backbones={"": "x3d_s"}, weights={"": "no/such/weights.pt"})
    with pytest.raises(AqaError, match="x3d_s takes 13 frames, which do not divide 96"):
        build_streams(["clips"], StreamOptions(networks=networks))
    with pytest.raises(AqaError, match=r"no/such/weights\.pt"):
        build_streams(["clips"], StreamOptions(networks=networks, inputs=InputOptions(span="whole")))
    with pytest.raises(AqaError, match="clips needs a backbone that takes a clip; resnet18 does not"):
        build_streams(["clips"], StreamOptions(networks=networks.changed(backbones={"clips": "resnet18"})))


OWN_DETECTOR = StreamOptions(
    networks=NetworkOptions(backbones={"crops": "resnet18"}), athlete=AthleteOptions(detector="yolo:own.pt")
)


@pytest.mark.parametrize(
    ("names", "options", "missing"),
    [
        (("segments", "crops"), OPEN, "i3d-kinetics-hassony2 resnet50-imagenet-v1 yolov3u"),
        (("crops", "frames"), OWN_DETECTOR, NETS),
        (
            ("tubes",),
            StreamOptions(athlete=AthleteOptions(tracker="nano")),
            f"i3d-kinetics-piergiaj {NANO} yolov3u",
        ),
        (("tubes", "segments"), StreamOptions(athlete=AthleteOptions(tracker="annotations")), I3DS),
        (
            ("tubes", "frames"),
            StreamOptions(networks=NetworkOptions(weights={"tubes": "random:0"})),
            "siammask-davis yolov3u resnet50-imagenet-v1",
        ),
    ],
)
def test_all_missing_weights_are_named_at_once(names, options, missing, tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=f"`aqa weights fetch {missing}`"):
        build_streams(names, options)


def test_a_preview_asks_for_no_network_and_a_run_for_all(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="weights 'yolov3u' are not on this machine"):
        build_streams(["segments", "crops"], OPEN, with_networks=False)
    specs = [stream.spec for stream in build_streams(["frames", "crops"], SMALL)]
    sha = "sha256:" + 64 * "0"
    fetched = [StreamSpec(spec.stream, {**spec.facts, "weights": sha}) for spec in specs]
    wanted = "aqa weights fetch resnet18-imagenet-v1 yolo11n`"
    with pytest.raises(WeightsError, match=wanted):
        rebuild_streams(fetched, StreamOptions(athlete=AthleteOptions(detector="yolo:yolo11n")))
