"""Own videos, their features and two runs; boxes and pictures for new ones."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli

SMALL_NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, striped_video: Callable[..., Path]) -> Path:
    """Return a folder with own videos, their scores, their features and two runs."""
    home = tmp_path_factory.mktemp("own")
    (home / "videos").mkdir(parents=True)
    lines = ["video,score,split,group,athlete,date"]
    for number in range(10):
        striped_video(home / "videos" / f"v{number}.mp4", num_frames=50 + number, seed=number)
        side, day = "test" if number % 3 == 2 else "train", f"2026-05-{number + 1:02d}"
        lines.append(f"v{number}.mp4,{number}.5,{side},event {number % 2},Ann,{day}")
    (home / "scores.csv").write_text("\n".join(lines) + "\n")
    data = ["--dataset", "folder", "--root", home, "--store", home / "features"]
    assert run("extract", *data, *SMALL_NETWORK).exit_code == 0
    for name, seeds in (("run", "0,1"), ("other", "2,3")):
        chosen = ["--head", "wd", "--streams", "frames", "--epochs", 2, "--seeds", seeds, "--device", "cpu"]
        result = run("fit", *data, *chosen, "--out", home / name)
        assert result.exit_code == 0, result.output
    return home


def write_boxes(path: Path, num_frames: int) -> Path:
    rows = [f"{frame},10,8,{40 + frame % 20},60" for frame in range(num_frames)]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]) + "\n")
    return path


def write_pictures(folder: Path, *, number: int) -> Path:
    folder.mkdir()
    for index in range(number):
        Image.new("RGB", (96, 64), (8 * index, 90, 40)).save(folder / f"{index:04d}.png")
    return folder


@pytest.fixture(scope="session", name="write_boxes")
def _write_boxes() -> Callable[[Path, int], Path]:
    """Return the function `write_boxes`."""
    return write_boxes


@pytest.fixture(scope="session", name="write_pictures")
def _write_pictures() -> Callable[..., Path]:
    """Return the function `write_pictures`."""
    return write_pictures
