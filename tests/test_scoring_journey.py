"""What a coach and a reviewer do: score videos, open the page, report on runs, see what is sampled."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli

SMALL_NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_video(
    path: Path, *, num_frames: int, seed: int, fps: int = 10, sample_aspect: Fraction = Fraction(1)
) -> Path:
    """Write a small h264 file of moving stripes."""
    rows, columns = np.mgrid[0:64, 0:96]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = sample_aspect
        for index in range(num_frames):
            stripes = 127 + 120 * np.sin((columns + seed * rows + 3 * index) / 7)
            picture = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with own videos, their scores, their features and two runs."""
    home = tmp_path_factory.mktemp("own")
    (home / "videos").mkdir(parents=True)
    lines = ["video,score,split,group"]
    for number in range(10):
        write_video(home / "videos" / f"v{number}.mp4", num_frames=50 + number, seed=number)
        lines.append(f"v{number}.mp4,{number}.5,{'test' if number % 3 == 2 else 'train'},event {number % 2}")
    (home / "scores.csv").write_text("\n".join(lines) + "\n")
    data = ["--dataset", "folder", "--root", home, "--store", home / "features"]
    assert run("extract", *data, *SMALL_NETWORK).exit_code == 0
    for name, seeds in (("run", "0,1"), ("other", "2,3")):
        chosen = ["--head", "wd", "--streams", "frames", "--epochs", 2, "--seeds", seeds, "--device", "cpu"]
        result = run("fit", *data, *chosen, "--out", home / name)
        assert result.exit_code == 0, result.output
    return home


def test_own_videos_get_a_score_a_page_and_files(home: Path, tmp_path: Path) -> None:
    good = write_video(tmp_path / "routine.mp4", num_frames=52, seed=20)
    formula = write_video(tmp_path / "=cmd|' calc'!A0.mp4", num_frames=90, seed=21)
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
    assert len(frames["attention"]) == len(frames["pts_seconds"]) == len(frames["step_scores"]) == 5
    assert sum(frames["attention"]) == pytest.approx(1, abs=1e-6)


def test_a_video_is_extracted_once_and_another_of_its_name_is_another(home: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = write_video(tmp_path / "a" / "routine.mp4", num_frames=52, seed=20)
    other = write_video(tmp_path / "b" / "routine.mp4", num_frames=70, seed=30)
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


def test_features_are_kept_in_the_run_by_default(home: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "routine.mp4", num_frames=52, seed=40)
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
        (["--tracker", "nano"], "--tracker: for the stream tubes, not for frames"),
        (["--init-box", "1,2,3,4"], "--init-box: for the stream tubes or crops, not for frames"),
        (["--detector", "yolo"], "--detector: the run reads frames, which need no detector"),
        (["--boxes", "BOXES"], "--boxes are for runs whose detector or tracker is `annotations`"),
    ],
)
def test_options_that_the_run_does_not_read_are_refused(
    home: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    boxes = write_boxes(tmp_path / "boxes.csv", 5)
    words = [boxes if word == "BOXES" else word for word in options]
    result = run("score", home / "videos" / "v0.mp4", "--run", home / "run", *words)
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_boxes_of_one_video_are_not_taken_for_another(home: Path, tmp_path: Path) -> None:
    videos = [home / "videos" / f"v{number}.mp4" for number in (0, 1)]
    result = run("score", *videos, "--run", home / "run", "--boxes", write_boxes(tmp_path / "b.csv", 5))
    assert result.exit_code == 2
    assert "--boxes: for one video; score these 2 one by one" in result.output


def test_embed_without_a_page_is_a_wrong_command_line(home: Path) -> None:
    result = run("score", home / "videos" / "v0.mp4", "--run", home / "run", "--embed")
    assert result.exit_code == 2
    assert "name one with --html" in result.output


def test_a_report_links_the_worst_videos_and_leaves_plots_in_the_run(home: Path, tmp_path: Path) -> None:
    result = run("report", home / "run", "--html", tmp_path / "report.html", "--worst", 2)
    assert result.exit_code == 0, result.output
    pages = list((tmp_path / "report-videos").rglob("*.html"))
    assert len(pages) == 2
    text = (tmp_path / "report.html").read_text()
    for page in pages:
        assert f'href="./{page.relative_to(tmp_path).as_posix()}"' in text
    assert "RANDOM WEIGHTS" in text
    assert "The groups are those of the dataset." in text
    assert "The judges gave" in pages[0].read_text()
    assert all("← the report</a>" in page.read_text() for page in pages)
    names = {path.name for path in (home / "run" / "plots").iterdir()}
    plots = ("predictions", "residuals", "learning-curves", "epoch-gap")
    assert names == {f"{plot}.{kind}" for plot in plots for kind in ("svg", "png")}


def test_runs_are_compared_on_one_page(home: Path, tmp_path: Path) -> None:
    html = tmp_path / "both.html"
    result = run("report", home / "run", home / "other", "--html", html, "--worst", 0)
    assert result.exit_code == 0, result.output
    text = html.read_text()
    assert "2 runs compared" in text
    assert "not comparable: " in text  # the runs have no seed in common


def test_a_report_works_where_the_videos_are_gone(home: Path, tmp_path: Path) -> None:
    config = json.loads((home / "run" / "config.json").read_text())
    config["dataset"]["root"] = str(tmp_path / "gone")
    moved = tmp_path / "run"
    moved.mkdir()
    for path in (home / "run").rglob("split-*/**/*"):
        if path.is_file():
            target = moved / path.relative_to(home / "run")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (moved / "config.json").write_text(json.dumps(config))
    result = run("report", moved, "--html", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    assert f"no page: the dataset is not at {tmp_path / 'gone'}" in (tmp_path / "report.html").read_text()


def test_a_folder_that_is_no_run_is_one_message(tmp_path: Path) -> None:
    result = run("report", tmp_path, "--html", tmp_path / "report.html")
    assert result.exit_code == 1
    assert "is not a run directory" in result.output


def write_boxes(path: Path, num_frames: int) -> Path:
    rows = [f"{frame},10,8,{40 + frame % 20},60" for frame in range(num_frames)]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]) + "\n")
    return path


