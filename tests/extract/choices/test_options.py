"""The options of an extraction are checked records: a misfit says which option, what came, what fits."""

import pickle

import pytest
from pydantic import ValidationError

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.store import Store
from extract.choices.options import (
    AthleteOptions,
    DecodingOptions,
    EngineOptions,
    ExtractOptions,
    InputOptions,
    NetworkOptions,
    OptionsRecord,
    StreamOptions,
    VideoSelection,
)
from extract.choices.streams import build_streams
from extract.choices.usual import with_usual
from extract.detectors import AthleteRule
from extract.run.engine import Order
from extract.streams import ClipSampling, TubeSampling
from extract.trackers import Rules


@pytest.mark.parametrize(
    ("record", "values", "problem"),
    [
        (NetworkOptions, {"precision": "fp8"}, "precision is 'fp8', expected 'fp32', 'bf16' or 'fp16'"),
        (NetworkOptions, {"runtime": "tensorrt"}, "runtime is 'tensorrt', expected 'auto', 'eager'"),
        (NetworkOptions, {"batch_size": 0}, "batch_size is '0', expected greater than or equal to 1"),
        (NetworkOptions, {"weights": "random:0"}, "weights is 'random:0', expected a valid dictionary"),
        (NetworkOptions, {"wieghts": {}}, "'wieghts' is no field of it"),
        (InputOptions, {"variant": "relaesed"}, "variant is 'relaesed', expected 'paper' or 'released'"),
        (InputOptions, {"views": "some"}, "views is 'some', expected 'reference', 'flip' or 'all'"),
        (AthleteOptions, {"person": "smallest"}, "person is 'smallest', expected 'largest' or 'followed'"),
        (AthleteOptions, {"init_box": "1,2,3,4"}, "init_box is '1,2,3,4', expected a valid tuple"),
        (StreamOptions, {"dtype": "float64"}, "dtype is 'float64', expected 'float32' or 'float16'"),
        (StreamOptions, {"networks": 3}, "networks is '3', expected"),
        (DecodingOptions, {"workers": 0}, "workers is '0', expected greater than or equal to 1"),
        (DecodingOptions, {"silence_seconds": float("nan")}, "silence_seconds is 'nan', expected a finite"),
        (EngineOptions, {"name": "spark"}, "name is 'spark', expected 'local' or 'ray'"),
        (VideoSelection, {"limit": -1}, "limit is '-1', expected"),
        (ExtractOptions, {"streams": ()}, "streams is .*at least 1 item"),
        (ExtractOptions, {}, "it has no 'streams'"),
    ],
)
def test_a_value_that_does_not_fit_is_explained(record: type[OptionsRecord], values, problem) -> None:
    with pytest.raises(AqaError, match=f"the options of an extraction do not fit: {problem}"):
        record(**values)


def test_options_are_not_changed_in_place_and_a_change_is_checked() -> None:
    networks = NetworkOptions(batch_size=4)
    with pytest.raises(ValidationError, match="frozen"):
        networks.batch_size = 8
    assert networks.changed(device="cpu") == NetworkOptions(batch_size=4, device="cpu")
    with pytest.raises(AqaError, match="batch_size is '-4', expected"):
        networks.changed(batch_size=-4)
    assert networks.batch_size == 4


def test_options_travel_to_another_process() -> None:
    options = StreamOptions(
        networks=NetworkOptions(weights={"crops": "a.pt"}), athlete=AthleteOptions(rules=Rules("central"))
    )
    assert pickle.loads(pickle.dumps(options)) == options


def test_weights_are_of_the_stream_of_all_or_otherwise() -> None:
    networks = NetworkOptions(weights={"crops": "a.pt", "": "random:1"})
    assert [networks.weights_of(name) for name in ("crops", "tubes")] == ["a.pt", "random:1"]
    assert NetworkOptions().weights_of("crops") == "official"
    assert NetworkOptions().weights_of("crops", otherwise="random:2") == "random:2"


def test_the_inputs_that_are_left_open_are_the_papers() -> None:
    assert InputOptions().clip_sampling == ClipSampling("last-96", "all")
    assert InputOptions().tube_sampling == TubeSampling(103, 10, "flip")
    chosen = InputOptions(span="whole", views="reference", last_frames=64, clip_stride=8)
    assert chosen.clip_sampling == ClipSampling("whole", "reference")
    assert chosen.tube_sampling == TubeSampling(64, 8, "reference")


