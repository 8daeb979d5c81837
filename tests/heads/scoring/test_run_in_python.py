"""`aqa.load_run` and `Run.score` on features: the numbers of the command, and errors that say what to do."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import aqa
import cli
from aqa_pipeline.errors import AqaError, ArrayError, DatasetError, RunError, UnknownName
from aqa_pipeline.records import Video
from heads.scoring.ensemble import load_ensemble
from heads.scoring.inputs import find_videos
from heads.scoring.run import Run
from heads.scoring.scorer import make_scorer


def features_of(club, name: str, stream: str = "clips") -> np.ndarray:
    return club.store.read("club", name, club.spec(stream)).features + np.float32(0.01)


@pytest.fixture(scope="module")
def wd(club) -> Run:
    return aqa.load_run(club.run("wd"))


@pytest.fixture(scope="module")
def net(club) -> Run:
    return aqa.load_run(club.run("net"))


@pytest.mark.parametrize("kind", ["array", "list", "float64", "by name", "half"])
def test_any_form_of_the_same_features_has_the_same_score(club, wd: Run, kind: str) -> None:
    features = features_of(club, "v01")
    form = {
        "array": features,
        "list": features.tolist(),
        "float64": features.astype(np.float64),
        "by name": {"clips": features},
        "half": features.astype(np.float16),
    }[kind]
    expected = wd.score(features).score
    assert wd.score(form).score == pytest.approx(expected, rel=1e-2 if kind == "half" else 1e-6)


def test_the_order_of_streams_in_the_mapping_does_not_matter(club, net: Run) -> None:
    streams = {stream: features_of(club, "v01", stream) for stream in ("segments", "crops")}
    other = dict(reversed(streams.items()))
    assert net.score(streams, step_seconds=1).score == net.score(other, step_seconds=1).score
    assert net.streams == ("segments", "crops")


def test_the_command_says_the_same(club, wd: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "new.npy", features_of(club, "v01"))
    command = ["score", "--features", str(tmp_path / "new.npy"), "--run", str(club.run("wd"))]
    CliRunner().invoke(cli.main, [*command, "--json", str(tmp_path / "s.json")])
    (printed,) = json.loads((tmp_path / "s.json").read_text())["videos"]
    scored = wd.score(features_of(club, "v01"))
    assert (scored.score, scored.percentile) == (printed["score"], printed["percentile"])
    assert scored.interval.half_width == printed["interval"]["half_width"]


def test_scoring_changes_neither_the_run_nor_the_features(club, wd: Run) -> None:
    features = features_of(club, "v01")
    before = features.copy()
    first = wd.score(features).score
    assert np.array_equal(features, before)
    assert wd.score(features).score == first
    assert not (club.run("wd") / "scored-features").exists()


def test_attention_has_a_weight_per_row_and_rows_have_times(club, net: Run) -> None:
    scored = net.score(
        {stream: features_of(club, "v01", stream) for stream in ("segments", "crops")}, step_seconds=1
    )
    for stream, weights in scored.attention.items():
        assert (
            len(weights)
            == len(features_of(club, "v01", stream))
            == len(scored.prediction.pts_seconds[stream])
        )
        assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), {"clips": -2.0}])
def test_a_duration_that_is_none_is_refused_by_name(club, wd: Run, seconds: object) -> None:
    with pytest.raises(ArrayError, match=r"step_seconds .*above 0"):
        wd.score(features_of(club, "v01"), step_seconds=seconds)


def test_a_duration_for_another_stream_is_refused(club, wd: Run) -> None:
    with pytest.raises(AqaError, match=r"clps.*clips|clips.*clps"):
        wd.score(features_of(club, "v01"), step_seconds={"clps": 2.0})


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (np.zeros((4, 10)), RunError, "the run reads segments, crops: give one array for each, by name."),
        ({"segments": np.zeros((4, 10))}, RunError, "the run reads segments, crops; no crops of this video"),
        (
            {"segments": np.zeros((4, 10)), "crop": np.zeros((4, 8))},
            RunError,
            "the run reads segments, crops, not crop.",
        ),
        ({}, RunError, "no segments of this video was given"),
        (
            {"segments": np.zeros((4, 10)), "crops": np.zeros((4, 9))},
            DatasetError,
            r"crops: it has the shape \(4, 9\): the run was trained on \(time, 8\)",
        ),
        (
            {"segments": np.zeros(10), "crops": np.zeros((4, 8))},
            DatasetError,
            "segments: ",
        ),
        (
            {"segments": np.full((4, 10), np.inf), "crops": np.zeros((4, 8))},
            DatasetError,
            "segments: it holds 40 values that are not finite",
        ),
        (
            {"segments": np.zeros((4, 10), dtype=object), "crops": np.zeros((4, 8))},
            DatasetError,
            "segments: it holds object",
        ),
    ],
)
def test_features_that_do_not_fit_are_explained(net: Run, source: object, error, message: str) -> None:
    with pytest.raises(error, match=message):
        net.score(source, step_seconds=1)


def test_a_run_without_extraction_scores_features_alone(club, tmp_path: Path) -> None:
    run = Run(make_scorer(load_ensemble(club.run("wd"))))
    assert np.isfinite(run.score(features_of(club, "v01")).score)
    (tmp_path / "a.mp4").touch()
    with pytest.raises(RunError, match=r"was loaded for features alone: use `aqa\.load_run`"):
        run.score(tmp_path / "a.mp4")


@pytest.mark.parametrize("difficulty", [0, -2.5, float("nan"), float("inf")])
def test_a_difficulty_must_be_above_zero(club, wd: Run, difficulty: float) -> None:
    with pytest.raises(
        RunError, match=r"was given the difficulty .*expected a number above 0, once, for a run of"
    ):
        wd.score(features_of(club, "v01"), difficulty=difficulty)


def test_a_split_that_the_run_lacks_lists_its_own(club) -> None:
    with pytest.raises(UnknownName, match=r"unknown split of the run 'ball'.* Known: all, given"):
        aqa.load_run(club.run("wd"), split="ball")


def test_one_network_has_no_deviation_over_networks(club) -> None:
    prediction = aqa.load_run(club.run("svr")).score(features_of(club, "v01")).prediction
    assert np.isnan(prediction.std)
    assert len(prediction.scores) == 1
    two = aqa.load_run(club.run("wd")).score(features_of(club, "v01")).prediction
    assert two.std == pytest.approx(np.std(two.scores, ddof=1))
    assert two.score == pytest.approx(np.mean(two.scores))


def test_a_text_of_a_scored_video_tells_score_interval_and_steps(club, wd: Run) -> None:
    scored = wd.score(features_of(club, "v01"))
    digits = scored.decimals
    assert repr(scored).startswith(
        f"ScoredVideo(array: score {scored.score:.{digits}f} ± {scored.interval.half_width:.{digits}f}; "
    )
    assert repr(wd) == f"Run({wd.run_dir}: wd (paper) on clips of club, target score; 2 networks)"


def picture(path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)


def test_a_folder_of_pictures_is_one_video_and_of_videos_several(tmp_path: Path) -> None:
    picture(tmp_path / "run" / "0001.jpg")
    picture(tmp_path / "run" / "0002.jpg")
    (tmp_path / "day").mkdir()
    for name in ("b.mp4", "a.MOV", "notes.txt"):
        (tmp_path / "day" / name).touch()
    picture(tmp_path / "day" / "c" / "0001.jpg")
    assert find_videos([tmp_path / "run"]) == [tmp_path / "run"]
    assert [path.name for path in find_videos([tmp_path / "day"])] == ["a.MOV", "b.mp4", "c"]
    assert find_videos([tmp_path / "gone.mp4"]) == [tmp_path / "gone.mp4"], (
        "opening it says that it is not there"
    )


def test_a_folder_of_pictures_and_videos_is_not_guessed_at(tmp_path: Path) -> None:
    picture(tmp_path / "0001.jpg")
    (tmp_path / "a.mp4").touch()
    with pytest.raises(
        DatasetError, match=r"holds pictures and videos \(a.mp4\): name the videos themselves"
    ):
        find_videos([tmp_path])


@pytest.mark.parametrize("content", [(), ("notes.txt",), ("deep/a.mp4",)], ids=["empty", "text", "deeper"])
def test_a_folder_without_videos_says_what_is_expected(tmp_path: Path, content: tuple[str, ...]) -> None:
    for name in content:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(
        DatasetError, match=r"holds neither videos nor pictures: expected .* such as 0001.jpg"
    ):
        find_videos([tmp_path])


def test_a_loaded_run_lives_on_when_its_folder_goes(club, tmp_path: Path) -> None:
    run = aqa.load_run(shutil.copytree(club.run("wd"), tmp_path / "run"))
    features = features_of(club, "v01")
    before = run.score(features).score
    shutil.rmtree(tmp_path / "run")
    assert run.score(features).score == before


def test_videos_are_extracted_by_what_the_run_was_given(club) -> None:
    """The function that makes records is asked once per video, with its path and its frame rate."""
    asked: list[Video] = []

    def records(video: Video):
        asked.append(video)
        return {"clips": club.store.read("club", "v01", club.spec("clips"))}

    run = Run(make_scorer(load_ensemble(club.run("wd"))), records)
    scored = run.score("somewhere/new.mp4")
    assert [video.path for video in asked] == [Path("somewhere/new.mp4")]
    assert scored.name == "new.mp4"
    assert asked[0].fps is None
