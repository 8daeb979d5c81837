"""Interval, percentile, warnings: what a score is worth."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Record, Source, StreamSpec, Target
from heads.evaluation.conformal_interval import half_width_of, percentile_among, score_interval
from heads.runs.training_statistics import (
    StreamStatistics,
    TrainingStatistics,
    leave_one_out,
    read_training_statistics,
    share_without_person,
)
from heads.scoring.ensemble import load_ensemble
from heads.scoring.input_warnings import input_warnings, reason_not_scored
from heads.scoring.scorer import make_scorer, score_video
from heads.training.fit import fit

ANY = Target("score")
SPEC = StreamSpec("crops", {"backbone": "toy"})


def test_nine_of_ten_residuals_lie_within_the_interval() -> None:
    residuals = np.arange(1, 20) * np.array([1, -1] * 9 + [1])  # 1, -2, 3, ... 19
    interval = score_interval([50.0], residuals, target=ANY)
    assert (interval.half_width, interval.coverage) == (18, 0.9)  # the 18th of 19: ceil(0.9 * 20)
    assert (interval.low, interval.high, interval.num_residuals) == (32, 68, 19)


def test_too_few_residuals_give_the_largest_and_say_what_it_covers() -> None:
    assert half_width_of([1.0, -4.0, 2.0]) == (4.0, 0.75)


def test_the_promised_share_of_new_videos_is_covered() -> None:
    """Drawn anew 2000 times from a skewed distribution: a conformal interval holds for any."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        *past, new = rng.exponential(size=31) - 1
        inside += abs(new) <= half_width_of(past)[0]
    assert 0.885 < inside / 2000 < 0.93  # 28 of 31 = 0.903 expected


def test_seeds_that_disagree_widen_the_interval() -> None:
    residuals = np.full(20, 3.0)
    assert score_interval([50, 50, 50], residuals, target=ANY).half_width == 3
    apart = score_interval([46, 50, 54], residuals, target=ANY)
    assert apart.half_width == pytest.approx(math.sqrt(9 + 16 / 3))


def test_the_interval_stays_within_the_scores_that_exist() -> None:
    interval = score_interval([2.0], np.full(20, 5.0), target=Target("score", 0.0, 6.0))
    assert (interval.low, interval.high, interval.half_width) == (0, 6, 5)


def test_equal_scores_count_half_in_the_percentile() -> None:
    assert percentile_among(2, [1, 2, 2, 3]) == 50
    assert percentile_among(0, [1, 2]) == 0


def test_distances_without_oneself_agree_with_leaving_each_row_out() -> None:
    rows = np.random.default_rng(0).normal(loc=100, size=(7, 5))
    for video, distance in enumerate(leave_one_out(rows)):
        others = np.delete(rows, video, axis=0)
        z = (rows[video] - others.mean(axis=0)) / others.std(axis=0, ddof=1)
        assert distance == pytest.approx(float(np.sqrt(np.mean(z**2))), rel=1e-9)


def record(features: np.ndarray, *, digest: str = "new", missed: int = 0) -> Record:
    starts = np.arange(len(features), dtype=np.float64)
    return Record(
        "d",
        "v",
        SPEC,
        features.astype(np.float32),
        np.stack([starts, starts + 1], axis=1),
        Source(digest),
        counts={"num_steps": len(features) + missed, "num_steps_without_person": missed},
    )


def facts(num_videos: int = 40, *, seconds: tuple[float, float] = (9, 12)) -> TrainingStatistics:
    means = np.random.default_rng(1).normal(size=(num_videos, 6))
    stream = StreamStatistics(
        tuple(means.mean(axis=0)), tuple(means.std(axis=0, ddof=1)), tuple(sorted(leave_one_out(means)))
    )
    return TrainingStatistics(num_videos, seconds, 0.1, ("old",), {"crops": stream})


USUAL = np.zeros((10, 6))


def test_a_usual_video_is_not_warned_of() -> None:
    assert input_warnings({"crops": record(USUAL)}, [facts()]) == ()


@pytest.mark.parametrize(
    ("video", "expected"),
    [
        (record(USUAL + 9), "differ from the training videos: .* 0 of 40 training videos are as far away"),
        (record(USUAL[:8]), r"shorter than every .*: 8.0 s; the training videos last 9.0 to 12.0 s"),
        (record(np.zeros((14, 6))), r"longer than every .*: 14.0 s"),
        (
            record(USUAL, missed=5),
            r"No athlete was found in 33% of the 15 frames of crops \(usual: up to 20%\)",
        ),
        (record(USUAL, digest="old"), "this file, or a part of it, is in the run's training set"),
    ],
)
def test_a_stranger_is_named_with_the_reason(video: Record, expected: str) -> None:
    warnings = input_warnings({"crops": video}, [facts()])
    assert len(warnings) == 1
    with pytest.raises(ValueError, match=expected):
        raise ValueError(warnings[0])


def test_training_videos_of_one_length_are_told_once() -> None:
    (warning,) = input_warnings({"crops": record(np.zeros((14, 6)))}, [facts(seconds=(10, 10.01))])
    assert warning.endswith("14.0 s; the training videos last 10.0 s.")


