"""The line `next: ...`: one command that works as it stands, from a folder of videos to a report."""

import shlex
from pathlib import Path

import av
import click
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.commands.next_step import as_a_part, fit_words, given_words, tell_next

SMALL = {
    "AQA_EXTRACT_STREAMS": "frames",
    "AQA_EXTRACT_BACKBONE": "resnet18",
    "AQA_EXTRACT_WEIGHTS": "random:0",
    "AQA_EXTRACT_DEVICE": "cpu",
    "AQA_EXTRACT_RUNTIME": "eager",
    "AQA_FIT_EPOCHS": "1",
    "AQA_FIT_SEEDS": "0",
    "AQA_FIT_DEVICE": "cpu",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make six short videos and a file that is no video, in a folder with a space in its name."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "my videos"
    root.mkdir()
    for number in range(6):
        noise = np.random.default_rng(number)
        with av.open(str(root / f"v{number}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(10):
                picture = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    (root / "v6.mp4").write_text("no video")
    lines = [f"v{number}.mp4,{number}.5,{'test' if number > 3 else 'train'}" for number in range(7)]
    (root / "scores.csv").write_text("\n".join(["video,score,split", *lines]) + "\n")
    return tmp_path


def aqa(*words: str) -> Result:
    return CliRunner().invoke(cli.main, list(words), env=SMALL)


def next_of(result: Result) -> list[str]:
    """Return the words of the line `next: ...`, which is the last one on stdout."""
    lines = [line for line in result.output.splitlines() if line.startswith("next: ")]
    assert len(lines) == 1, result.output
    assert result.stdout.splitlines()[-1] == lines[0]
    words = shlex.split(lines[0].removeprefix("next: "))
    assert words[0] == "aqa"
    return words[1:]


@pytest.mark.slow
def test_from_a_folder_of_videos_to_a_report(here: Path) -> None:
    """Every command is the one that the command before it named; a video that fails changes that."""
    place = ["--dataset", "folder", "--root", "my videos", "--name", "mine"]
    checked = aqa("datasets", "check", "folder", "--root", "my videos", "--name", "mine")
    assert next_of(checked) == ["extract", *place]
    part = aqa("extract", *place, "--limit", "2", "--workers", "1")
    assert next_of(part) == ["extract", *place, "--workers", "1"]
    rest = aqa(*next_of(part))
    assert rest.exit_code == 3
    fit = ["fit", "--head", "action-net", "--streams", "frames", *place]
    assert next_of(rest) == [*fit, "--allow-missing"]
    (here / "my videos" / "v6.mp4").write_bytes((here / "my videos" / "v5.mp4").read_bytes())
    mended = aqa("extract", *place)
    assert next_of(mended) == fit
    fitted = aqa(*next_of(mended))
    assert fitted.exit_code == 0, fitted.output
    assert next_of(fitted) == ["report", str(Path("runs") / "mine-action-net")]
    assert aqa(*next_of(fitted)).exit_code == 0
    assert Path("report.html").exists()
    another = aqa("extract", *place, "--weights", "random:1")
    (spec,) = [word for word in next_of(another) if word.startswith("frames=")]
    assert aqa(*next_of(another), "--out", "another").exit_code == 0, spec


def test_where_no_video_can_be_read_the_check_comes_again(here: Path) -> None:
    for path in (here / "my videos").glob("*.mp4"):
        path.write_text("no video")
    result = aqa("datasets", "check", "folder", "--root", "my videos")
    assert result.stdout.splitlines()[-1] == (
        "next: aqa datasets check folder --root 'my videos'   (after adding its videos)"
    )
    failed = aqa("extract", "--dataset", "folder", "--root", "my videos")
    assert next_of(failed) == ["datasets", "check", "folder", "--root", "my videos"]


def test_features_without_videos_are_learned_from(here: Path) -> None:
    """A head's own streams need no word; others are named."""
    (here / "skating").mkdir()
    lines = [f"{at}_Worlds-abcdefghij{at % 3} {60 + at}.5 {30 + at}.0 30.5 0 2400" for at in range(1, 13)]
    (here / "skating" / "annotations.txt").write_text("\n".join(lines) + "\n")
    place = ("--root", "skating", "--store", "simulated")
    assert aqa("simulate", "--like", "mit-skating", *place, "--streams", "segments").exit_code == 0
    fit = ["--dataset", "mit-skating", *place]
    checked = next_of(aqa("datasets", "check", "mit-skating", *place))
    assert checked == ["fit", "--head", "action-net", "--streams", "segments", *fit]
    assert aqa("simulate", "--like", "mit-skating", *place, "--streams", "crops").exit_code == 0
    checked = next_of(aqa("datasets", "check", "mit-skating", *place))
    assert checked == ["fit", "--head", "action-net", *fit]


def test_a_head_is_one_that_reads_what_is_there() -> None:
    def streams_of(head: str) -> tuple[str, ...]:
        return {"wd": ("clips",), "tsa": ("tubes",)}.get(head, ("segments", "crops"))

    assert fit_words(["tubes"], streams_of) == ["--head", "tsa"]
    assert fit_words(["segments", "clips"], streams_of) == ["--head", "wd"]
    assert fit_words(["frames"], streams_of) == ["--head", "action-net", "--streams", "frames"]
    assert fit_words(["frames"], streams_of, head="mine") == ["--head", "mine", "--streams", "frames"]
    assert fit_words(["segments", "crops", "frames"], streams_of) == ["--head", "action-net"]


def test_a_command_within_another_leaves_the_word_to_that_one(capsys: pytest.CaptureFixture[str]) -> None:
    with as_a_part():
        tell_next("fit")
    tell_next("score", "a b.mp4")
    assert capsys.readouterr().out == "next: aqa score 'a b.mp4'\n"


def test_words_are_those_that_were_typed() -> None:
    @click.command(context_settings={"auto_envvar_prefix": "AQA"})
    @click.argument("name")
    @click.option("--pair", "pairs", multiple=True)
    @click.option("--number", type=int, default=3)
    @click.option("--flag", is_flag=True)
    @click.option("--root")
    @click.pass_context
    def command(ctx: click.Context, **options: object) -> None:
        click.echo(given_words(ctx, without=("name",)))
        click.echo(given_words(ctx, only=("root",)))

    words = ["x", "--pair", "a=1", "--pair", "b=2", "--flag", "--root", "r"]
    lines = CliRunner().invoke(command, words, env={"AQA_NUMBER": "4"}).output.splitlines()
    assert lines == [str(["--pair", "a=1", "--pair", "b=2", "--flag", "--root", "r"]), "['--root', 'r']"]
