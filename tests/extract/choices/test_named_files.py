"""Files that were named for an extraction are tried first when a video is scored, and asked for if gone."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.random_weights import build_random
from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.store import Origin, read_origin, write_origin
from aqa_pipeline.weights import sha256_of
from aqa_pipeline.weights.identity import digest_of_any
from extract.choices.named_files import named_files, with_named_files
from extract.choices.options import AthleteOptions, NetworkOptions, StreamOptions


def named(weights: dict[str, str] | None = None, **athlete: str) -> StreamOptions:
    return StreamOptions(networks=NetworkOptions(weights=weights or {}), athlete=AthleteOptions(**athlete))


def make_spec(*, weights: Path, detector: Path) -> StreamSpec:
    facts = {
        "weights": f"sha256:{sha256_of(weights)}",
        "detector": f"yolo:{detector.stem} sha256:{digest_of_any(detector)} confidence>=0.25",
        "person": "largest",
    }
    return StreamSpec("crops", facts)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "w.pt").write_bytes(b"weights")
    return tmp_path / "w.pt"


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    folder = tmp_path / "mine_openvino_model"
    folder.mkdir()
    (folder / "metadata.yaml").write_text("x")
    return folder


def test_paths_are_kept_and_names_are_not(weights: Path, detector: Path, monkeypatch) -> None:
    spec = make_spec(weights=weights, detector=detector)
    monkeypatch.chdir(weights.parent)
    both = named({"": "w.pt"}, detector="yolo:mine_openvino_model")
    files = {"weights": str(weights), "detector": f"yolo:{detector}"}
    assert named_files(spec, both) == files
    assert named_files(spec, named({"crops": "random:0"}, detector="yolo:yolo11n")) == {}
    assert named_files(spec, named(detector="torchvision")) == {}
    assert named_files(StreamSpec("segments", {}), both) == {"weights": str(weights)}, "it needs no detector"


def test_a_tracker_keeps_its_weights(weights: Path) -> None:
    spec = StreamSpec(
        "tubes", {"tracker": f"siammask:davis sha256:{sha256_of(weights)}", "weights": "random:0"}
    )
    files = named_files(spec, named({"": "random:0"}, tracker_weights=str(weights)))
    assert files == {"tracker_weights": str(weights)}
    assert with_named_files(spec, StreamOptions(), files).athlete.tracker_weights == str(weights)
    other = named(tracker="vit")
    assert with_named_files(spec, other, files) == other, "another tracker has other weights"


def test_they_are_tried_first_and_give_way_to_what_is_named(weights: Path, detector: Path) -> None:
    spec = make_spec(weights=weights, detector=detector)
    files = {"weights": str(weights), "detector": f"yolo:{detector}"}
    tried = with_named_files(spec, StreamOptions(), files)
    assert tried.networks.weights == {"crops": str(weights)}
    assert tried.athlete.detector == f"yolo:{detector}"
    weights.unlink()
    chosen = named({"": "other.pt"}, detector="yolo:other.pt")
    assert with_named_files(spec, chosen, files) == chosen


def test_a_file_that_is_gone_or_another_is_asked_for(weights: Path, detector: Path, tmp_path: Path) -> None:
    spec = make_spec(weights=weights, detector=detector)
    left_open = StreamOptions()
    (detector / "metadata.yaml").write_text("y")
    with pytest.raises(
        AqaError, match=r"mine_openvino_model, which is another file now: .*--detector yolo:PATH"
    ):
        with_named_files(spec, left_open, {"detector": f"yolo:{detector}"})
    weights.unlink()
    with pytest.raises(AqaError, match=r"crops were made with .*w\.pt, which is gone: .*--weights PATH"):
        with_named_files(spec, left_open, {"weights": str(weights)})
    export = detector.rename(tmp_path / "some_export")
    with pytest.raises(AqaError, match="a folder that is loaded only when it is named"):
        with_named_files(spec, left_open, {"detector": f"yolo:{export}"})


def test_a_store_keeps_the_files_of_every_spec(tmp_path: Path) -> None:
    for spec_hash in ("a", "b"):
        files = {spec_hash: {"weights": f"/{spec_hash}.pt"}}
        write_origin(tmp_path / "s", Origin("folder", "own", tmp_path, files))
    origin = read_origin(tmp_path / "s", "own")
    assert origin is not None
    assert origin.files == {"a": {"weights": "/a.pt"}, "b": {"weights": "/b.pt"}}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_video(path: Path, seed: int) -> None:
    pictures = np.random.default_rng(seed).integers(0, 255, (20, 64, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def test_help_names_the_weights_that_score_takes() -> None:
    help_of = {name: " ".join(run(name, "--help").output.split()) for name in ("score", "extract")}
    assert "Weights of the networks. [default: the run's]" in help_of["score"]
    assert "Weights of the networks. [default: official]" in help_of["extract"]


def test_a_video_is_scored_without_naming_the_weights_again(tmp_path: Path) -> None:
    backbone, checkpoint = get_backbone("resnet18"), tmp_path / "r18.pt"
    network = build_random(backbone.build, seed=1, calibration_shape=(3, 224, 224))
    torch.save(network.state_dict(), checkpoint)
    lines = ["video,score,split"]
    for number in range(4):
        write_video(tmp_path / f"v{number}.mp4", number)
        lines.append(f"v{number}.mp4,{number},{'test' if number % 2 else 'train'}")
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    common = ["--dataset", "folder", "--root", tmp_path, "--store", tmp_path / "s", "--device", "cpu"]
    network_options = ["--backbone", "resnet18", "--weights", checkpoint, "--runtime", "eager"]
    result = run("extract", *common, "--streams", "frames", *network_options)
    assert result.exit_code == 0, result.output
    head = ["--head", "svr-average", "--streams", "frames", "--seeds", 0, "--out", tmp_path / "run"]
    assert run("fit", *common, *head).exit_code == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["streams"]["frames"]["files"] == {"weights": str(checkpoint)}

    write_video(tmp_path / "new.mp4", 9)
    score = [
        "score",
        tmp_path / "new.mp4",
        "--run",
        tmp_path / "run",
        "--device",
        "cpu",
        "--runtime",
        "eager",
    ]
    result = run(*score)
    assert result.exit_code == 0, result.output
    moved = checkpoint.rename(tmp_path / "moved.pt")
    result = run(*score, "--cache", tmp_path / "cache")
    assert result.exit_code == 1
    assert "r18.pt, which is gone: name the same file with --weights PATH" in result.output
    result = run(*score, "--cache", tmp_path / "cache", "--weights", moved)
    assert result.exit_code == 0, result.output
    assert run("fit", *common, *head).exit_code == 0, "the same run, wherever the file lies"
