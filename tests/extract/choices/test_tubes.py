"""From options to the stream `tubes`, and from a run's spec back to the very same stream."""

from types import SimpleNamespace

import click
import numpy as np
import pytest
from torch import nn

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.errors import AqaError, SpecMismatch, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.choices.from_run import rebuild_streams
from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.choices.usual import with_usual
from extract.commands.parse_options import check_streams_read, parse_box, parse_stream_options
from extract.detectors import AthleteRule
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import STREAMS, TubeSampling
from extract.trackers import FollowedPersons, Rules

TRACKER = SimpleNamespace(name="fast", identity="siammask:vot random:3", doubt_below=0.85)
PERSONS = SimpleNamespace(name="yolo", identity="yolo:yolo11n sha256:ab confidence>=0.25")


@pytest.fixture
def asked(monkeypatch) -> list[tuple[object, ...]]:
    """No network is built: what is tested is what the loaders are asked for."""
    calls: list[tuple[object, ...]] = []

    def load_backbone(name, *, weights, preprocess, device, precision, runtime):
        calls.append(("backbone", name, weights, preprocess))
        return LoadedBackbone(
            get_backbone(name), get_preprocess(preprocess), weights, device, precision, nn.Identity
        )

    def load_detector(spec, *, device):
        calls.append(("detector", spec))
        return PERSONS

    def load_tracker(spec, *, device, weights):
        calls.append(("tracker", spec, weights))
        return TRACKER

    for module in ("extract.choices.streams", "extract.choices.from_run"):
        monkeypatch.setattr(f"{module}.check_weights", list)  # as if all official weights were there
    monkeypatch.setattr("extract.choices.networks.load_backbone", load_backbone)
    monkeypatch.setattr("extract.choices.streams.load_detector", load_detector)
    monkeypatch.setattr("extract.trackers.choose.load_tracker", load_tracker)
    return calls


RANDOM = StreamOptions(
    networks=NetworkOptions(weights={"": "random:0"}), athlete=AthleteOptions(tracker="annotations")
)
OPEN = StreamOptions()


def athlete(**options: object) -> StreamOptions:
    """Options on the athlete alone: everything else is the run's."""
    return StreamOptions(athlete=AthleteOptions(**options))


def test_the_usual_tubes_are_the_papers(asked):
    (stream,) = build_streams(["tubes"], OPEN)
    assert asked == [
        ("tracker", "siammask", "official"),
        ("detector", "yolo"),
        ("backbone", "i3d-tsa-net", "official", "tsa-224"),
    ]
    assert isinstance(stream.source, FollowedPersons)
    assert (stream.endpoint, stream.dtype, stream.sampling) == ("Mixed_4e", "float16", TubeSampling())


def test_the_released_codes_maps_are_of_an_earlier_layer_and_other_pictures(asked):
    (stream,) = build_streams(["tubes"], RANDOM.changed(inputs=InputOptions(variant="released")))
    assert stream.endpoint == "MaxPool3d_4a_3x3"
    assert stream.backbone.preprocess.mean == (0.485, 0.456, 0.406)
    assert asked == [("backbone", "i3d-tsa-net", "random:0", "released-tsa-224")]  # quads need no detector


def test_crops_and_tubes_share_one_detector(asked):
    crops, tubes = build_streams(["crops", "tubes"], OPEN)
    assert [call for call in asked if call[0] == "detector"] == [("detector", "yolo")]
    assert crops.detector is tubes.source.detector
    assert (crops.dtype, tubes.dtype) == ("float32", "float16")


RULES = Rules("central", (1.0, 2.5, 30.0, 40.0), 0.7, 2.0, 0.5, 5)


