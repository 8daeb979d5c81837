"""From the command line to typed options, and what the command says of options that do not fit."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.errors import AqaError, UnknownName
from extract.choices.options import (
    AthleteOptions,
    DecodingOptions,
    EngineOptions,
    ExtractOptions,
    InputOptions,
    NetworkOptions,
    NewVideoOptions,
    StreamOptions,
    VideoSelection,
)
from extract.commands.extract import extract
from extract.commands.new_video_options import check_athlete_options, new_video_options
from extract.commands.parse_options import (
    check_streams_read,
    parse_by_stream,
    parse_extract_options,
    parse_stream_options,
)


def parse(*arguments: str) -> ExtractOptions:
    context = extract.make_context("extract", list(arguments), resilient_parsing=True)
    return parse_extract_options(context.params, lambda head: {"action-net": ["segments", "crops"]}[head])


def test_without_options_everything_is_left_open() -> None:
    assert parse() == ExtractOptions(streams=("segments", "crops"))


def test_every_option_finds_its_field() -> None:
    networks = "--backbone clips=mc3_18 --weights random:0 --device cuda:1 --precision bf16 --runtime eager"
    inputs = "--variant released --framing whole --rest padded --clips whole --views all"
    tubes = "--last-frames 64 --clip-stride 8 --tracker vit --tracker-weights v.onnx"
    athlete = "--detector torchvision --athlete followed --start central --init-box 1,2,30,40.5"
    decoding = "--reader pyav --workers 3 --timeout 9 --time-limit 90"
    engine = "--engine ray --ray-address auto --actors 2"
    rest = "--batch-size 4 --dtype float16 --videos b,a --limit 1 --overwrite --contact-sheet sheets"
    words = " ".join(
        ["--streams clips,tubes --preset light", networks, inputs, tubes, athlete, decoding, engine, rest]
    )
    assert parse(*words.split()) == ExtractOptions(
        streams=("clips", "tubes"),
        stream_options=StreamOptions(
            networks=NetworkOptions(
                backbones={"clips": "mc3_18"},
                weights={"": "random:0"},
                device="cuda:1",
                precision="bf16",
                runtime="eager",
                batch_size=4,
            ),
            inputs=InputOptions(
                variant="released",
                framing="whole",
                rest="padded",
                span="whole",
                views="all",
                last_frames=64,
                clip_stride=8,
            ),
            athlete=AthleteOptions(
                detector="torchvision",
                person="followed",
                tracker="vit",
                tracker_weights="v.onnx",
                start="central",
                init_box=(1.0, 2.0, 30.0, 40.5),
            ),
            dtype="float16",
            preset="light",
        ),
        videos=VideoSelection(ids=("b", "a"), limit=1),
        decoding=DecodingOptions(reader="pyav", workers=3, silence_seconds=9.0, total_seconds=90.0),
        engine=EngineOptions(name="ray", address="auto", actors=2),
        overwrite=True,
        contact_sheet=Path("sheets"),
    )


def test_a_head_names_its_streams_or_the_streams_are_named() -> None:
    assert parse("--streams", "frames, clips").streams == ("frames", "clips")
    with pytest.raises(click.UsageError, match="--for and --streams exclude each other"):
        parse("--streams", "frames", "--for", "action-net")
    with pytest.raises(AqaError, match=r"streams is .*at least 1 item"):
        parse("--streams", ",")


@pytest.mark.parametrize(
    ("texts", "by_stream"),
    [
        ([], {}),
        (["a.pt"], {"": "a.pt"}),
        (["/a=b/c.pt"], {"": "/a=b/c.pt"}),
        (["crops=a.pt", "b.pt"], {"crops": "a.pt", "": "b.pt"}),
    ],
)
def test_values_by_stream(texts, by_stream) -> None:
    assert parse_by_stream(texts, option="--weights") == by_stream


def test_a_stream_that_is_unknown_or_named_twice_is_an_error() -> None:
    with pytest.raises(UnknownName, match=r"unknown stream 'crop'\. Did you mean 'crops'"):
        parse_by_stream(["crop=a.pt"], option="--weights")
    with pytest.raises(AqaError, match="--backbone is given twice for crops: resnet18 and resnet50"):
        parse_by_stream(["crops=resnet18", "crops=resnet50"], option="--backbone")


@pytest.mark.parametrize(
    ("values", "streams", "problem"),
    [
        ({"span": "whole"}, ["segments"], "--clips: for the stream clips, not for segments"),
        ({"views": "all"}, ["crops", "frames"], "--views: for the stream clips or tubes, not for crops, fr"),
        ({"views": "flip"}, ["clips"], "--views flip is for the stream tubes; clips have all views or"),
        ({"rest": "padded"}, ["tubes"], "--rest: for the stream segments, not for tubes"),
        (
            {"last_frames": 20, "tracker": "nano"},
            ["crops"],
            "--tracker, --last-frames: for the stream tubes or pixels, not",
        ),
        ({"clip_stride": 9}, ["pixels"], "--clip-stride: for the stream tubes, not for pixels"),
        ({"athlete": "largest"}, ["tubes"], "--athlete: for the stream crops or poses, not for tubes"),
        ({"start": "central"}, ["clips"], "--start: for the stream tubes or crops or poses or pixels, not"),
    ],
)
def test_an_option_that_no_stream_reads_is_an_error(values, streams, problem) -> None:
    options = parse_stream_options(values)
    with pytest.raises(click.UsageError, match=problem):
        check_streams_read(options, streams)
    check_streams_read(StreamOptions(), streams)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["extract", *map(str, arguments)])


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        ("", 2, "Name a --dataset, or a video to --preview."),
        ("--dataset folder --fps 5", 2, "--fps: for --preview; the videos of a dataset have it"),
        (
            "--dataset folder --contact-sheet out --streams clips",
            2,
            "add `crops` or `poses` to --streams, which are cli",
        ),
        ("--dataset folder --actors 2", 2, "--ray-address and --actors are for --engine ray"),
        ("--dataset folder --init-box 1,2,x,4", 2, "'1,2,x,4': expected 4 or 8 numbers with commas"),
        ("--dataset folder --init-box 1,2,3", 1, "an init box has 4 numbers x1,y1,x2,y2 or 8"),
        ("--dataset folder --weights a --weights b", 1, "--weights is given twice for all streams: a and b"),
        ("--dataset folder --athlete largest --start central", 1, "choose --athlete followed"),
        ("--preview . --name mine --engine ray", 2, "leave out --name, --engine"),
        ("--preview . --fps 5", 2, "--preview shows one video, . is a folder: name a video file, or"),
    ],
)
def test_options_that_do_not_fit_end_the_command_before_anything_is_read(
    words, code, problem, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words.split())
    assert (result.exit_code, "Traceback" in result.output) == (code, False), result.output
    assert problem in " ".join(result.output.split())
    assert not list(tmp_path.iterdir()), "nothing is written"


class FakeStream:
    """A stream of a run: its spec's facts are all that is asked of it."""

    def __init__(self, stream: str, **facts: object) -> None:
        from aqa_pipeline.records import StreamSpec

        self.spec = StreamSpec(stream, facts)


