"""From options to the stream `tubes`, and from a run's spec back to the very same stream."""

import dataclasses
from collections.abc import Callable
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
from extract.choices.streams import Choices, build_streams
from extract.choices.tubes import TubeChoices
from extract.commands.tube_options import athlete_rule_of, check_tube_options, parse_box, tube_choices_of
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
    monkeypatch.setattr("extract.choices.streams.load_backbone", load_backbone)
    monkeypatch.setattr("extract.choices.streams.load_detector", load_detector)
    monkeypatch.setattr("extract.trackers.choose.load_tracker", load_tracker)
    return calls


RANDOM = Choices(weights={"": "random:0"}, tubes=TubeChoices(tracker="annotations"))


def test_the_usual_tubes_are_the_papers(asked):
    (stream,) = build_streams(["tubes"], Choices())
    assert asked == [
        ("tracker", "siammask", "official"),
        ("detector", "yolo"),
        ("backbone", "i3d-tsa-net", "official", "tsa-224"),
    ]
    assert isinstance(stream.source, FollowedPersons)
    assert (stream.endpoint, stream.dtype, stream.sampling) == ("Mixed_4e", "float16", TubeSampling())


def test_the_released_codes_maps_are_of_an_earlier_layer_and_other_pictures(asked):
    (stream,) = build_streams(["tubes"], dataclasses.replace(RANDOM, variant="released"))
    assert stream.endpoint == "MaxPool3d_4a_3x3"
    assert stream.backbone.preprocess.mean == (0.485, 0.456, 0.406)
    assert asked == [("backbone", "i3d-tsa-net", "random:0", "released-tsa-224")]  # quads need no detector


def test_crops_and_tubes_share_one_detector(asked):
    crops, tubes = build_streams(["crops", "tubes"], Choices())
    assert [call for call in asked if call[0] == "detector"] == [("detector", "yolo")]
    assert crops.detector is tubes.source.detector
    assert (crops.dtype, tubes.dtype) == ("float32", "float16")


RULES = Rules("central", (1.0, 2.5, 30.0, 40.0), 0.7, 2.0, 0.5, 5)


@pytest.mark.parametrize(
    ("variant", "dtype", "tubes"),
    [
        ("paper", None, TubeChoices(tracker="annotations")),
        ("released", "float32", TubeChoices(TubeSampling(50, 16, "all"), "annotations")),
        ("paper", None, TubeChoices(TubeSampling(views="reference"), "siammask:vot", "random:3", RULES)),
        ("paper", "float16", TubeChoices(tracker="siammask:vot", weights="random:3")),
    ],
)
def test_specs_rebuild_the_same_tubes(asked, variant, dtype, tubes):
    (stream,) = build_streams(
        ["tubes"], dataclasses.replace(RANDOM, variant=variant, dtype=dtype, tubes=tubes)
    )
    asked_first = [call if call[0] != "detector" else ("detector", "yolo:yolo11n") for call in asked]
    asked.clear()
    (again,) = rebuild_streams([stream.spec], Choices(detector=""))
    assert again.spec == stream.spec
    assert again.sampling == stream.sampling
    assert again.endpoint == stream.endpoint
    assert asked == asked_first


def test_a_tracker_whose_weights_were_a_file_must_be_given_again(asked, monkeypatch):
    monkeypatch.setattr(TRACKER, "identity", "nano backbone:sha256:01 neckhead:sha256:02")
    (stream,) = build_streams(
        ["tubes"], dataclasses.replace(RANDOM, tubes=TubeChoices(tracker="nano", weights="my/nano"))
    )
    spec = stream.spec
    asked.clear()
    rebuild_streams([spec], Choices(detector="", tubes=TubeChoices(weights="my/nano")))
    assert ("tracker", "nano", "my/nano") in asked
    monkeypatch.setattr(TRACKER, "identity", "nano backbone:sha256:03 neckhead:sha256:04")
    with pytest.raises(
        SpecMismatch, match=r"tracker: nano backbone:sha256:01 .*with --weights, --detector and"
    ):
        rebuild_streams([spec], Choices(detector=""))


def test_quads_of_a_file_are_known_by_their_bytes(asked, tmp_path):
    path = tmp_path / "boxes.json"
    path.write_text('{"a": [[0, 0, 9, 0, 9, 9, 0, 9]]}')
    from_json = TubeChoices(tracker=f"annotations:{path}")
    (stream,) = build_streams(["tubes"], dataclasses.replace(RANDOM, tubes=from_json))
    maker = stream.source.for_video(Video("a", tmp_path), Footage(20, 20, 1, 0, 1, 25.0))
    assert maker.step(0, np.zeros((20, 20, 3), np.uint8)).quad.tolist() == [[0, 0], [9, 0], [9, 9], [0, 9]]
    (again,) = rebuild_streams([stream.spec], Choices(detector="", tubes=from_json))
    assert again.spec == stream.spec
    with pytest.raises(SpecMismatch, match=r"tracker: annotations sha256:\w+ != annotations\."):
        rebuild_streams([stream.spec], Choices(detector=""))


def test_a_backbone_without_maps_is_refused_before_its_weights_are_asked_for(asked):
    choices = dataclasses.replace(RANDOM, backbones={"tubes": "c3d"})
    with pytest.raises(AqaError, match=r"after Mixed_4e or MaxPool3d_4a_3x3.*c3d.*Choose i3d-tsa-net\."):
        build_streams(["tubes"], choices)
    with pytest.raises(UnknownName, match=r"unknown tracker 'nanno'\. Did you mean 'nano'"):
        build_streams(["tubes"], dataclasses.replace(RANDOM, tubes=TubeChoices(tracker="nanno")))


