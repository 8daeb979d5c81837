"""An attempt beside another one of the same athlete, as the command shows them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

pytestmark = pytest.mark.xdist_group("scoring")  # one worker makes the runs for all of them


def score(home: Path, *arguments: object) -> Result:
    words = ["score", *arguments, "--run", home / "run"]
    return CliRunner().invoke(cli.main, [str(word) for word in words])


@pytest.fixture
def new_video(tmp_path: Path, striped_video: Callable[..., Path]) -> Path:
    return striped_video(tmp_path / "routine.mp4", num_frames=52, seed=20)


def test_the_last_attempt_is_shown_with_its_label_as_such(home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = score(home, home / "videos" / "v8.mp4", "--against", "last", "--html", page)
    assert result.exit_code == 0, result.output
    assert "+1.00 by the judges: 8.50 after 7.50." in result.output
    assert "Against v7 of 2026-05-08: the last of 8 earlier attempts of Ann, by date." in result.output
    assert "v7.mp4: not scored: this video is in the run's training set." in result.output
    assert (
        "One of the two scores is a label, so the difference has the error of one prediction" in result.output
    )
    text = page.read_text()
    assert "Ann: v8.mp4 beside v7.mp4" in text
    assert text.count("<video ") == 2


def test_two_predictions_differ_by_less_than_their_error(home: Path, new_video: Path, tmp_path: Path) -> None:
    options = ["--cache", tmp_path / "cache", "--html", tmp_path, "--embed"]
    result = score(home, new_video, "--against", home / "videos" / "v5.mp4", *options)
    assert result.exit_code == 0, result.output
    assert "the typical error of" in result.output
    assert "as if the errors of two attempts were independent" in result.output
    assert "too few test videos share an athlete to measure it (2 degrees of freedom" in result.output
    page = (tmp_path / "routine.mp4 beside v5.mp4.html").read_text()
    assert page.count('src="data:video/mp4') == 2
    assert "automatic, by the features of frames" in page


def test_a_performance_is_named_as_in_the_table(home: Path, new_video: Path, tmp_path: Path) -> None:
    result = score(home, new_video, "--against", "v5", "--cache", tmp_path / "cache")
    assert result.exit_code == 0, result.output
    assert "Against v5, which was named." in result.output


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("best", "does not say whose attempt routine.mp4 is: give it a line with video, athlete (the score"),
        ("last", "give it a line with video, athlete and date (the score may stay empty)"),
        (
            "nowhere.mp4",
            "--against nowhere.mp4: there is no such file; expected last, best, a video, or the name",
        ),
    ],
)
def test_what_cannot_be_compared_is_said_with_what_to_do(
    home: Path, new_video: Path, against: str, message: str
) -> None:
    result = score(home, new_video, "--against", against)
    assert result.exit_code == 1
    assert message in result.output


def test_one_video_is_compared_and_not_written_as_a_table(
    home: Path, new_video: Path, tmp_path: Path
) -> None:
    several = score(home, new_video, home / "videos" / "v5.mp4", "--against", "last")
    assert (several.exit_code, "--against: for one video" in several.output) == (2, True)
    table = score(home, new_video, "--against", "last", "--csv", tmp_path / "s.csv")
    assert (table.exit_code, "hold scores, not differences" in table.output) == (2, True)


def test_a_score_is_kept_in_the_run_until_the_file_is_another(
    home: Path, tmp_path: Path, striped_video: Callable[..., Path]
) -> None:
    from aqa_pipeline.records import Video
    from heads.attempts.stored_scores import read_scores

    video = striped_video(tmp_path / "kept.mp4", num_frames=52, seed=41)
    result = score(home, video)
    assert result.exit_code == 0, result.output
    row = Video("kept", video)
    stored = read_scores(home / "run", [row])["kept"]
    assert stored.low < stored.score < stored.high
    assert f"score {stored.score:.2f}"[:9] in result.output
    video.touch()
    assert read_scores(home / "run", [row]), "a time alone changes nothing"
    video.write_bytes(video.read_bytes() + b"more")
    assert not read_scores(home / "run", [row])


def test_scores_are_not_kept_behind_a_link(tmp_path: Path) -> None:
    from aqa_pipeline.errors import RunError
    from heads.attempts.stored_scores import read_scores

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "scores").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="is a link, which is never followed"):
        read_scores(tmp_path, [])