def test_a_preview_shows_what_is_sampled_without_any_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setenv("AQA_HOME", str(tmp_path / "no weights here"))
    video = write_video(tmp_path / "routine.mp4", num_frames=80, seed=1)
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


def test_a_preview_takes_no_dataset(tmp_path: Path) -> None:
    video = write_video(tmp_path / "routine.mp4", num_frames=20, seed=1)
    result = run("extract", "--preview", video, "--dataset", "folder")
    assert result.exit_code == 2
    assert "--preview shows one video: leave out --dataset" in result.output


def test_the_page_of_a_scored_video_opens_without_complaints(home: Path, tmp_path: Path) -> None:
    """The browser's own tests stand with the pages; here the page is the one that the command makes."""
    video = write_video(tmp_path / "routine.mp4", num_frames=52, seed=20, sample_aspect=Fraction(16, 11))
    page = tmp_path / "routine.html"
    result = run("score", video, "--run", home / "run", "--html", page, "--cache", tmp_path / "cache")
    assert result.exit_code == 0, result.output
    assert f"Page: {page}" in result.output
    text = page.read_text()
    assert "Frame scores" in text
    assert 'src="./routine.mp4"' in text
    assert "<dt>Pictures</dt><dd>scaled to square pixels from 16:11</dd>" in text
    assert "all scored videos" not in text, "a single page has no index to lead back to"


def write_pictures(folder: Path, *, number: int) -> Path:
    folder.mkdir()
    for index in range(number):
        Image.new("RGB", (96, 64), (8 * index, 90, 40)).save(folder / f"{index:04d}.png")
    return folder


def test_a_folder_of_videos_is_all_of_them(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    folder.mkdir()
    for seed, name in enumerate(("b.mp4", "a.mov")):
        write_video(tmp_path / f"{seed}.mp4", num_frames=52, seed=30 + seed).rename(folder / name)
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


def test_a_folder_is_of_videos_or_of_pictures(home: Path, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "p", number=20)
    options = ["--run", home / "run", "--cache", tmp_path / "cache"]
    result = run("score", pictures, *options, "--fps", 5)
    assert result.exit_code == 0, result.output
    assert "p: not scored: its frames lie" in result.output

    write_video(pictures / "v.mp4", num_frames=52, seed=30)
    result = run("score", pictures, *options, "--fps", 5)
    assert result.exit_code == 1
    assert "holds pictures and videos (v.mp4): name the videos themselves" in result.output
    (tmp_path / "empty").mkdir()
    result = run("score", tmp_path / "empty", *options)
    assert result.exit_code == 1
    assert "holds neither videos nor pictures" in result.output


def test_a_preview_of_pictures_takes_their_rate(tmp_path: Path) -> None:
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


def test_several_videos_are_counted_as_they_are_scored(home: Path, tmp_path: Path) -> None:
    videos = [home / "videos" / f"v{number}.mp4" for number in range(2)]
    result = run("score", *videos, "--run", home / "run", "--cache", tmp_path / "cache")
    assert "1 of 2: v0.mp4" in result.stderr
    assert "2 of 2: v1.mp4" in result.stderr
    result = run("score", videos[0], "--run", home / "run", "--cache", tmp_path / "cache")
    assert "1 of 1" not in result.stderr


def test_boxes_of_the_environment_are_for_previews(home: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("AQA_EXTRACT_BOXES", str(home / "scores.csv"))
    data = ["--dataset", "folder", "--root", home, "--store", tmp_path / "s", "--limit", 1]
    result = run("extract", *data, *SMALL_NETWORK)
    assert result.exit_code == 0, result.output
