"""The tracks of a page, and the effects in files: signs, units, unread steps, and equal weights."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.metrics import wilson_interval
from heads.evaluation.two_class_target import TwoClassTarget
from heads.scoring.ensemble import load_ensemble
from heads.scoring.external_features import StepSeconds
from heads.scoring.inputs import array_input
from heads.scoring.result import ScoringResult
from heads.scoring.run import Run
from heads.scoring.scorer import Scorer, make_scorer
from heads.scoring.shown.effects import attention_weights, shown_effects
from heads.scoring.shown.page_tracks import tracks_of
from heads.scoring.shown.score_files import write_csv, write_json

CLASSES = TwoClassTarget("fall", "clean landing", 20, 17, wilson_interval(17, 20), 0.6)


def result_of(club, name: str) -> tuple[ScoringResult, Scorer]:
    """Return a video that is a little unlike a test video, scored by a run of the club, and the scorer."""
    scorer = make_scorer(load_ensemble(club.run(name)))
    features = {
        stream: club.store.read("club", "v21", club.spec(stream)).features + np.float32(0.01)
        for stream in scorer.ensemble.specs
    }
    return Run(scorer).result(array_input(features, scorer.ensemble, StepSeconds({"": 1.0}))), scorer


def with_effects(result: ScoringResult, effects: list[float]) -> ScoringResult:
    """Return the result of a head on clips with those effects of its first steps; others are 0."""
    ours = np.zeros_like(result.scored_video.prediction.effects["clips"])
    ours[: len(effects)] = effects
    prediction = replace(result.scored_video.prediction, effects={"clips": ours})
    return replace(result, scored_video=replace(result.scored_video, prediction=prediction))


def test_each_stream_has_effects_and_weights_of_its_own(club) -> None:
    result, scorer = result_of(club, "net")
    tracks = tracks_of(result.scored_video, scorer)
    assert [(track.kind, track.stream) for track in tracks] == [
        ("effect", "segments"),
        ("effect", "crops"),
        ("attention", "segments"),
        ("attention", "crops"),
    ]
    assert len({track.name for track in tracks}) == 4
    for track in tracks[:2]:
        assert track.values.tolist() == result.scored_video.effects[track.stream].tolist()
        assert track.unit.startswith(f"effect of each {track.stream[:-1]} on the score")
        assert track.reference == 0


def test_a_head_of_closed_form_has_effects_and_no_weights(club) -> None:
    result, scorer = result_of(club, "svr")
    (track,) = tracks_of(result.scored_video, scorer)
    assert track.kind == "effect"
    assert np.ptp(track.values) > 0
    assert attention_weights(result.scored_video.prediction) == {}


def test_a_video_that_is_not_scored_has_no_effects(club) -> None:
    result, scorer = result_of(club, "wd")
    stranger = replace(result.scored_video, not_scored="Not scored: nobody was found.")
    assert shown_effects(stranger, scorer).values == {}
    assert "effect" not in {track.kind for track in tracks_of(stranger, scorer)}


def test_effects_on_a_probability_are_in_points(club) -> None:
    result, scorer = result_of(club, "wd")
    scored_video = with_effects(result, [0.083, -0.5]).scored_video
    classes = replace(scorer, classes=CLASSES, training_scores=np.array([0.0, 1.0]))
    track = tracks_of(scored_video, classes)[0]
    assert track.labels[:2] == ["+8.3", "-50.0"]
    assert "probability of a clean landing, in points" in track.unit


@pytest.mark.parametrize("windows", ["paper", "released"])
def test_a_weight_of_zero_does_not_say_that_a_step_was_not_read(club, windows: str) -> None:
    result, scorer = result_of(club, "wd")
    number = len(result.scored_video.effects["clips"])
    cells = tuple(
        replace(cell, recipe=replace(cell.recipe, windows=windows, num_steps={"clips": number - 2}))
        for cell in scorer.ensemble.cells
    )
    scorer = replace(scorer, ensemble=replace(scorer.ensemble, cells=cells))
    rounded = replace(result.scored_video.prediction, attention={"clips": np.eye(number)[1]})
    read = shown_effects(replace(result.scored_video, prediction=rounded), scorer).read["clips"]
    outside = 0 if windows == "paper" else 1
    assert read.tolist() == [not outside, *[True] * (number - 2), not outside]


def test_files_tell_each_effect_and_the_strongest(club, tmp_path: Path) -> None:
    result, scorer = result_of(club, "wd")
    scorer = replace(scorer, training_scores=np.linspace(40, 80, 11))
    ours = with_effects(result, [0.5, -4.26, 3.1])
    write_json(tmp_path / "s.json", [ours], {}, scorer=scorer)
    write_csv(tmp_path / "s.csv", [ours], {}, scorer=scorer)
    (video,) = json.loads((tmp_path / "s.json").read_text())["videos"]
    assert video["streams"]["clips"]["effect"] == ours.scored_video.effects["clips"].tolist()
    (row,) = csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text()))
    assert (row["effect_highest"], row["effect_lowest"]) == ("3.1", "-4.3")
    times = ours.scored_video.prediction.pts_seconds["clips"]
    assert row["effect_lowest_at"] == f"clips {times[1, 0]:.1f}-{times[1, 1]:.1f} s"


@pytest.mark.parametrize(
    ("effects", "expected"), [([0.1, -0.1], ("", "")), ([5.0, 1.0], ("5.0", "")), ([-5.0], ("", "-5.0"))]
)
def test_a_table_names_no_effect_that_is_even_or_of_the_other_sign(
    club, tmp_path: Path, effects: list[float], expected: tuple[str, str]
) -> None:
    result, scorer = result_of(club, "wd")
    scorer = replace(scorer, training_scores=np.linspace(40, 80, 11))
    write_csv(tmp_path / "s.csv", [with_effects(result, effects)], {}, scorer=scorer)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text()))
    assert (row["effect_highest"], row["effect_lowest"]) == expected