@pytest.mark.parametrize("values", [{"last_frames": 15}, {"clip_stride": 17}, {"clip_stride": 0}])
def test_numbers_of_tubes_are_checked_before_anything_is_loaded(values) -> None:
    with pytest.raises(AqaError, match="tubes takes 16 frames or more, a clip every 1 to 16 of them; got"):
        InputOptions(**values)


def test_clips_refuse_the_views_of_tubes() -> None:
    options = StreamOptions(inputs=InputOptions(views="flip"))
    with pytest.raises(AqaError, match=r"views 'flip' is for the stream tubes; .* expects all or reference"):
        build_streams(["clips"], options)


def test_who_is_named_is_followed() -> None:
    box = (1.0, 2.0, 30.0, 40.0)
    assert AthleteOptions().crop_rule == AthleteRule("largest")
    assert AthleteOptions(start="central").crop_rule == AthleteRule("followed", "central")
    assert AthleteOptions(init_box=box).crop_rule == AthleteRule("followed", "largest", box)
    of_run = Rules("central", doubt_below=0.5)
    assert AthleteOptions(rules=of_run).tracking_rules == of_run
    assert AthleteOptions(rules=of_run, init_box=box).tracking_rules == Rules("central", box, 0.5)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"person": "largest", "start": "central"}, "choose --athlete followed"),
        ({"init_box": (1.0, 2.0, 3.0)}, "an init box has 4 numbers x1,y1,x2,y2 or 8"),
    ],
)
def test_options_on_the_athlete_that_contradict_each_other_are_an_error(values, problem) -> None:
    with pytest.raises(AqaError, match=problem):
        AthleteOptions(**values)


def toy_dataset(root, adapter: str) -> Dataset:
    videos = [Video(name, root / f"{name}.mp4") for name in "abc"]
    return Dataset(adapter, root, tuple(videos), {}, ())


def test_videos_are_chosen_by_id_and_by_number(tmp_path) -> None:
    dataset = toy_dataset(tmp_path, "folder")
    assert [video.video_id for video in VideoSelection().of(dataset)] == ["a", "b", "c"]
    assert [video.video_id for video in VideoSelection(ids=("c", "a"), limit=1).of(dataset)] == ["c"]
    with pytest.raises(UnknownName, match="unknown video of folder 'd'"):
        VideoSelection(ids=("d",)).of(dataset)


@pytest.mark.parametrize(
    ("adapter", "rest", "person", "stride"),
    [
        ("folder", "padded", "followed", 10),
        ("mit-skating", "dropped", "largest", 10),
        ("fr-fs", "dropped", "largest", 16),
    ],
)
def test_an_order_fills_in_what_is_usual_for_the_dataset(tmp_path, adapter, rest, person, stride) -> None:
    options = ExtractOptions(
        streams=("segments", "tubes"), decoding=DecodingOptions(workers=3, total_seconds=9.0), overwrite=True
    )
    order = Order.of(options, toy_dataset(tmp_path, adapter), Store(tmp_path / "s"))
    assert order.options.inputs.rest == rest
    assert order.options.inputs.tube_sampling.stride == stride
    assert order.options.athlete.crop_rule.athlete == person
    assert (order.stream_names, order.root) == (("segments", "tubes"), tmp_path)
    extraction = order.extraction
    assert (extraction.workers, extraction.patience.total, extraction.overwrite) == (3, 9.0, True)


def test_what_is_chosen_is_not_replaced_by_what_is_usual() -> None:
    chosen = StreamOptions(
        inputs=InputOptions(rest="dropped", clip_stride=7), athlete=AthleteOptions(person="largest")
    )
    assert with_usual(chosen, "folder") == chosen


def test_the_quads_of_a_folder_are_found_and_a_device_is_changed(tmp_path) -> None:
    folder = tmp_path / "quads"
    folder.mkdir()
    dataset = toy_dataset(tmp_path, "fr-fs")
    for tracker, quads in ((f"annotations:{folder}", folder), ("annotations", None), ("siammask:vot", None)):
        athlete = AthleteOptions(tracker=tracker)
        options = ExtractOptions(streams=("tubes",), stream_options=StreamOptions(athlete=athlete))
        order = Order.of(options, dataset, Store(tmp_path / "s"))
        assert order.extraction.quads == quads
        moved = order.on_device("cuda:1")
        assert moved.options.networks.device == "cuda:1"
        assert moved.options.athlete == order.options.athlete == athlete
