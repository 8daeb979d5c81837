"""The guides under docs/: every command in them exists, with its options; those for own videos are run."""

import ast
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.plugins import plugged_in, read_plugin

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDES = sorted((REPOSITORY / "docs").glob("guide-*.md"))
ON_CPU = {f"AQA_{command}_DEVICE": "cpu" for command in ("EXTRACT", "FIT", "SCORE")}
SHORT = {"AQA_FIT_EPOCHS": "2", "AQA_FIT_SEEDS": "0"}
SMALL = ["--weights", "random:0", "--device", "cpu", "--backbone", "resnet18", "--streams", "frames"]


def commands(guide: Path) -> list[list[str]]:
    """Return the `aqa` lines of the guide's shell blocks, as words without `aqa`."""
    blocks = guide.read_text().split("```sh\n")[1:]
    lines = [line for block in blocks for line in block.split("```")[0].splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("aqa ")]


def test_there_are_guides() -> None:
    assert {guide.stem.removeprefix("guide-") for guide in GUIDES} == {
        "add-a-backbone",
        "add-a-dataset",
        "add-a-head",
        "attempts",
        "bench",
        "fine-tune",
        "label",
        "own-videos",
        "pixels",
        "poses",
        "python",
        "reproduce",
        "scale",
        "serve",
        "tubes",
    }


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_every_command_of_a_guide_exists_with_its_options(guide: Path) -> None:
    for words in commands(guide):
        command: click.Command = cli.main
        rest = list(words)
        while isinstance(command, click.Group) and (command is cli.main or rest[0] in command.commands):
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


def run_guide(name: str, extra: dict[str, list[str]]) -> None:
    """Every command of a guide in the working folder; `extra` words per command keep it small."""
    for words in commands(next(guide for guide in GUIDES if guide.stem == f"guide-{name}")):
        result = CliRunner().invoke(cli.main, [*words, *extra.get(words[0], [])])
        assert result.exit_code == 0, (words, result.output)


def write_python_of(name: str) -> None:
    """Put the Python block of a guide into the file that its heading names."""
    text = next(guide for guide in GUIDES if guide.stem == f"guide-{name}").read_text()
    before, _, rest = text.partition("```python\n")
    file = before.rpartition("The file `")[2].partition("`")[0]
    Path(file).write_text(rest.partition("```")[0])


def walk(name: str, **environment: str) -> None:
    """Type the guide's shell lines as they stand, on a machine without weights.

    Commands run in this process: starting one for each takes seconds (test_three_lines types the installed
    command). The environment keeps the work small. What an `export` sets holds for the lines below it.
    """
    variables = ON_CPU | {"AQA_HOME": str(Path("home").absolute())} | environment
    for line in shell_lines(name):
        if line.startswith("export "):
            variables |= dict(word.split("=", 1) for word in shlex.split(line)[1:])
        elif line.startswith("aqa weights fetch "):
            continue  # needs the network
        elif line.startswith("aqa "):
            result = CliRunner().invoke(cli.main, shlex.split(line)[1:], env=variables)
            assert result.exit_code == 0, (line, result.output)
        else:
            subprocess.run(["bash", "-c", line], check=True)


def shell_lines(name: str) -> list[str]:
    text = next(guide for guide in GUIDES if guide.stem == f"guide-{name}").read_text()
    return [line for block in text.split("```sh\n")[1:] for line in block.split("```")[0].splitlines()]


def asked_for(*words: str) -> str:
    """Return the output of a command on a machine without weights."""
    return CliRunner().invoke(cli.main, list(words), env={"AQA_HOME": "nowhere"}).output


def fetch_line(name: str) -> str:
    (line,) = [line for line in shell_lines(name) if line.startswith("aqa weights fetch ")]
    return line


