"""What a coach does: score videos, open the page, read the files."""

import csv
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

pytestmark = pytest.mark.xdist_group("scoring")  # one worker makes the runs for all of them


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_own_videos_get_a_score_a_page_and_files(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path]
) -> None:
    good = striped_video(tmp_path / "routine.mp4", num_frames=52, seed=20)
    formula = striped_video(tmp_path / "=cmd|' calc'!A0.mp4", num_frames=90, seed=21)
    (tmp_path / "broken.mp4").write_text("no video")
    missing = tmp_path / "missing.mp4"
    outputs = ["--html", tmp_path / "pages", "--json", tmp_path / "s.json", "--csv", tmp_path / "s.csv"]
    videos = [good, formula, tmp_path / "broken.mp4", missing]
    result = run("score", *videos, "--run", home / "run", *outputs, "--cache", tmp_path / "cache")
    assert result.exit_code == 3, result.output
    assert "routine.mp4: score " in result.output
    assert "interval" in result.output
    assert "of the scores of 7 training videos" in result.output
    assert "RANDOM WEIGHTS" in result.output
    assert "The video is longer than every training video: 9.0 s" in result.output
    assert f"{missing}: there is no such file." in result.output

    assert len(list((tmp_path / "pages").iterdir())) == 3
    index = (tmp_path / "pages" / "index.html").read_text()
    assert "2 videos scored, 2 with problems" in index
    assert 'href="./routine.mp4.html"' in index
    assert 'href="./index.html"' in (tmp_path / "pages" / "routine.mp4.html").read_text()
    assert "<b>missing.mp4</b>: there is no such file." in index
    rows = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
    assert [row["video"] for row in rows[:2]] == ["routine.mp4", "'=cmd|' calc'!A0.mp4"]
    assert rows[0]["flags"] == "RANDOM WEIGHTS; GROUPS OVERLAP"
    assert [bool(row["error"]) for row in rows] == [False, False, True, True]
    content = json.loads((tmp_path / "s.json").read_text())
    half = content["videos"][0]["interval"]["half_width"]
    assert float(rows[0]["score"]) == pytest.approx(content["videos"][0]["score"], abs=half / 100)
    assert len(rows[0]["score"]) <= 5, "three digits of the interval are all that it deserves"
    first = content["videos"][0]
    assert first["interval"]["low"] < first["score"] < first["interval"]["high"]
    assert len(first["seed_scores"]) == 2
    frames = first["streams"]["frames"]
    assert len(frames["attention"]) == len(frames["pts_seconds"]) == 5
    step_scores = frames["step_scores"]
    assert step_scores is None or len(step_scores) == 5, "None where ridge regression has most of the score"
    assert len(frames["effect"]) == 5
    assert sum(frames["attention"]) == pytest.approx(1, abs=1e-6)


def test_a_video_is_extracted_once_and_another_of_its_name_is_another(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path]
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = striped_video(tmp_path / "a" / "routine.mp4", num_frames=52, seed=20)
    other = striped_video(tmp_path / "b" / "routine.mp4", num_frames=70, seed=30)
    command = ["--run", home / "run", "--cache", tmp_path / "cache", "--json", tmp_path / "s.json"]

    def score(*videos: Path) -> tuple[list[float], dict[Path, int]]:
        result = run("score", *videos, *command)
        assert result.exit_code == 0, result.output
        scores = [video["score"] for video in json.loads((tmp_path / "s.json").read_text())["videos"]]
        return scores, {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.h5")}

    (first,), made = score(one)
    assert len(made) == 1
    again, kept = score(one, other)
    assert again[0] == first
    assert again[1] != first
    assert len(kept) == 2
    assert made.items() <= kept.items()


def test_features_are_kept_in_the_run_by_default(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path]
) -> None:
    video = striped_video(tmp_path / "routine.mp4", num_frames=52, seed=40)
    assert run("score", video, "--run", home / "run").exit_code == 0
    assert list((home / "run" / "scored-features").rglob("*.h5"))
    assert run("evaluate", home / "run").exit_code == 0


