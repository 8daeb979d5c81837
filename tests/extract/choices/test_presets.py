"""`light` and `paper`: which networks and detector an extraction takes where no option names them."""

import pytest

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import WEIGHTS, missing_weights
from extract.choices.from_run import rebuild_streams
from extract.choices.networks import network_name
from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
from extract.choices.presets import LIGHT_INSTEAD, PRESETS
from extract.choices.streams import build_streams
from extract.streams import STREAMS, get_stream_kind

LIGHT, PAPER = StreamOptions(preset="light"), StreamOptions()
BOXES = AthleteOptions(detector="annotations")


def chosen(options: StreamOptions) -> dict[str, str]:
    return {name: network_name(kind, options) for name, kind in STREAMS.items()}


def test_the_presets_choose_networks_and_detector():
    assert PAPER.preset == "paper"
    assert chosen(PAPER) == {name: kind.default_backbone for name, kind in STREAMS.items()}
    assert chosen(LIGHT) == {
        "segments": "lite0-motion",
        "crops": "lite0",
        "frames": "lite0",
        "clips": "lite0-motion",
        "tubes": "i3d-tsa-net",  # its maps come from no image network
        "poses": "blazepose-full",
        "pixels": "",  # no network
    }
    assert (PAPER.detector, LIGHT.detector) == ("yolo", "blazepose")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_presets_networks_fit_its_streams(preset):
    for stream, name in PRESETS[preset].backbones.items():
        assert get_backbone(name).takes == get_stream_kind(stream).takes


def test_the_light_networks_came_with_the_installation():
    weights = {get_backbone(name).weights for name in PRESETS["light"].backbones.values()}
    assert weights == {"lite0"}
    assert WEIGHTS["lite0"].package is not None
    assert not missing_weights(weights)


def test_a_named_network_or_detector_comes_before_the_presets():
    networks = NetworkOptions(backbones={"": "resnet18", "segments": "i3d"})
    options = LIGHT.changed(networks=networks, athlete=AthleteOptions(detector="yolo:yolo11n"))
    assert [chosen(options)[stream] for stream in ("segments", "crops", "clips")] == [
        "i3d",
        "resnet18",
        "lite0-motion",
    ]
    assert options.detector == "yolo:yolo11n"


def test_the_specs_say_what_light_is_and_make_the_same_streams_again():
    segments, crops = build_streams(["segments", "crops"], LIGHT.changed(athlete=BOXES))
    network = {
        "weights": f"sha256:{WEIGHTS['lite0'].identity.digest}",
        "precision": "fp32",
        "dtype": "float32",
    }
    assert dict(segments.spec.facts) == network | {
        "rate_fps": 5.0,
        "frames_per_step": 8,
        "backbone": "lite0-motion",
        "preprocess": "efficientnet-lite-224",
    }
    assert dict(crops.spec.facts) == network | {
        "rate_fps": 1.0,
        "frames_per_step": 1,
        "detector": "annotations",
        "person": "largest",
        "backbone": "lite0",
        "preprocess": "efficientnet-lite-224-whole",  # a crop of an upright person would lose head and feet
    }
    specs = [segments.spec, crops.spec]
    assert [stream.spec for stream in rebuild_streams(specs, PAPER)] == specs


@pytest.mark.parametrize("framing", ["center", "whole"])
def test_the_framing_is_of_frames_and_never_of_crops(framing):
    options = LIGHT.changed(athlete=BOXES, inputs=InputOptions(framing=framing))
    frames, crops = build_streams(["frames", "crops"], options)
    suffix = "-whole" if framing == "whole" else ""
    assert frames.spec.facts["preprocess"] == f"efficientnet-lite-224{suffix}"
    assert crops.spec.facts["preprocess"] == "efficientnet-lite-224-whole"


@pytest.fixture
def no_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))


@pytest.mark.usefixtures("no_weights")
def test_where_weights_are_missing_the_light_preset_is_offered():
    for streams in (["segments"], ["segments", "crops", "frames"]):
        with pytest.raises(WeightsError) as refusal:
            build_streams(streams, PAPER)
        assert str(refusal.value).endswith(LIGHT_INSTEAD)
    assert "--preset light" in LIGHT_INSTEAD


NO_OFFER = {
    "of tubes": (["tubes"], PAPER),
    "of light itself": (["crops"], LIGHT.changed(athlete=AthleteOptions(detector="yolo"))),
    "of a named network": (["frames"], PAPER.changed(networks=NetworkOptions(backbones={"": "vit_b_16"}))),
}


@pytest.mark.usefixtures("no_weights")
@pytest.mark.parametrize(("streams", "options"), NO_OFFER.values(), ids=NO_OFFER)
def test_light_is_not_offered_where_it_would_not_help(streams, options):
    with pytest.raises(WeightsError) as refusal:
        build_streams(streams, options)
    assert LIGHT_INSTEAD not in str(refusal.value)