def test_the_guide_to_own_videos_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert f"`{fetch_line('own-videos')}`" in asked_for(
        "extract", "--dataset", "folder", "--root", "my-videos"
    )
    walk("own-videos", **SHORT)
    for made in ("report.html", "new-routine.html", "pages", "scores.csv", "sheets/first.preview.jpg"):
        assert (tmp_path / made).exists(), made
    assert "RANDOM WEIGHTS" in (tmp_path / "new-routine.html").read_text()


def test_the_guide_to_tubes_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it says for a machine without weights, with boxes that were drawn by hand."""
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    tubes = ("extract", "--dataset", "folder", "--root", "my-videos", "--for", "tsa")
    assert f"`{fetch_line('tubes')}`" in asked_for(*tubes)
    boxes = "frame_index,x1,y1,x2,y2\n" + "".join(f"{at},10,8,40,40\n" for at in range(20))
    (tmp_path / "my-videos" / "boxes").mkdir()
    for video in (tmp_path / "my-videos" / "videos").iterdir():
        (tmp_path / "my-videos" / "boxes" / f"{video.stem}.csv").write_text(boxes)
    (tmp_path / "new-routine.csv").write_text(boxes)
    few = {"AQA_EXTRACT_LAST_FRAMES": "16", "AQA_EXTRACT_CLIP_STRIDE": "16", "AQA_EXTRACT_VIEWS": "reference"}
    walk(
        "tubes",
        AQA_FIT_VARIANT="frozen",
        AQA_FIT_EPOCHS="1",
        AQA_FIT_SEEDS="0",
        AQA_FIT_SPLIT="random-0",
        **few,
    )
    for made in ("tubes.html", "new-routine.html", "sheets/first.preview.jpg"):
        assert (tmp_path / made).exists(), made


def test_the_guide_to_backbones_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    write_python_of("add-a-backbone")
    with plugged_in([read_plugin(Path("tiny3d.py"))]):
        tiny = BACKBONES.find("tiny3d")
        assert sum(p.numel() for p in tiny.build().parameters()) == tiny.cost.num_parameters
    walk("add-a-backbone", AQA_FIT_SEEDS="0")


def test_the_guide_to_fine_tuning_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    walk("fine-tune", AQA_FIT_EPOCHS="1", AQA_FIT_SEEDS="0", AQA_FIT_SPLIT="random-0")
    assert (tmp_path / "tuned.safetensors").exists()


def test_the_guide_to_heads_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    write_python_of("add-a-head")
    walk("add-a-head", **SHORT)


def test_the_guide_to_datasets_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("club").mkdir()
    for number, video in enumerate(sorted(Path("my-videos/videos").iterdir())):
        video.rename(f"club/athlete{number}_{number}.25.mp4")
    write_python_of("add-a-dataset")
    walk("add-a-dataset", **SHORT)


@pytest.mark.xdist_group("ray")
def test_the_guide_to_scale_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray_cluster: str) -> None:
    write_videos(tmp_path)
    monkeypatch.chdir(tmp_path)
    # A cluster started in this process would switch it to tokens, which that of the other tests has not.
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster)
    run_guide("scale", {"extract": SMALL, "fit": ["--device", "cpu"]})


def import_features(root: Path) -> None:
    """Thirty videos with scores, and features of them that follow the scores, in the store `features`."""
    noise = np.random.default_rng(0)
    (root / "my-videos").mkdir()
    (root / "arrays").mkdir()
    scores = noise.normal(60, 10, size=30).round(1)
    lines = [f"v{at},{score},{('train', 'test')[at % 2]}" for at, score in enumerate(scores)]
    (root / "my-videos" / "scores.csv").write_text("\n".join(["video,score,split", *lines]) + "\n")
    for at, score in enumerate(scores):
        features = noise.normal(size=(4, 6)) + (score - 60) / 10
        np.save(root / "arrays" / f"v{at}.npy", features.astype(np.float32))
    words = ["store", "import", "--dataset", "folder", "--root", "my-videos", "--features", "arrays"]
    result = CliRunner().invoke(cli.main, [*words, "--stream", "segments"])
    assert result.exit_code == 0, result.output


def test_the_guide_to_benches_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    import_features(tmp_path)
    walk("bench", AQA_BENCH_EPOCHS="2", AQA_BENCH_JOBS="1", AQA_BENCH_DEVICE="cpu")
    for made in ("bench/results.tex", "bench/leaderboard.html", "leaderboard.html"):
        assert (tmp_path / made).exists(), made


def write_skating_labels(root: Path) -> None:
    """Twelve performances of three broadcasts in the form of the official label file; no videos."""
    root.mkdir(parents=True)
    lines = [
        f"{at}_Worlds-abcdefghij{at % 3} {60 + at}.5 {30 + at}.0 30.5 {1000 * at} {1000 * at + 2400}"
        for at in range(1, 13)
    ]
    (root / "annotations.txt").write_text("\n".join(lines) + "\n")


def test_the_guide_to_papers_works_on_simulated_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without videos: commands that need them say so, the others do their work on what was simulated."""
    write_skating_labels(tmp_path / "data" / "mit-skating")
    monkeypatch.chdir(tmp_path)
    for store in ("features", "simulated"):
        simulation = ["simulate", "--like", "mit-skating", "--streams", "segments,crops", "--store", store]
        assert CliRunner().invoke(cli.main, simulation).exit_code == 0
    small = ["--epochs", "2", "--seeds", "0", "--split", "random-0", "--device", "cpu", "--threads", "1"]
    table = [
        "--rows",
        "i3d-svr-average",
        "--columns",
        "mit-skating",
        "--seeds",
        "0",
        "--jobs",
        "1",
        "--device",
        "cpu",
    ]
    expected = {"reproduce": 1}  # simulated features are refused
    for words in commands(next(guide for guide in GUIDES if guide.stem == "guide-reproduce")):
        if words[:2] == ["weights", "fetch"]:
            continue  # needs the network
        extra = (
            table
            if words[0] == "reproduce"
            else small
            if words[0] == "fit" and "--repeat" not in words
            else []
        )
        result = CliRunner().invoke(cli.main, [*words, *extra])
        wanted = 0 if "--simulated" in words else expected.get(words[0], 0)
        assert result.exit_code == wanted, (words, result.output)
    assert "SIMULATED" in (tmp_path / "results" / "sim" / "SIMULATED-table.md").read_text()
    assert (tmp_path / "both.html").exists()


