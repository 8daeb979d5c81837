"""`aqa score --features`: JSON, CSV and page of the same scores; which options belong together."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def rows_of(club, name: str, stream: str = "clips") -> np.ndarray:
    return club.store.read("club", name, club.spec(stream)).features


@pytest.fixture
def features(club, tmp_path: Path) -> Path:
    """Return a folder of features of three new videos near the training videos, and of a training video."""
    folder = tmp_path / "features"
    folder.mkdir()
    for name in ("v01", "v03", "v05"):
        np.save(folder / f"new-{name}.npy", rows_of(club, name) + np.float32(0.01))
    np.save(folder / "v00.npy", rows_of(club, "v00"))
    return folder


def test_json_csv_and_the_terminal_agree(club, features: Path, tmp_path: Path) -> None:
    files = ("--json", tmp_path / "s.json", "--csv", tmp_path / "s.csv")
    result = aqa("score", "--features", features, "--run", club.run("wd"), *files)
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "s.json").read_text())
    table = {row["video"]: row for row in csv.DictReader((tmp_path / "s.csv").read_text().splitlines())}
    assert [video["video"] for video in content["videos"]] == list(table) == sorted(table)
    for video in content["videos"]:
        row = table[video["video"]]
        if video["score"] is None:
            assert row["score"] == row["interval_low"] == row["percentile"] == ""
            assert row["not_scored"] == video["not_scored"]
            continue
        digits = len(row["score"].partition(".")[2])
        for column, value in {
            "score": video["score"],
            "interval_low": video["interval"]["low"],
            "interval_high": video["interval"]["high"],
            "seed_std": video["seed_std"],
        }.items():
            assert row[column] == f"{value:.{digits}f}", column
        half = video["interval"]["half_width"]
        assert f"{video['video']}: score {video['score']:.{digits}f} ± {half:.{digits}f}" in result.stdout
        assert row["percentile"] == f"{video['percentile']:.0f}"
        assert np.mean(video["seed_scores"]) == pytest.approx(video["score"])
    assert table["v00"]["not_scored"] == "Not scored: this video is in the run's training set."
    assert content["failures"] == {}
    assert (content["head"], content["variant"], content["target"]) == ("wd", "paper", "score")


def test_a_score_below_every_training_score_is_above_0_percent(club, tmp_path: Path) -> None:
    """Zero is a number: the field holds 0, as the page and the terminal do."""
    mean = np.mean([rows_of(club, name).mean(axis=0) for name in club.ids], axis=0)
    low, high = ([rows_of(club, name) for name in club.ids][at] for at in _lowest_and_highest(club))
    direction = high.mean(axis=0) - low.mean(axis=0)
    np.save(tmp_path / "bad.npy", np.tile(mean - 1.2 * direction, (4, 1)).astype(np.float32))
    files = ("--csv", tmp_path / "s.csv", "--json", tmp_path / "s.json")
    result = aqa("score", "--features", tmp_path / "bad.npy", "--run", club.run("svr"), *files)
    assert result.exit_code == 0, result.output
    (video,) = json.loads((tmp_path / "s.json").read_text())["videos"]
    (row,) = csv.DictReader((tmp_path / "s.csv").read_text().splitlines())
    assert video["percentile"] == 0.0
    if video["not_scored"] is None:
        assert row["percentile"] == "0"
        assert "Higher than 0 % of the scores of 15 training videos" in result.stdout


def _lowest_and_highest(club) -> tuple[int, int]:
    scores = [video.labels["score"] for video in club.dataset.videos]
    return int(np.argmin(scores)), int(np.argmax(scores))


def test_a_row_lasts_as_long_as_the_run_says_or_the_option(club, features: Path, tmp_path: Path) -> None:
    target = tmp_path / "s.json"
    for options, seconds in (
        ((), 2.0),
        (("--step-seconds", "0.5"), 0.5),
        (("--step-seconds", "clips=3"), 3.0),
    ):
        result = aqa("score", "--features", features, "--run", club.run("wd"), "--json", target, *options)
        assert result.exit_code == 0, result.output
        for video in json.loads(target.read_text())["videos"]:
            times = np.array(video["streams"]["clips"]["pts_seconds"])
            assert np.allclose(np.diff(times, axis=1), seconds)
            assert video["duration_seconds"] == pytest.approx(seconds * len(times))


def test_a_step_length_of_a_stream_that_the_run_does_not_read_is_refused(club, features: Path) -> None:
    """A misspelled stream would leave the run's own step length in place without a word."""
    result = aqa("score", "--features", features, "--run", club.run("wd"), "--step-seconds", "clps=3")
    assert result.exit_code in (1, 2), result.output
    assert "clps" in result.output
    assert "clips" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--step-seconds", "nan"), "--step-seconds wants a number above 0, such as 3.2; got 'nan'."),
        (("--step-seconds", "inf"), "--step-seconds wants a number above 0, such as 3.2; got 'inf'."),
        (("--step-seconds", "clips="), "got 'clips='."),
        (("--step-seconds", "-1"), "got '-1'."),
        (("--difficulty", "0"), "0 is not in the range x>0"),
        (("--embed",), "--embed: for videos, not for --features."),
        (("--boxes", "HERE"), "--boxes: for videos, not for --features."),
        (("--reader", "pyav", "--runtime", "eager"), "for videos, not for --features."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_options_that_do_not_belong_to_features_are_refused(
    club, features: Path, options: tuple[str, ...], message: str
) -> None:
    words = [features if word == "HERE" else word for word in options]
    result = aqa("score", "--features", features, "--run", club.run("wd"), *words)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())


