"""From options to the stream `pixels`, and from a run's spec back to the very same stream and record."""

from types import SimpleNamespace

import click
import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.errors import AqaError, SpecMismatch, WeightsError
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.store import Store
from extract.choices.from_run import rebuild_streams
from extract.choices.named_files import named_files
from extract.choices.networks import network_name
from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
from extract.choices.picture_sizes import picture_size_of_head
from extract.choices.presets import LIGHT_INSTEAD
from extract.choices.streams import build_streams, official_weights
from extract.commands.parse_options import (
    check_pixels_tracked,
    check_streams_read,
    parse_size,
    parse_stream_options,
)
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import PixelSampling, StoredPicture, get_stream_kind
from extract.trackers import FollowedPersons, Rules

OPEN = StreamOptions()
ANNOTATED = AthleteOptions(tracker="annotations")
TRACKER = SimpleNamespace(name="fast", identity="siammask:vot random:3", doubt_below=0.85)
PERSONS = SimpleNamespace(name="yolo", identity="yolo:yolo11n sha256:ab confidence>=0.25")


def options(athlete: AthleteOptions | None = None, **inputs: object) -> StreamOptions:
    return StreamOptions(inputs=InputOptions(**inputs), athlete=athlete or AthleteOptions())


def test_without_options_it_is_the_last_109_frames_of_weight_deciders_size_untracked():
    (stream,) = build_streams(["pixels"], OPEN)  # no weights are here: none are asked for
    assert (stream.sampling, stream.picture, stream.source) == (PixelSampling(), StoredPicture(), None)
    assert official_weights(["pixels"], OPEN) == []
    assert network_name(get_stream_kind("pixels"), OPEN) == ""


def test_options_for_the_networks_of_other_streams_do_not_reach_it():
    networks = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"}, batch_size=7)
    frames, pixels = build_streams(["frames", "pixels"], StreamOptions(networks=networks, dtype="float16"))
    assert frames.spec.facts["backbone"] == "resnet18"
    assert (pixels.batch_size, pixels.dtype, pixels.spec.facts["dtype"]) == (1, "uint8", "uint8")
    assert not {"backbone", "weights", "precision"} & set(pixels.spec.facts)
    with pytest.raises(AqaError, match="stream pixels has no network; got resnet18: leave out its backbone"):
        build_streams(["pixels"], StreamOptions(networks=NetworkOptions(backbones={"pixels": "resnet18"})))


def test_absent_weights_of_a_tracker_are_named_and_no_light_preset_is_offered():
    with pytest.raises(WeightsError, match="siammask-davis") as error:
        build_streams(["pixels"], options(AthleteOptions(tracker="siammask", detector="yolo:yolo11n")))
    assert LIGHT_INSTEAD not in str(error.value)
    with pytest.raises(WeightsError) as error:
        build_streams(["segments", "pixels"], OPEN)
    assert LIGHT_INSTEAD in str(error.value)


def test_tubes_are_tracked_by_default_and_pixels_where_a_tracker_is_named(monkeypatch):
    monkeypatch.setattr("extract.choices.streams.check_weights", list)
    monkeypatch.setattr("extract.choices.streams.load_detector", lambda spec, *, device: PERSONS)
    monkeypatch.setattr("extract.trackers.choose.load_tracker", lambda spec, *, device, weights: TRACKER)
    networks = NetworkOptions(weights={"": "random:0"})
    tubes, pixels = build_streams(["tubes", "pixels"], StreamOptions(networks=networks))
    assert isinstance(tubes.source, FollowedPersons)
    assert pixels.source is None
    named = StreamOptions(networks=networks, athlete=AthleteOptions(tracker="siammask:vot"))
    tubes, pixels = build_streams(["tubes", "pixels"], named)
    assert tubes.source is pixels.source


RULES = Rules("central", (1.0, 2.5, 30.0, 40.0), 0.7, 2.0, 0.5, 5)


@pytest.mark.parametrize(
    "chosen",
    [
        OPEN,
        options(picture_size=(455, 256), last_frames=64),
        options(pixel_rate=12.5),
        options(picture_size=(40, 30), jpeg_quality=85),
        options(ANNOTATED, picture_size=(455, 256)),
        options(AthleteOptions(tracker="siammask:vot", tracker_weights="random:3", rules=RULES)),
    ],
    ids=["usual", "size and frames", "rate", "jpeg", "annotations", "tracker"],
)
def test_specs_rebuild_the_same_stream(monkeypatch, chosen):
    for module in ("extract.choices.streams", "extract.choices.from_run"):
        monkeypatch.setattr(f"{module}.check_weights", list)
    monkeypatch.setattr("extract.choices.streams.load_detector", lambda spec, *, device: PERSONS)
    monkeypatch.setattr("extract.trackers.choose.load_tracker", lambda spec, *, device, weights: TRACKER)
    (stream,) = build_streams(["pixels"], chosen)
    (again,) = rebuild_streams([stream.spec], OPEN)
    assert again.spec == stream.spec
    assert (again.sampling, again.picture) == (stream.sampling, stream.picture)