@pytest.mark.parametrize(
    ("dtype", "inputs", "athlete"),
    [
        (None, InputOptions(), AthleteOptions(tracker="annotations")),
        (
            "float32",
            InputOptions(variant="released", last_frames=50, clip_stride=16, views="all"),
            AthleteOptions(tracker="annotations"),
        ),
        (
            None,
            InputOptions(views="reference"),
            AthleteOptions(tracker="siammask:vot", tracker_weights="random:3", rules=RULES),
        ),
        ("float16", InputOptions(), AthleteOptions(tracker="siammask:vot", tracker_weights="random:3")),
    ],
)
def test_specs_rebuild_the_same_tubes(asked, dtype, inputs, athlete):
    (stream,) = build_streams(["tubes"], RANDOM.changed(dtype=dtype, inputs=inputs, athlete=athlete))
    asked_first = [call if call[0] != "detector" else ("detector", "yolo:yolo11n") for call in asked]
    asked.clear()
    (again,) = rebuild_streams([stream.spec], OPEN)
    assert again.spec == stream.spec
    assert again.sampling == stream.sampling
    assert again.endpoint == stream.endpoint
    assert asked == asked_first


def test_a_tracker_whose_weights_were_a_file_must_be_given_again(asked, monkeypatch):
    monkeypatch.setattr(TRACKER, "identity", "nano backbone:sha256:01 neckhead:sha256:02")
    (stream,) = build_streams(
        ["tubes"], RANDOM.changed(athlete=AthleteOptions(tracker="nano", tracker_weights="my/nano"))
    )
    spec = stream.spec
    asked.clear()
    rebuild_streams([spec], athlete(tracker_weights="my/nano"))
    assert ("tracker", "nano", "my/nano") in asked
    monkeypatch.setattr(TRACKER, "identity", "nano backbone:sha256:03 neckhead:sha256:04")
    with pytest.raises(
        SpecMismatch, match=r"tracker: nano backbone:sha256:01 .*with --weights, --detector and"
    ):
        rebuild_streams([spec], OPEN)