def test_a_difficulty_is_for_one_video_and_for_runs_of_execution(club, features: Path) -> None:
    several = aqa("score", "--features", features, "--run", club.run("wd"), "--difficulty", "2")
    assert several.exit_code in (1, 2)
    one = aqa("score", "--features", features / "new-v01.npy", "--run", club.run("wd"), "--difficulty", "2")
    assert one.exit_code == 1
    assert "was given the difficulty 2.0: expected a number above 0, once, for a run of" in one.output


def test_an_execution_run_multiplies_by_the_difficulty_of_the_video(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=24)
    common = ("--head", "svr-average", "--streams", "clips", "--seeds", "0", "--split", "given")
    fitted = aqa("fit", *club.options, *common, "--difficulty", "--device", "cpu", "--out", tmp_path / "run")
    assert fitted.exit_code == 0, fitted.output
    np.save(tmp_path / "new.npy", rows_of(club, "v01") + np.float32(0.01))
    scores = {}
    for difficulty in (1, 2.5):
        options = ("--difficulty", difficulty, "--json", tmp_path / "s.json")
        result = aqa("score", "--features", tmp_path / "new.npy", "--run", tmp_path / "run", *options)
        assert result.exit_code == 0, result.output
        (video,) = json.loads((tmp_path / "s.json").read_text())["videos"]
        scores[difficulty] = video["score"]
    assert scores[2.5] == pytest.approx(2.5 * scores[1])
    without = aqa("score", "--features", tmp_path / "new.npy", "--run", tmp_path / "run")
    assert without.exit_code == 3
    assert (
        "the score is execution x difficulty: give the video's difficulty with --difficulty."
        in without.output
    )


def test_a_split_chooses_the_networks(club, features: Path, tmp_path: Path) -> None:
    unknown = aqa("score", "--features", features, "--run", club.run("wd"), "--split", "gven")
    assert unknown.exit_code == 1
    assert "unknown split of the run 'gven'. Did you mean 'given'? Known: all, given." in unknown.output
    scores = []
    for options in ((), ("--split", "given"), ("--split", "all")):
        aqa("score", "--features", features, "--run", club.run("wd"), *options, "--json", tmp_path / "s.json")
        scores.append([v["score"] for v in json.loads((tmp_path / "s.json").read_text())["videos"]])
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize("page", ["pages", "one.html"])
def test_the_index_page_of_features_lists_scores_and_failures(
    club, features: Path, tmp_path: Path, page: str
) -> None:
    (features / "broken.npy").write_bytes(b"not an array")
    (features / "empty.csv").write_text("")
    result = aqa("score", "--features", features, "--run", club.run("wd"), "--html", tmp_path / page)
    assert result.exit_code == 3, result.output
    path = tmp_path / page if page.endswith(".html") else tmp_path / page / "index.html"
    assert f"Page: {path}" in result.stdout.splitlines()
    text = path.read_text()
    assert "3 videos scored, 1 not scored, 2 with problems" in text
    assert "<b>broken</b>: " in text
    assert "<b>empty</b>: " in text


def test_two_files_of_one_video_are_told_apart_by_nothing(club, features: Path) -> None:
    np.savez(features / "new-v01.npz", rows_of(club, "v01"))
    result = aqa("score", "--features", features, "--run", club.run("wd"))
    assert result.exit_code == 1
    assert "new-v01.npz and new-v01.npy belong to one video: keep one of them." in result.output


def test_a_run_may_be_moved_and_its_store_and_dataset_gone(club, features: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(club.run("wd"), tmp_path / "elsewhere" / "moved")
    values = json.loads((moved / "config.json").read_text())
    values["store"], values["dataset"]["root"] = "/nowhere/features", "/nowhere/club"
    (moved / "config.json").write_text(json.dumps(values))
    outputs = [aqa("score", "--features", features, "--run", run).stdout for run in (club.run("wd"), moved)]
    assert outputs[0] == outputs[1] != ""
