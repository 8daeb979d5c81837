"""A project remembers: init, check, learn and score without options."""

from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa.verdict import _apart

NUM_VIDEOS = 10
SMALL = {  # no download, and short trainings
    "AQA_EXTRACT_BACKBONE": "resnet18",
    "AQA_EXTRACT_WEIGHTS": "random:0",
    "AQA_EXTRACT_STREAMS": "frames",
    "AQA_EXTRACT_RUNTIME": "eager",
    "AQA_EXTRACT_DEVICE": "cpu",
    "AQA_FIT_STREAMS": "frames",
    "AQA_FIT_SEEDS": "0",
    "AQA_FIT_EPOCHS": "1",
    "AQA_FIT_DEVICE": "cpu",
    "AQA_SCORE_DEVICE": "cpu",
}


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_video(path: Path, *, brightness: int) -> None:
    noise = np.random.default_rng(brightness)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(10):
            picture = noise.integers(0, brightness, (32, 32, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a new project with videos and no scores yet, and go there."""
    videos = tmp_path / "my-videos" / "videos"
    videos.mkdir(parents=True)
    for at in range(NUM_VIDEOS):
        write_video(videos / f"v{at}.mp4", brightness=20 * at + 20)
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    result = aqa("init", "my-videos", "--head", "ridge")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-2:] == ["then: cd my-videos", "next: aqa check"]
    monkeypatch.chdir("my-videos")
    return tmp_path / "my-videos"


def enter_scores(project: Path, scores: list[float]) -> None:
    lines = (project / "scores.csv").read_text().splitlines()
    assert lines[:2] == ["video,score,athlete,date,element", "v0.mp4,,,,"]
    filled = [
        f"{line.split(',')[0]},{score},{at % 5}"
        for at, (line, score) in enumerate(zip(lines[1:], scores, strict=False))
    ]
    (project / "scores.csv").write_text("\n".join(["video,score,group", *filled]) + "\n")


def test_check_waits_for_scores_and_then_says_how_long_learning_takes(project: Path) -> None:
    before = aqa("check")
    assert "0 videos with a score: a verdict needs at least 10" in before.stdout
    assert before.stdout.endswith("next: aqa check   (after adding scores)\n")
    enter_scores(project, [at + 0.5 for at in range(NUM_VIDEOS)])
    after = aqa("check")
    assert after.exit_code == 0
    assert (
        "On two CPU cores `aqa learn` takes about 0:03 to extract all videos, and 0:40 to train."
        in after.stdout
    )
    assert after.stdout.endswith("next: aqa learn\n")
    (project / "videos" / "v3.mp4").unlink()
    assert aqa("check").exit_code == 3


@pytest.mark.slow
def test_learn_and_score_need_no_options_and_a_changed_score_makes_a_new_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_video(project / "videos" / "new.mp4", brightness=105)
    scores = [at + 0.5 for at in range(NUM_VIDEOS)]
    enter_scores(project, scores)
    text = (project / "aqa.toml").read_text()
    (project / "aqa.toml").write_text(text.replace("# folds = ", "folds = 2"))
    learned = aqa("learn")
    assert learned.exit_code == 0, learned.output
    *_, errors, verdict, tested, following = learned.stdout.splitlines()
    assert errors.startswith("Mean error ")
    assert "usable" in verdict.lower()
    assert tested == "10 different videos tested, groups kept apart."
    assert following == "next: aqa score VIDEO"
    assert (project / "runs" / "mine" / "summary.json").is_file()

    text = (project / "scores.csv").read_text().replace("score,group", "score,athlete")
    (project / "scores.csv").write_text(text + "new.mp4,,0\n")
    assert aqa("diary", "0").stdout.endswith("keeps it for the diary.\n")
    monkeypatch.chdir(project / "videos")
    assert "new.mp4: " in aqa("score", "new.mp4").stdout
    diary = aqa("diary", "0")
    assert diary.exit_code == 0, diary.output
    assert "Not scored yet" not in diary.stdout
    (project / "scores.csv").write_text(text)
    assert "Mean error " in aqa("evaluate").stdout

    monkeypatch.chdir(project)
    assert "(0 trained, 2 already there)" in aqa("learn").stdout
    text = (project / "scores.csv").read_text()
    (project / "scores.csv").write_text(text.replace("v0.mp4,0.5", "v0.mp4,1.5"))
    again = aqa("learn")
    assert again.exit_code == 0, again.output
    (old,) = (project / "runs").glob("mine-until-*")
    assert f"The old run: runs/{old.name}" in again.stdout
    assert "(2 trained, 0 already there)" in again.stdout


def test_the_diary_shows_the_judges_scores_before_anything_is_learned(project: Path) -> None:
    (project / "scores.csv").write_text(
        "video,score,athlete,date\nv0.mp4,1.5,Ann,2026-05-01\nv1.mp4,2.5,Ann,\n"
    )
    result = aqa("diary", "--csv", "diary.csv", "--html", "diary.html")
    assert result.exit_code == 0, result.output
    assert "2026-05-01  v0.mp4" in result.stdout
    assert result.stderr == "Predicted scores come after `aqa learn`.\n"
    assert (project / "diary.csv").read_text().splitlines()[1] == "Ann,,2026-05-01,v0.mp4,1.5,,,,,yes"
    assert "Diary of Ann: score" in (project / "diary.html").read_text()


def test_the_diary_shows_the_target_of_the_project(project: Path) -> None:
    (project / "scores.csv").write_text(
        "video,score,score:form,athlete\nv0.mp4,1.5,7,Ann\nv1.mp4,2.5,8,Ann\n"
    )
    text = (project / "aqa.toml").read_text()
    (project / "aqa.toml").write_text(text.replace("# target = ", 'target = "form"'))
    assert "8.00" in aqa("diary").stdout
    (project / "runs" / "mine" / "form").mkdir(parents=True)
    (project / "runs" / "mine" / "form" / "config.json").write_text("{}")
    result = aqa("diary")
    assert result.exit_code == 1
    assert "runs/mine" in result.stderr


def test_a_project_needs_a_folder_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("check", "learn"):
        result = aqa(command)
        assert result.exit_code == 1
        assert "make a project with `aqa init FOLDER`" in result.stderr


@pytest.mark.parametrize(
    ("flags", "has_groups", "words"),
    [
        ((), True, "groups kept apart"),
        (("GROUPS OVERLAP",), True, "GROUPS OVERLAP: no fair test"),
        ((), False, "no groups: name the athletes in the column `athlete`, so that each is kept apart"),
    ],
)
def test_the_last_line_says_whether_athletes_were_kept_apart(
    flags: tuple[str, ...], has_groups: bool, words: str
) -> None:
    assert _apart(flags, has_groups=has_groups) == words
