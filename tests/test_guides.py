"""The guides under docs/: every command in them exists, with its options; those for own videos are run."""

import shlex
from pathlib import Path

import av
import click
import numpy as np
import pytest
from click.testing import CliRunner

import cli

GUIDES = sorted((Path(__file__).resolve().parents[1] / "docs").glob("guide-*.md"))
SMALL = ["--weights", "random:0", "--device", "cpu", "--backbone", "resnet18", "--streams", "frames"]


def commands(guide: Path) -> list[list[str]]:
    """The `aqa` lines of the guide's shell blocks, as words without `aqa`."""
    blocks = guide.read_text().split("```sh\n")[1:]
    lines = [line for block in blocks for line in block.split("```")[0].splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("aqa ")]


def test_there_are_guides() -> None:
    assert {"guide-own-videos.md", "guide-reproduce.md"} <= {guide.name for guide in GUIDES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_command_of_a_guide_exists_with_its_options(guide: Path) -> None:
    for words in commands(guide):
        command: click.Command = cli.main
        rest = list(words)
        while isinstance(command, click.Group):
            command = command.commands[rest.pop(0)]
        known = {name for parameter in command.params for name in parameter.opts}
        assert [word for word in rest if word.startswith("--") and word not in known] == [], words


def write_videos(root: Path) -> None:
    """Nine short videos with scores, as the guide lays them out, and two new ones."""
    (root / "my-videos" / "videos").mkdir(parents=True)
    (root / "monday").mkdir()
    names = ["first", *(f"v{number}" for number in range(8))]
    lines = ["video,score,group", *(f"{name}.mp4,{at}.5,athlete {at % 4}" for at, name in enumerate(names))]
    (root / "my-videos" / "scores.csv").write_text("\n".join(lines) + "\n")
    videos = [root / "my-videos" / "videos" / f"{name}.mp4" for name in names]
    for seed, path in enumerate([*videos, root / "new-routine.mp4", root / "monday" / "a.mp4"]):
        noise = np.random.default_rng(seed)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(20):
                picture = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())


def test_the_guide_to_own_videos_works_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With small networks of random weights in the place of the official ones, which are not here."""
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    small = {
        ("extract", "--preview"): ["--streams", "frames", "--device", "cpu"],
        ("extract", "--dataset"): SMALL,
        ("fit", "--head"): ["--streams", "frames", "--epochs", "2", "--device", "cpu"],
    }
    for words in commands(next(guide for guide in GUIDES if guide.name == "guide-own-videos.md")):
        words = ["monday/a.mp4" if word == "monday/*.mp4" else word for word in words]
        result = CliRunner().invoke(cli.main, [*words, *small.get((words[0], words[1]), [])])
        assert result.exit_code == 0, (words, result.output)
    for made in ("report.html", "new-routine.html", "pages", "scores.csv", "sheets/first.preview.jpg"):
        assert (tmp_path / made).exists(), made
