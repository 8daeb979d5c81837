"""See what is sampled of a video before any network runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

SMALL_NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_a_preview_shows_what_is_sampled_without_any_weights(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    striped_video: Callable[..., Path],
    write_boxes: Callable[..., Path],
) -> None:
    from PIL import Image

    monkeypatch.setenv("AQA_HOME", str(tmp_path / "no weights here"))
    video = striped_video(tmp_path / "routine.mp4", num_frames=80, seed=1)
    boxes = write_boxes(tmp_path / "boxes.csv", 80)
    how = ["--detector", "annotations", "--boxes", boxes, "--contact-sheet", tmp_path / "sheets"]
    result = run("extract", "--preview", video, *how)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "sheets" / "routine.preview.jpg") as sheet:
        assert sheet.width > 600
        assert sheet.height > 300
    assert "segments: 3 steps of 16 frames, pictures cut to the middle" in result.output
    assert "crops: 8 steps of 1 frame, 8 with a person" in result.output
    assert "crops as the network gets them, stretched" in result.output


def test_a_preview_takes_no_dataset(tmp_path: Path, striped_video: Callable[..., Path]) -> None:
    video = striped_video(tmp_path / "routine.mp4", num_frames=20, seed=1)
    result = run("extract", "--preview", video, "--dataset", "folder")
    assert result.exit_code == 2
    assert "--preview shows one video: leave out --dataset" in result.output


def test_a_preview_of_pictures_takes_their_rate(tmp_path: Path, write_pictures: Callable[..., Path]) -> None:
    pictures = write_pictures(tmp_path / "p", number=20)
    preview = ["extract", "--preview", pictures, "--streams", "frames", "--contact-sheet", tmp_path / "out"]
    result = run(*preview)
    assert result.exit_code == 1
    assert "Give it with --fps" in result.output
    result = run(*preview, "--fps", 5)
    assert result.exit_code == 0, result.output
    assert "96x64, 20 frames, 4.00 s" in result.output
    assert (tmp_path / "out" / "p.preview.jpg").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preview", "a.mp4", "--fps", 5], "--fps is for folders of pictures"),
        (["--preview", "."], "--preview shows one video, . is a folder: name a video, such as a.mp4"),
        (["--dataset", "folder", "--fps", 5], "--fps: for --preview; the videos of a dataset have it"),
        (["--dataset", "folder", "--boxes", "a.mp4"], "--boxes: for --preview"),
    ],
)
def test_options_of_a_preview_that_would_do_nothing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[object], message: str
) -> None:
    (tmp_path / "a.mp4").touch()
    monkeypatch.chdir(tmp_path)
    result = run("extract", *options)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.xdist_group("scoring")
def test_boxes_of_the_environment_are_for_previews(home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("AQA_EXTRACT_BOXES", str(home / "scores.csv"))
    data = ["--dataset", "folder", "--root", home, "--store", tmp_path / "s", "--limit", 1]
    result = run("extract", *data, *SMALL_NETWORK)
    assert result.exit_code == 0, result.output