def test_its_network_is_the_whole_i3d_without_a_classifier():
    backbone = get_backbone(STREAMS["tubes"].default_backbone)
    assert backbone.checkpoint.unused == ("logits.",)
    assert backbone.cost.num_parameters == 12_697_264 - 400 * 1025 == 12_448_189 - 157 * 1025
    assert not [name for name, _ in backbone.build().named_parameters() if name.startswith("logits")]


Options = dict[str, object]


@pytest.mark.parametrize(
    ("dataset", "options", "sampling"),
    [
        (None, {}, TubeSampling(103, 10, "flip")),
        ("fr-fs", {}, TubeSampling(103, 16, "flip")),
        ("fr-fs", {"clip_stride": 8, "last_frames": 64, "views": "all"}, TubeSampling(64, 8, "all")),
    ],
)
def test_options_of_tubes(dataset, options: Options, sampling):
    assert tube_choices_of(options, dataset=dataset) == TubeChoices(sampling)


def test_options_of_the_tracker():
    options: Options = {"tracker": "vit", "tracker_weights": "x", "start": "central", "init_box": "1,2,3,4.5"}
    chosen = tube_choices_of(options, dataset=None)
    box = (1.0, 2.0, 3.0, 4.5)
    assert chosen == TubeChoices(TubeSampling(), "vit", "x", start="central", init_box=box)
    assert chosen.chosen_rules == Rules("central", box)


def test_who_is_followed_may_be_chosen_for_a_new_video(asked):
    """The features are made in the same way; the record still tells who was pointed at."""
    of_run = TubeChoices(tracker="siammask:vot", weights="random:3", rules=Rules("central", doubt_below=0.7))
    (stream,) = build_streams(["tubes"], dataclasses.replace(RANDOM, tubes=of_run))
    pointed = Choices(detector="", tubes=TubeChoices(init_box=(1.0, 2.0, 30.0, 40.0)))
    (again,) = rebuild_streams([stream.spec], pointed)
    assert again.spec.differences(stream.spec) == ["init_box: 1,2,30,40 != None"]
    (largest,) = rebuild_streams([stream.spec], Choices(detector="", tubes=TubeChoices(start="largest")))
    assert largest.spec.differences(stream.spec) == ["start: largest != central"]


def test_a_box_is_numbers():
    with pytest.raises(click.BadParameter, match="'1,x': expected 4 or 8 numbers with commas"):
        parse_box("1,x")
    with pytest.raises(AqaError, match="4 numbers x1,y1,x2,y2 or 8"):
        tube_choices_of({"init_box": "1,2,3"}, dataset=None)


@pytest.mark.parametrize("name", ["tracker", "tracker_weights", "clip_stride"])
def test_options_of_tubes_are_not_ignored_by_other_streams(name):
    check: Callable[..., None] = check_tube_options
    check({name: "1"}, ["segments", "tubes"])
    with pytest.raises(
        click.UsageError, match=rf"--{name.replace('_', '-')}: for the stream tubes, not for crops"
    ):
        check({name: "1"}, ["crops"])


@pytest.mark.parametrize(
    ("dataset", "options", "rule"),
    [
        ("folder", {}, AthleteRule("followed")),
        (None, {}, AthleteRule("followed")),  # a preview of one's own video
        ("mit-skating", {}, AthleteRule("largest")),
        ("synthetic", {}, AthleteRule("largest")),
        ("mit-skating", {"start": "central"}, AthleteRule("followed", "central")),
        ("folder", {"athlete": "largest"}, AthleteRule("largest")),
        ("folder", {"init_box": "1,2,30,40"}, AthleteRule("followed", init_box=(1.0, 2.0, 30.0, 40.0))),
    ],
)
def test_who_is_cropped_by_dataset(dataset, options: Options, rule):
    assert athlete_rule_of(options, dataset=dataset) == rule


@pytest.mark.parametrize("name", ["start", "init_box", "athlete"])
def test_pointing_at_somebody_is_not_ignored_where_nobody_is_looked_for(name):
    check_tube_options({name: "1"}, ["crops"])
    with pytest.raises(click.UsageError, match=r"for the stream .*crops, not for segments"):
        check_tube_options({name: "1"}, ["segments"])


def test_followed_crops_are_rebuilt_and_may_be_pointed_at_anew(asked):
    """The largest person's spec is the paper's and says nothing of a start."""
    of_run = AthleteRule("followed", "central")
    (crops,) = build_streams(["crops"], dataclasses.replace(RANDOM, athlete=of_run))
    (again,) = rebuild_streams([crops.spec], Choices(detector=""))
    assert again.spec == crops.spec
    pointed = Choices(detector="", tubes=TubeChoices(init_box=(1.0, 2.0, 30.0, 40.0)))
    (other,) = rebuild_streams([crops.spec], pointed)
    assert other.spec.differences(crops.spec) == ["init_box: 1,2,30,40 != None"]
    (largest,) = build_streams(["crops"], RANDOM)
    assert largest.spec.facts["person"] == "largest"
    assert "start" not in largest.spec.facts
    assert not largest.spec.serves_for(crops.spec)