@pytest.fixture
def video(tmp_path) -> Video:
    """Write 30 busy pictures of 64x48, and the athlete's boxes."""
    folder, boxes = tmp_path / "a", tmp_path / "a.csv"
    folder.mkdir()
    for number in range(30):
        Image.effect_noise((64, 48), 60).convert("RGB").save(folder / f"{number:02d}.png")
    rows = [f"{number},{number},10,{number + 20},40" for number in range(30)]
    boxes.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]))
    return Video("a", folder, fps=25.0, boxes=boxes)


def test_a_rebuilt_stream_makes_an_equal_record(tmp_path, video):
    chosen = options(ANNOTATED, picture_size=(40, 30), last_frames=40, jpeg_quality=80)
    (stream,) = build_streams(["pixels"], chosen)
    rebuilt = rebuild_streams([stream.spec], OPEN)
    first, second = (
        made(tmp_path / name, video, streams) for name, streams in (("1", [stream]), ("2", rebuilt))
    )
    assert first.spec == second.spec
    assert first.counts == second.counts
    np.testing.assert_array_equal(first.features, second.features)
    assert first.extras.keys() == second.extras.keys()
    for name, rows in first.extras.items():
        np.testing.assert_array_equal(rows, second.extras[name])


def made(folder, video: Video, streams) -> Record:
    store = Store(folder)
    report = extract(Extraction("toy", store, streams), [video], progress=lambda **_: None)
    assert not report.failures
    return store.read("toy", video.video_id, streams[0].spec)


def test_a_tracker_named_for_another_stream_of_the_run_is_not_the_untracked_pixels():
    (stream,) = build_streams(["pixels"], OPEN)
    (again,) = rebuild_streams([stream.spec], StreamOptions(athlete=ANNOTATED))
    assert again.spec == stream.spec


def test_an_encoding_that_is_not_made_here_is_refused():
    (stream,) = build_streams(["pixels"], OPEN)
    with pytest.raises(SpecMismatch, match="encoding: png != uint8"):
        rebuild_streams([StreamSpec("pixels", {**stream.spec.facts, "encoding": "png"})], OPEN)


def test_only_files_that_it_reads_are_kept_with_its_records(tmp_path):
    networks = NetworkOptions(weights={"": "mine.pt"})
    tracked = StreamOptions(networks=networks, athlete=ANNOTATED.changed(tracker_weights="nano"))
    untracked, followed = (build_streams(["pixels"], each)[0].spec for each in (OPEN, tracked))
    assert named_files(untracked, tracked) == {}
    assert set(named_files(followed, tracked)) == {"tracker_weights"}


def test_the_size_for_a_head_is_that_of_its_paper():
    assert picture_size_of_head("wd", ["clips"]) == (171, 128)
    assert picture_size_of_head("usdl", ["tubes"]) == (455, 256)
    with pytest.raises(AqaError, match="no paper trains the head ridge together with a network"):
        picture_size_of_head("ridge", ["segments", "crops"])


def test_last_frames_and_a_rate_exclude_each_other():
    with pytest.raises(AqaError, match="the last 50 frames, or 5 frames a second of the whole video, not"):
        InputOptions(last_frames=50, pixel_rate=5.0)


@pytest.mark.parametrize("text", ["171", "171x", "x128", "171x128x3", "-1x5", "171 x 128", "axb"])
def test_a_size_is_a_width_and_a_height(text):
    assert parse_size("455x256") == (455, 256)
    assert parse_size(None) is None
    with pytest.raises(click.BadParameter, match="expected width x height, such as 171x128"):
        parse_size(text)


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"picture_size": "9x9"}, "picture-size"),
        ({"pixel_rate": 5.0}, "pixel-rate"),
        ({"jpeg_quality": 9}, "jpeg"),
    ],
)
def test_options_of_pixels_are_not_ignored_by_other_streams(values, option):
    parsed = parse_stream_options(values)
    check_streams_read(parsed, ["segments", "pixels"])
    with pytest.raises(click.UsageError, match=f"--{option}: for the stream pixels, not for segments"):
        check_streams_read(parsed, ["segments"])


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"dtype": "float16"}, "dtype"),
        ({"weights": ["a.pt"]}, "weights"),
        ({"backbone": ["i3d"]}, "backbone"),
    ],
)
def test_options_of_networks_are_not_ignored_by_pixels(values, option):
    parsed = parse_stream_options(values)
    check_streams_read(parsed, ["crops", "pixels"])
    with pytest.raises(click.UsageError, match=f"--{option}: the stream pixels has no network"):
        check_streams_read(parsed, ["pixels"])


def test_whom_to_follow_needs_a_tracker():
    named = parse_stream_options({"start": "central", "tracker_weights": "mine"})
    for streams in (["pixels"], ["pixels", "segments"]):
        with pytest.raises(
            click.UsageError, match="--tracker-weights, --start: the stream pixels is tracked"
        ):
            check_pixels_tracked(named, streams)
    with pytest.raises(click.UsageError, match=r"^--tracker-weights: the stream pixels"):
        check_pixels_tracked(named, ["pixels", "crops"])
    check_pixels_tracked(named, ["pixels", "tubes"])
    check_pixels_tracked(parse_stream_options({"start": "central", "tracker": "nano"}), ["pixels"])