CROPS = FakeStream("crops", detector="yolo:yolo11n sha256:ab", person="largest")
FOLLOWED = FakeStream("crops", detector="annotations", person="followed", start="largest", init_box=None)
CLIPS = FakeStream("clips", backbone="mc3_18")
PIXELS = FakeStream("pixels", dtype="uint8")


@pytest.mark.parametrize(
    ("options", "stream", "boxes", "problem"),
    [
        (AthleteOptions(), CROPS, Path("b.csv"), "this run's: yolo:yolo11n sha256:ab"),
        (AthleteOptions(), CLIPS, Path("b.csv"), "this run's: none"),
        (AthleteOptions(start="central"), CROPS, None, "--start: this run follows nobody from a start"),
        (AthleteOptions(init_box=(1.0, 2.0, 3.0, 4.0)), CLIPS, None, "--init-box: this run follows nobody"),
        (AthleteOptions(tracker="nano"), PIXELS, None, "--tracker: this run's streams follow nobody"),
        (AthleteOptions(tracker_weights="mine"), PIXELS, None, "--tracker-weights: this run's streams fol"),
        (AthleteOptions(detector="yolo"), CLIPS, None, "--detector: the run reads clips, which need no det"),
    ],
)
def test_options_on_the_athlete_that_a_run_does_not_read_are_errors(options, stream, boxes, problem) -> None:
    with pytest.raises(click.UsageError, match=problem):
        check_athlete_options(options, [stream], boxes=boxes)
    chosen = AthleteOptions(start="central", detector="annotations")
    check_athlete_options(chosen, [CLIPS, FOLLOWED], boxes=Path("b.csv"))
    tracked = FakeStream("pixels", tracker="nano backbone:sha256:01", start="largest", init_box=None)
    check_athlete_options(AthleteOptions(tracker="nano", start="central"), [PIXELS, tracked], boxes=None)


def test_the_options_of_a_new_video_reach_the_command_as_one_record() -> None:
    taken = []

    @click.command()
    @click.option("--split")
    @new_video_options
    def command(split: str, extraction: NewVideoOptions) -> None:
        taken.extend([split, extraction])

    words = "--split 0 --weights crops=random:1 --tracker vit --init-box 1,2,3,4 --reader pyav --device cpu"
    result = CliRunner().invoke(command, words.split())
    assert result.exit_code == 0, result.output
    athlete = AthleteOptions(tracker="vit", init_box=(1.0, 2.0, 3.0, 4.0))
    networks = NetworkOptions(weights={"crops": "random:1"}, device="cpu")
    options = StreamOptions(networks=networks, athlete=athlete)
    assert taken == ["0", NewVideoOptions(stream_options=options, reader="pyav")]

    result = CliRunner().invoke(command, ["--tracker", "vit", "--init-box", "1,2"])
    assert isinstance(result.exception, AqaError)
    assert "an init box has 4 numbers" in str(result.exception)
    result = CliRunner().invoke(command, ["--runtime", "tensorrt"])
    assert result.exit_code == 2
    assert "'tensorrt' is not one of 'auto', 'eager', 'compile', 'openvino'" in result.output
