"""The demo goes from rendered videos to a score that the run repeats."""

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.weights import WEIGHTS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Run every step of the demo with few videos and one seed; its numbers mean nothing."""
    out = tmp_path_factory.mktemp("demo") / "demo"
    return out, run("demo", "--out", out, "--num-videos", 9, "--seeds", 0)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")  # one worker makes the demo for all of them
def test_the_demo_goes_from_videos_to_a_score(small_demo):
    out, result = small_demo
    assert result.exit_code == 0, result.output
    for step in ("$ aqa extract", "$ aqa fit", "$ aqa score", "The judges gave", "On 3 held-out videos"):
        assert step in result.output
    assert "RANDOM WEIGHTS" not in result.output
    assert "RANDOM WEIGHTS" not in (out / "score.html").read_text()
    for row in ("stack", "action-net", "stack, shuffled labels"):
        assert re.search(rf"^{row}  +(-?[0-9.]+|undefined)  +(\[|undefined)", result.output, re.MULTILINE), (
            result.output
        )
    assert "nan" not in result.output.partition("held-out videos")[2]
    assert list((out / "sheets").glob("*.jpg"))


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_a_run_repeats_bit_for_bit_through_the_command_line(small_demo, tmp_path):
    out, _ = small_demo
    result = run("fit", "--repeat", out / "run", "--out", tmp_path / "again")
    assert result.exit_code == 0, result.output
    cell = Path("split-default") / "seed-0"
    for name in ("model.safetensors", "predictions.csv"):
        assert (tmp_path / "again" / cell / name).read_bytes() == (out / "run" / cell / name).read_bytes()


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_evaluate_prints_what_fit_printed(small_demo):
    out, result = small_demo
    answer = run("evaluate", out / "run")
    assert answer.exit_code == 0
    assert answer.output.strip() in result.output


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_scoring_again_gives_the_stored_prediction(small_demo):
    out, _ = small_demo
    predictions = (out / "run" / "split-default" / "seed-0" / "predictions.csv").read_text()
    rows = list(csv.DictReader(predictions.splitlines()))
    row = next(row for row in rows if row["part"] == "test")
    video = out / "synthetic" / "videos" / f"{row['video_id'].removesuffix('.mp4')}.mp4"
    boxes = out / "synthetic" / "boxes" / f"{video.stem}.csv"
    result = run("score", video, "--run", out / "run", "--boxes", boxes)
    assert result.exit_code == 0, result.output
    told = re.search(r"score ([0-9.]+) ± ([0-9.]+)", result.output)
    assert told is not None, result.output
    assert float(told[1]) == pytest.approx(float(row["predicted"]), abs=float(told[2]) / 100)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_scoring_with_another_network_is_refused_with_the_difference(small_demo):
    out, _ = small_demo
    (video, *_) = sorted((out / "synthetic" / "videos").glob("*.mp4"))
    result = run("score", video, "--run", out / "run", "--weights", "random:1")
    assert result.exit_code == 1
    assert f"weights: sha256:{WEIGHTS['lite0'].identity.digest} != random:1" in result.output