def test_a_training_video_under_another_name_is_recognised(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "brand-new.mp4"
    copy.write_bytes((home / "videos" / "v0.mp4").read_bytes())
    result = run("score", copy, "--run", home / "run", "--cache", tmp_path / "cache")
    assert "not scored: this file, or a part of it, is in the run's training set" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tracker", "nano"], "--tracker: for the stream tubes or pixels, not for frames"),
        (
            ["--init-box", "1,2,3,4"],
            "--init-box: for the stream tubes or crops or poses or pixels, not for frames",
        ),
        (["--detector", "yolo"], "--detector: the run reads frames, which need no detector"),
        (["--boxes", "BOXES"], "--boxes are for runs whose detector or tracker is `annotations`"),
    ],
)
def test_options_that_the_run_does_not_read_are_refused(
    home: Path, tmp_path: Path, options: list[str], message: str, write_boxes: Callable[..., Path]
) -> None:
    boxes = write_boxes(tmp_path / "boxes.csv", 5)
    words = [boxes if word == "BOXES" else word for word in options]
    result = run("score", home / "videos" / "v0.mp4", "--run", home / "run", *words)
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_boxes_of_one_video_are_not_taken_for_another(
    home: Path, tmp_path: Path, write_boxes: Callable[..., Path]
) -> None:
    videos = [home / "videos" / f"v{number}.mp4" for number in (0, 1)]
    result = run("score", *videos, "--run", home / "run", "--boxes", write_boxes(tmp_path / "b.csv", 5))
    assert result.exit_code == 2
    assert "--boxes: for one video; score these 2 one by one" in result.output


def test_embed_without_a_page_is_a_wrong_command_line(home: Path) -> None:
    result = run("score", home / "videos" / "v0.mp4", "--run", home / "run", "--embed")
    assert result.exit_code == 2
    assert "name one with --html" in result.output


def test_the_page_of_a_scored_video_opens_without_complaints(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path]
) -> None:
    """The browser's own tests stand with the pages; here the page is the one that the command makes."""
    video = striped_video(tmp_path / "routine.mp4", num_frames=52, seed=20, sample_aspect=Fraction(16, 11))
    page = tmp_path / "routine.html"
    command = ["score", video, "--run", home / "run", "--html", page, "--cache", tmp_path / "cache"]
    assert run(*command).exit_code == 0
    assert 'src="data:video/mp4' in page.read_text(), "a single page is meant to be sent"
    result = run(*command, "--link")
    assert result.exit_code == 0, result.output
    assert f"Page: {page}" in result.output
    text = page.read_text()
    assert "Frame scores" in text
    assert 'src="./routine.mp4"' in text
    assert "<dt>Pictures</dt><dd>scaled to square pixels from 16:11</dd>" in text
    assert "all scored videos" not in text, "a single page has no index to lead back to"


def test_a_folder_of_videos_is_all_of_them(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path], write_pictures: Callable[..., Path]
) -> None:
    folder = tmp_path / "monday"
    folder.mkdir()
    for seed, name in enumerate(("b.mp4", "a.mov")):
        striped_video(tmp_path / f"{seed}.mp4", num_frames=52, seed=30 + seed).rename(folder / name)
    write_pictures(folder / "c", number=20)
    (folder / "notes.txt").write_text("not a video")
    options = ["--run", home / "run", "--cache", tmp_path / "cache", "--fps", 5, "--csv", tmp_path / "s.csv"]
    result = run("score", folder, *options)
    assert result.exit_code == 0, result.output
    rows = csv.DictReader((tmp_path / "s.csv").read_text().splitlines())
    assert [row["video"] for row in rows] == ["a.mov", "b.mp4", "c"]

    result = run("score", folder, "--run", home / "run", "--boxes", home / "scores.csv")
    assert result.exit_code == 2
    assert "--boxes: for one video; score these 3 one by one" in result.output


def test_a_folder_is_of_videos_or_of_pictures(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path], write_pictures: Callable[..., Path]
) -> None:
    pictures = write_pictures(tmp_path / "p", number=20)
    options = ["--run", home / "run", "--cache", tmp_path / "cache"]
    result = run("score", pictures, *options, "--fps", 5)
    assert result.exit_code == 0, result.output
    assert "p: not scored: its frames lie" in result.output

    striped_video(pictures / "v.mp4", num_frames=52, seed=30)
    result = run("score", pictures, *options, "--fps", 5)
    assert result.exit_code == 1
    assert "holds pictures and videos (v.mp4): name the videos themselves" in result.output
    (tmp_path / "empty").mkdir()
    result = run("score", tmp_path / "empty", *options)
    assert result.exit_code == 1
    assert "holds neither videos nor pictures" in result.output


def test_several_videos_are_counted_as_they_are_scored(home: Path, tmp_path: Path) -> None:
    videos = [home / "videos" / f"v{number}.mp4" for number in range(2)]
    result = run("score", *videos, "--run", home / "run", "--cache", tmp_path / "cache")
    assert "1 of 2: v0.mp4" in result.stderr
    assert "2 of 2: v1.mp4" in result.stderr
    result = run("score", videos[0], "--run", home / "run", "--cache", tmp_path / "cache")
    assert "1 of 1" not in result.stderr