def test_quads_of_a_file_are_known_by_their_bytes(asked, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text('{"a": [[0, 0, 9, 0, 9, 9, 0, 9]]}')
    from_json = AthleteOptions(tracker=f"annotations:{path}")
    (stream,) = build_streams(["tubes"], RANDOM.changed(athlete=from_json))
    maker = stream.source.for_video(Video("a", tmp_path), Footage(20, 20, 1, 0, 1, 25.0))
    assert maker.step(0, np.zeros((20, 20, 3), np.uint8)).quad.tolist() == [[0, 0], [9, 0], [9, 9], [0, 9]]
    (again,) = rebuild_streams([stream.spec], StreamOptions(athlete=from_json))
    assert again.spec == stream.spec
    with pytest.raises(SpecMismatch, match=r"tracker: annotations sha256:\w+ != annotations\."):
        rebuild_streams([stream.spec], OPEN)


def test_a_backbone_without_maps_is_refused_before_its_weights_are_asked_for(asked):
    networks = NetworkOptions(backbones={"tubes": "c3d"}, weights={"": "random:0"})
    with pytest.raises(AqaError, match=r"after Mixed_4e or MaxPool3d_4a_3x3.*c3d.*Choose i3d-tsa-net\."):
        build_streams(["tubes"], RANDOM.changed(networks=networks))
    with pytest.raises(UnknownName, match=r"unknown tracker 'nanno'\. Did you mean 'nano'"):
        build_streams(["tubes"], athlete(tracker="nanno"))


def test_its_network_is_the_whole_i3d_without_a_classifier():
    backbone = get_backbone(STREAMS["tubes"].default_backbone)
    assert backbone.checkpoint.unused == ("logits.",)
    assert backbone.cost.num_parameters == 12_697_264 - 400 * 1025 == 12_448_189 - 157 * 1025
    assert not [name for name, _ in backbone.build().named_parameters() if name.startswith("logits")]


Options = dict[str, object]


@pytest.mark.parametrize(
    ("dataset", "options", "sampling"),
    [
        ("folder", {}, TubeSampling(103, 10, "flip")),
        ("fr-fs", {}, TubeSampling(103, 16, "flip")),
        ("fr-fs", {"clip_stride": 8, "last_frames": 64, "views": "all"}, TubeSampling(64, 8, "all")),
    ],
)
def test_options_of_tubes(dataset, options: Options, sampling):
    chosen = with_usual(parse_stream_options(options), dataset)
    assert chosen.inputs.tube_sampling == sampling


def test_options_of_the_tracker():
    options: Options = {"tracker": "vit", "tracker_weights": "x", "start": "central", "init_box": "1,2,3,4.5"}
    chosen = parse_stream_options(options)
    box = (1.0, 2.0, 3.0, 4.5)
    assert chosen == athlete(tracker="vit", tracker_weights="x", start="central", init_box=box)
    assert chosen.athlete.tracking_rules == Rules("central", box)


def test_who_is_followed_may_be_chosen_for_a_new_video(asked):
    """The features are made in the same way; the record still tells who was pointed at."""
    rules = Rules("central", doubt_below=0.7)
    of_run = AthleteOptions(tracker="siammask:vot", tracker_weights="random:3", rules=rules)
    (stream,) = build_streams(["tubes"], RANDOM.changed(athlete=of_run))
    (again,) = rebuild_streams([stream.spec], athlete(init_box=(1.0, 2.0, 30.0, 40.0)))
    assert again.spec.differences(stream.spec) == ["init_box: 1,2,30,40 != None"]
    (largest,) = rebuild_streams([stream.spec], athlete(start="largest"))
    assert largest.spec.differences(stream.spec) == ["start: largest != central"]


def test_a_box_is_numbers():
    with pytest.raises(click.BadParameter, match="'1,x': expected 4 or 8 numbers with commas"):
        parse_box("1,x")
    with pytest.raises(AqaError, match="4 numbers x1,y1,x2,y2 or 8"):
        parse_stream_options({"init_box": "1,2,3"})


@pytest.mark.parametrize(
    ("name", "readers"),
    [("tracker", "tubes or pixels"), ("tracker_weights", "tubes or pixels"), ("clip_stride", "tubes")],
)
def test_options_of_tubes_are_not_ignored_by_other_streams(name, readers):
    options = parse_stream_options({name: 1 if name == "clip_stride" else "1"})
    check_streams_read(options, ["segments", "tubes"])
    with pytest.raises(
        click.UsageError, match=rf"--{name.replace('_', '-')}: for the stream {readers}, not for crops"
    ):
        check_streams_read(options, ["crops"])


@pytest.mark.parametrize(
    ("dataset", "options", "rule"),
    [
        ("folder", {}, AthleteRule("followed", "pointed")),
        ("folder", {"start": "largest"}, AthleteRule("followed")),
        ("mit-skating", {}, AthleteRule("largest")),
        ("synthetic", {}, AthleteRule("largest")),
        ("mit-skating", {"start": "central"}, AthleteRule("followed", "central")),
        ("folder", {"athlete": "largest"}, AthleteRule("largest")),
        ("folder", {"init_box": "1,2,30,40"}, AthleteRule("followed", init_box=(1.0, 2.0, 30.0, 40.0))),
    ],
)
def test_who_is_cropped_by_dataset(dataset, options: Options, rule):
    assert with_usual(parse_stream_options(options), dataset).athlete.crop_rule == rule


@pytest.mark.parametrize("values", [{"start": "largest"}, {"init_box": "1,2,30,40"}, {"athlete": "followed"}])
def test_naming_an_athlete_is_not_ignored_where_nobody_is_looked_for(values):
    options = parse_stream_options(values)
    check_streams_read(options, ["crops"])
    with pytest.raises(click.UsageError, match=r"for the stream .*crops( or poses( or pixels)?)?, not for"):
        check_streams_read(options, ["segments"])


def test_followed_crops_are_rebuilt_and_may_be_pointed_at_anew(asked):
    """The largest person's spec is the paper's and says nothing of a start."""
    of_run = AthleteOptions(person="followed", start="central")
    (crops,) = build_streams(["crops"], RANDOM.changed(athlete=of_run))
    (again,) = rebuild_streams([crops.spec], OPEN)
    assert again.spec == crops.spec
    (other,) = rebuild_streams([crops.spec], athlete(init_box=(1.0, 2.0, 30.0, 40.0)))
    assert other.spec.differences(crops.spec) == ["init_box: 1,2,30,40 != None"]
    (largest,) = build_streams(["crops"], RANDOM)
    assert largest.spec.facts["person"] == "largest"
    assert "start" not in largest.spec.facts
    assert not largest.spec.serves_for(crops.spec)