def python_blocks(name: str) -> list[str]:
    """Return the Python blocks of a guide, in order."""
    text = next(guide for guide in GUIDES if guide.stem == f"guide-{name}").read_text()
    return [block.partition("```")[0] for block in text.split("```python\n")[1:]]


@pytest.mark.xdist_group("researcher")
def test_the_guide_to_python_works(
    researcher_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every block runs, one after the other as in a notebook, and holds at most five lines."""
    shutil.copytree(researcher_folder, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    first, *blocks = python_blocks("python")
    assert len(blocks) == 5
    names: dict[str, Any] = {}
    exec(first, names)
    values = []
    for block in blocks:
        assert len(block.splitlines()) <= 5, block
        values.append(run_block(block, names))
    score, interval, effects, _ = values[0]
    assert interval.low <= score <= interval.high
    assert effects.shape == (12,)
    assert values[1] == (9, (4, 512), (4, 2))
    assert values[2] == (0, 1, [])
    assert names["r2"].shape == (3,)
    assert names["new_scores"].shape == (2,)
    assert "ScoredVideo(new.mp4: score" in capsys.readouterr().out


def run_block(block: str, names: dict[str, Any]) -> Any:
    """Run a block of a notebook; return the value of its last expression, as a notebook shows it."""
    tree = ast.parse(block)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "guide", "exec"), names)
    return eval(compile(ast.Expression(last.value), "guide", "eval"), names) if last else None