def test_a_stream_without_any_athlete_is_said_and_does_not_stop_the_rest() -> None:
    nobody = record(np.zeros((0, 6)), missed=12)
    warnings = input_warnings({"crops": nobody, "frames": record(USUAL)}, [None])
    assert warnings[0] == "No athlete was found in any of the 12 frames of crops."
    assert "The run has no statistics of its training videos" in warnings[1]
    assert share_without_person(nobody) == 1


def test_a_small_training_set_warns_only_beyond_all_of_it() -> None:
    few = facts(5)
    edge = few.streams["crops"].distances[-1]
    inside = replace(few.streams["crops"], distances=(*few.streams["crops"].distances[:-1], edge + 100))
    far = record(USUAL + 5)
    assert any("differ from the training" in warning for warning in input_warnings({"crops": far}, [few]))
    calm = replace(few, streams={"crops": inside})
    assert not any(
        "differ from the training" in warning for warning in input_warnings({"crops": far}, [calm])
    )


def test_a_warning_must_hold_against_every_split_that_scores() -> None:
    other = facts(seconds=(7, 9))
    assert input_warnings({"crops": record(USUAL[:8])}, [facts(), other]) == ()


def test_a_run_judges_its_own_test_video_without_alarm_and_a_stranger_with(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 1)))
    scorer = make_scorer(load_ensemble(tmp_path / "run"))
    test_id = world.dataset.split("first").test[0]
    usual = {s: world.store.read("synthetic", test_id, spec) for s, spec in world.specs.items()}
    scored_video = score_video(scorer, test_id, usual)
    # all records of the toy world share one source digest
    assert scored_video.not_scored == "Not scored: this file, or a part of it, is in the run's training set."
    assert scored_video.warnings == ()
    assert scored_video.interval.num_residuals == len(world.dataset.split("first").test)
    assert scored_video.interval.low < scored_video.prediction.score < scored_video.interval.high
    assert 0 <= scored_video.percentile <= 100
    strange = {s: world.record("stranger", spec, 50 + usual[s].features) for s, spec in world.specs.items()}
    assert (
        sum(
            "differ from the training" in warning
            for warning in score_video(scorer, "stranger", strange).warnings
        )
        == 2
    )


def test_what_shows_nobody_or_something_else_is_not_judged() -> None:
    """A test pattern without an athlete was once ranked first."""
    ensemble = [facts()]
    nobody = record(USUAL, missed=0)
    object.__setattr__(nobody, "counts", {"num_steps": 10, "num_steps_without_person": 10})
    assert reason_not_scored({"crops": nobody}, ensemble) == "no athlete was found in any frame of crops"
    farthest = max(ensemble[0].streams["crops"].distances)
    for times, judged in ((1.9, True), (2.1, False)):
        stream = ensemble[0].streams["crops"]
        away = np.array(stream.mean) + times * farthest * np.array(stream.deviation)
        why = reason_not_scored({"crops": record(np.tile(away, (10, 1)))}, ensemble)
        assert (why is None) is judged
    assert reason_not_scored({"crops": record(USUAL + 1e6)}, [None]) is None, "nothing is known of an old run"


def test_facts_are_read_as_written_and_written_for_older_runs(world, tmp_path: Path) -> None:
    request = world.request(tmp_path / "run")
    fit(request)
    folder = tmp_path / "run" / "split-first"
    written = read_training_statistics(folder)
    assert written is not None
    assert written.num_videos == len(world.dataset.split("first").train)
    assert len(written.streams["segments"].mean) == world.dims["segments"]
    assert len(written.streams["crops"].distances) == written.num_videos - 1  # one has no crops
    assert written.seconds[0] >= 6
    (folder / "training_statistics.json").unlink()
    assert read_training_statistics(folder) is None
    assert fit(request).num_trained == 0
    assert read_training_statistics(folder) == written


def test_damaged_facts_are_one_message(world, tmp_path: Path) -> None:
    (tmp_path / "training_statistics.json").write_text('{"num_videos": 3}')
    with pytest.raises(RunError, match=r"is damaged .* delete it and run the same `aqa fit` again"):
        read_training_statistics(tmp_path)


def test_a_head_of_clips_scores_each_clip_alone(world, tmp_path: Path) -> None:
    """TSA-Net, Figure 7: the pooling left out. A video of that one step alone must get the same score."""
    from heads.scoring.predict import predict

    fit(world.request(tmp_path / "run", seeds=(0, 1), head="wd", streams=("segments",)))
    ensemble = load_ensemble(tmp_path / "run")
    spec = world.specs["segments"]
    video = world.store.read("synthetic", world.dataset.split("first").test[0], spec)
    scores = predict(ensemble, {"segments": video}).step_scores["segments"]
    assert len(scores) == len(video.features)
    for step in range(len(scores)):
        alone = world.record("alone", spec, video.features[step : step + 1])
        assert predict(ensemble, {"segments": alone}).score == pytest.approx(scores[step], abs=1e-4)


def test_heads_that_relate_steps_give_no_score_of_single_ones(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    scorer = make_scorer(load_ensemble(tmp_path / "run"))
    video_id = world.dataset.split("first").test[0]
    records = {s: world.store.read("synthetic", video_id, spec) for s, spec in world.specs.items()}
    assert score_video(scorer, video_id, records, expected=True).prediction.step_scores == {}
