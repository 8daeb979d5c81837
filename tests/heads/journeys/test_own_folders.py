"""What a user's own folder may bring: ties, constants, few videos, odd names, streams that lack videos."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from heads.runs.trained_cell import read_cell

SVR = ("--head", "svr-average", "--streams", "clips", "--seeds", "0", "--device", "cpu")
WD = ("--head", "wd", "--seeds", "0", "--epochs", "1", "--device", "cpu")


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def summary_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "summary.json").read_text())


def test_equal_scores_in_the_test_set_have_an_error_and_no_correlation(make_club, tmp_path: Path) -> None:
    """Test videos that all have one score have no order: null in the file, "undefined" in the text."""
    scores = [50.0 if number % 2 else 40.0 + number for number in range(24)]
    club = make_club(tmp_path, scores=scores)
    result = aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    (cell,) = summary_of(tmp_path / "run")["cells"]
    assert cell["scores"]["spearman"] is None
    assert cell["scores"]["relative_l2"] is None
    assert cell["scores"]["mean_error"] > 0
    assert "undefined" in result.stdout
    report = aqa("report", tmp_path / "run", "--html", tmp_path / "r.html", "--worst", 1)
    assert report.exit_code == 0, report.output
    assert "undefined" in (tmp_path / "r.html").read_text()


def test_scores_of_two_values_are_ranked_with_ties(make_club, tmp_path: Path) -> None:
    from scipy.stats import spearmanr

    club = make_club(tmp_path, scores=[50.0 + 10 * (number // 2 % 2) for number in range(32)])
    assert aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run").exit_code == 0
    rows = [
        row for row in read_cell(tmp_path / "run", split="given", seed=0).predictions if row.part == "test"
    ]
    expected = spearmanr([row.predicted for row in rows], [row.true for row in rows]).statistic
    assert summary_of(tmp_path / "run")["cells"][0]["scores"]["spearman"] == pytest.approx(expected)
    assert expected > 0.5, "the features follow the scores"


def test_equal_training_scores_cannot_be_learned(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, scores=[40.0 + number if number % 2 else 50.0 for number in range(12)])
    for head in (SVR, WD):
        result = aqa("fit", *club.options, *head, "--split", "given", "--out", tmp_path / "run")
        assert result.exit_code == 1
        assert "a score scale from 50.0 to 50.0 has no range" in result.output or (
            "a score scale from 0.0 to 0.0 has no range" in result.output
        )
        assert "Are all training labels equal?" in result.output
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("num_videos", [2, 3])
def test_two_or_three_videos_are_too_few_and_it_is_said(make_club, tmp_path: Path, num_videos: int) -> None:
    club = make_club(tmp_path, num_videos=num_videos)
    result = aqa("fit", *club.options, *SVR, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "to test on that have features: expected at least 2 of each." in result.output
    assert "Extract more videos, or name another split." in result.output


def test_four_videos_are_fitted_and_said_to_be_too_few_for_a_verdict(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, scores=[41.0, 52.0, 63.0, 57.0])
    result = aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "Not usable yet: a verdict needs at least 10 different test videos; there are 2." in result.stdout
    assert "too few videos" in result.stdout
    report = aqa("report", tmp_path / "run", "--html", tmp_path / "r.html")
    assert report.exit_code == 0, report.output


ODD = [
    "Kür 1",
    "a b",
    "naïve",
    "羽生",
    "100%",
    "#1",
    "it's",
    "q?x=1",
    "..hidden",
    "con",
    "x" * 120,
    "(1)",
    "v;1",
    "a&b",
    "$HOME",
    "-rf",
]


def test_names_of_any_kind_go_through_fit_evaluate_report_and_score(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, scores=[40.0 + 2 * number for number in range(len(ODD))], names=ODD)
    assert {video.video_id for video in club.dataset.videos} == set(ODD)
    run = tmp_path / "my run (1) #2"
    result = aqa("fit", *club.options, *SVR, "--split", "given", "--out", run)
    assert result.exit_code == 0, result.output
    tested = [row for row in read_cell(run, split="given", seed=0).predictions if row.part == "test"]
    assert {row.video_id for row in tested} == {name for number, name in enumerate(ODD) if number % 2}
    assert aqa("evaluate", run).exit_code == 0
    report = aqa("report", run, "--html", tmp_path / "r.html", "--worst", len(tested))
    assert report.exit_code == 0, report.output
    text = (tmp_path / "r.html").read_text()
    assert "羽生" in text
    assert "a&amp;b" in text
    folder = tmp_path / "given"
    folder.mkdir()
    for row in tested:
        record = club.store.read("club", row.video_id, club.spec("clips"))
        np.save(folder / f"{row.video_id}.npy", record.features)
    scored = aqa("score", "--features", folder, "--run", run, "--json", tmp_path / "s.json")
    assert scored.exit_code == 0, scored.output
    told = {
        video["video"]: video["score"] for video in json.loads((tmp_path / "s.json").read_text())["videos"]
    }
    assert told == pytest.approx({row.video_id: row.predicted for row in tested}, abs=1e-4)


def test_a_stream_that_lacks_one_video_names_it_and_the_command(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12, streams=("segments", "crops"), lacking={"crops": ["v05"]})
    net = ("--head", "action-net", "--seeds", "0", "--epochs", "1", "--split", "given", "--device", "cpu")
    result = aqa("fit", *club.options, *net, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "1 of 12 videos lack features" in result.output
    assert "  v05: no crops\n" in result.output
    assert f"aqa extract --dataset folder --root {club.root / 'club'} --store" in result.output
    assert "--streams crops`" in result.output
    allowed = aqa("fit", *club.options, *net, "--allow-missing", "--out", tmp_path / "run")
    assert allowed.exit_code == 0, allowed.output
    assert "Left out for want of features: 1 video (v05)." in allowed.stderr
    alone = aqa("fit", *club.options, *net, "--streams", "segments", "--out", tmp_path / "segments")
    assert alone.exit_code == 0, alone.output
    assert len(read_cell(tmp_path / "segments", split="given", seed=0).predictions) == 12


def test_gaps_in_the_table_are_left_out_and_named(make_club, tmp_path: Path) -> None:
    """A mark that is absent leaves the video out; one that cannot be read is a problem of the table."""
    club = make_club(tmp_path, num_videos=16)
    table = club.root / "club" / "scores.csv"
    lines = table.read_text().splitlines()
    for number, mark in ((3, ""), (6, "DNF"), (9, "sixty")):
        fields = lines[number + 1].split(",")
        fields[1] = mark
        lines[number + 1] = ",".join(fields)
    table.write_text("\n".join(lines) + "\n")
    result = aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    used = {row.video_id for row in read_cell(tmp_path / "run", split="given", seed=0).predictions}
    assert not {"v03", "v06", "v09"} & used
    assert {"v00", "v01", "v15"} <= used
    assert "Left out for want of a score: " in result.stderr
    assert "v03" in result.stderr
    assert "sixty" in result.stderr


def test_predictions_that_are_all_equal_are_no_result_and_no_crash(make_club, tmp_path: Path) -> None:
    """Features that are the same in every video teach nothing: a constant prediction has no order."""
    from aqa_pipeline.records import Record

    club = make_club(tmp_path, num_videos=24)
    spec = club.spec("clips")
    for name in club.ids:
        old = club.store.read("club", name, spec)
        same = np.ones((4, 12), np.float32)
        club.store.write(Record("club", name, spec, same, old.pts_seconds[:4], old.source))
    result = aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert summary_of(tmp_path / "run")["cells"][0]["scores"]["spearman"] is None
    assert "Not usable yet" in result.stdout
    compared = aqa("compare", tmp_path / "run", tmp_path / "run")
    assert (
        "No conclusion: a correlation is undefined because its predictions are all equal." in compared.stdout
    )
    assert aqa("report", tmp_path / "run", "--html", tmp_path / "r.html", "--worst", 0).exit_code == 0


def test_a_table_that_is_extended_is_another_run(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12)
    assert aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run").exit_code == 0
    table = club.root / "club" / "scores.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:-1], lines[-1].replace(lines[-1].split(",")[1], "33.0", 1)]) + "\n")
    again = aqa("fit", *club.options, *SVR, "--split", "given", "--out", tmp_path / "run")
    assert again.exit_code == 1
    assert "splits.given.data_sha256: " in again.output
    assert "Name another --out, or ask for the same again." in again.output
