"""The text that `aqa score` prints of a video: every sentence, from a scored video of known numbers."""

from dataclasses import replace

import numpy as np
import pytest

from aqa_pipeline.metrics import wilson_interval
from heads.evaluation.conformal_interval import ScoreInterval
from heads.evaluation.two_class_target import TwoClassTarget
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import Prediction
from heads.scoring.scorer import ScoredVideo, Scorer, make_scorer
from heads.scoring.shown.score_text import EXPLAINED, format_scored_video, headline, score_sentences

TIMES = np.array(
    [[0.0, 2.5], [2.5, 5.0], [5.0, 61.0], [61.0, 63.5], [63.5, 66.0], [66.0, 70.0], [70.0, 72.0]]
)
WEIGHTS = np.array([0.05, 0.30, 0.10, 0.02, 0.25, 0.20, 0.08])
EFFECTS = np.array([-4.0, 0.5, 3.25, 0.0, -0.84, 1.5, -2.0])
CLASSES = TwoClassTarget("fall", "clean landing", 20, 17, wilson_interval(17, 20), 0.6)


def prediction(**changes: object) -> Prediction:
    values = {
        "score": 61.234,
        "std": 1.5,
        "scores": (60.0, 62.468),
        "attention": {"clips": WEIGHTS},
        "pts_seconds": {"clips": TIMES},
        "step_scores": {},
        "effects": {"clips": EFFECTS},
        "seen_in_training": False,
    }
    return Prediction(**(values | changes))


def video(of: Prediction | None = None, **changes: object) -> ScoredVideo:
    interval = ScoreInterval(49.0, 73.456, 12.228, 0.9, 15)
    values = {"name": "a.mp4", "prediction": of or prediction(), "interval": interval, "percentile": 62.4}
    return ScoredVideo(**(values | {"warnings": ()} | changes))


@pytest.fixture(scope="module")
def scorer(club) -> Scorer:
    """Return the scorer of a run, with training scores from 40 to 80, no flags and no verdict."""
    whole = make_scorer(load_ensemble(club.run("wd")))
    return replace(whole, training_scores=np.linspace(40, 80, 11), flags=(), verdict=None)


def lines(scored: ScoredVideo, scorer: Scorer, **options: object) -> list[str]:
    return format_scored_video(scored, scorer, **options).splitlines()


def test_the_first_line_is_the_score_with_three_digits_of_the_interval(scorer: Scorer) -> None:
    assert lines(video(), scorer)[0] == "a.mp4: score 61.2 ± 12.2"
    narrow = replace(video(), interval=ScoreInterval(61.22, 61.25, 0.01234, 0.9, 15))
    assert lines(narrow, scorer)[0] == "a.mp4: score 61.2340 ± 0.0123"
    wide = replace(video(), interval=ScoreInterval(0, 400, 321.0, 0.9, 15))
    assert lines(wide, scorer)[0] == "a.mp4: score 61 ± 321"


def test_interval_and_rank_are_sentences_with_their_sources(scorer: Scorer) -> None:
    assert score_sentences(video(), scorer) == (
        "90 % interval 49.0 to 73.5, from the errors on 15 test videos; the networks differ by ± 1.5.",
        "Higher than 62 % of the scores of 11 training videos (40.0 to 80.0).",
    )


def test_one_network_differs_from_none_and_one_video_is_no_plural(scorer: Scorer) -> None:
    alone = video(prediction(std=float("nan"), scores=(61.234,)), interval=ScoreInterval(1, 9, 4.0, 0.5, 1))
    few = replace(scorer, training_scores=np.array([50.0]))
    assert score_sentences(alone, few) == (
        "50 % interval 1.00 to 9.00, from the errors on 1 test video.",
        "Higher than 62 % of the scores of 1 training video (50.00 to 50.00).",
    )


def test_the_networks_own_scores_stand_below(scorer: Scorer) -> None:
    assert "  wd (paper), by network: 60.0, 62.5" in lines(video(), scorer)


@pytest.mark.parametrize("flag", list(EXPLAINED))
def test_every_flag_is_printed_with_what_it_means(scorer: Scorer, flag: str) -> None:
    printed = lines(video(), replace(scorer, flags=(flag,)))
    assert f"  {flag}: {EXPLAINED[flag]}" in printed


def test_every_flag_that_a_run_can_have_is_explained(make_config) -> None:
    from heads.runs.title import run_flags

    config = make_config(
        facts={"backbone": "i3d", "weights": "random:0", "simulated": True},
        shuffle_labels=True,
        select="best-on-test",
    )
    sharing = {
        name: split.model_copy(update={"num_sharing_group": 1}) for name, split in config.splits.items()
    }
    imported = config.head.model_copy(update={"imported": ("0" * 64,)})
    flags = run_flags(config.model_copy(update={"splits": sharing, "head": imported}))
    assert set(flags) == set(EXPLAINED)
    assert run_flags(make_config()) == ()


def test_warnings_and_further_sentences_are_lines_of_their_own(scorer: Scorer) -> None:
    printed = lines(
        video(warnings=("It is long.", "It is dark.")), scorer, sentences=("The tracker lost nobody.",)
    )
    assert printed.index("  The tracker lost nobody.") < printed.index("  WARNING: It is long.")
    assert "  WARNING: It is dark." in printed


def table_of(scored: ScoredVideo, scorer: Scorer) -> list[list[str]]:
    """Return the words of each row of steps."""
    return [line.split() for line in lines(scored, scorer) if line.startswith(("clips", "crops", "segments"))]


def test_the_steps_that_raised_and_lowered_most_have_times_effects_and_weights(scorer: Scorer) -> None:
    table = table_of(video(), scorer)
    assert [(row[1], *row[-2:]) for row in table] == [
        ("raised", "+3.2", "0.100"),
        ("raised", "+1.5", "0.200"),
        ("raised", "+0.5", "0.300"),
        ("lowered", "-4.0", "0.050"),
        ("lowered", "-2.0", "0.080"),
        ("lowered", "-0.8", "0.250"),
    ]
    assert " ".join(table[0][2:5]) == "0:05.0 - 1:01.0"
    assert " ".join(table[3][2:5]) == "0:00.0 - 0:02.5"


def test_a_step_that_moves_almost_nothing_is_in_no_row(scorer: Scorer) -> None:
    two = prediction(
        attention={"clips": np.array([0.8, 0.1, 0.1])},
        effects={"clips": np.array([0.0, 5.0, -0.4])},
        pts_seconds={"clips": TIMES[:3]},
    )
    assert [row[1] for row in table_of(video(two), scorer)] == ["raised"]


def test_even_effects_are_a_sentence_and_no_table_whatever_the_weights(scorer: Scorer) -> None:
    even = prediction(effects={"clips": np.linspace(-0.9, 0.9, 7)})  # a twentieth of 40 is 2
    printed = lines(video(even), scorer)
    assert "  The effects of clips are almost equal: no moment stands out." in printed
    assert not table_of(video(even), scorer)
    assert table_of(video(prediction(effects={"clips": np.linspace(-1.1, 1.1, 7)})), scorer)


def test_one_stream_may_be_even_beside_another(scorer: Scorer) -> None:
    both = prediction(
        attention={"segments": WEIGHTS, "crops": np.full(7, 1 / 7)},
        effects={"segments": np.full(7, 0.3), "crops": EFFECTS},
        pts_seconds={"segments": TIMES, "crops": TIMES},
    )
    assert "  The effects of segments are almost equal: no moment stands out." in lines(video(both), scorer)
    assert {(row[0], row[-1]) for row in table_of(video(both), scorer)} == {("crops", "equal")}


def test_equal_weights_have_no_column(scorer: Scorer) -> None:
    equal = prediction(attention={"clips": np.full(7, 1 / 7)})
    assert not [line for line in lines(video(equal), scorer) if "weight" in line]
    assert [row[-1] for row in table_of(video(equal), scorer)][:2] == ["+3.2", "+1.5"]


def test_effects_on_a_probability_are_in_points(scorer: Scorer) -> None:
    classes = replace(scorer, classes=CLASSES, training_scores=np.array([0.0, 1.0, 1.0]))
    landing = prediction(score=0.83, effects={"clips": EFFECTS / 10})
    scored = video(landing, interval=None, percentile=None)
    assert [row[-2] for row in table_of(scored, classes)][:1] == ["+32.5"]
    assert any("effect (points)" in line for line in lines(scored, classes))


def test_step_scores_are_ranked_below_the_effects(scorer: Scorer) -> None:
    of_steps = prediction(
        attention={"clips": np.full(7, 1 / 7)},
        step_scores={"clips": np.array([70.0, 50, 60, 61, 40, 55, 66])},
    )
    table = table_of(video(of_steps), scorer)
    assert [row[1] for row in table] == ["raised"] * 3 + ["lowered"] * 3 + ["highest"] * 3 + ["lowest"] * 3
    assert [row[-1] for row in table[6:]] == ["70.00", "66.00", "61.00", "55.00", "50.00", "40.00"]


def test_step_scores_within_a_twentieth_of_the_usual_range_are_even(scorer: Scorer) -> None:
    flat = prediction(
        attention={"clips": np.full(7, 1 / 7)}, step_scores={"clips": 60 + np.linspace(0, 1.9, 7)}
    )
    assert "  The scores of clips are almost equal: no moment stands out." in lines(video(flat), scorer)
    steep = prediction(
        attention={"clips": np.full(7, 1 / 7)}, step_scores={"clips": 60 + np.linspace(0, 2.1, 7)}
    )
    assert "almost equal" not in format_scored_video(video(steep), scorer)


def test_a_video_that_is_not_scored_has_the_reason_and_warnings_alone(scorer: Scorer) -> None:
    stranger = video(not_scored="Not scored: nobody was found.", warnings=("It is dark.",))
    flagged = replace(scorer, flags=("RANDOM WEIGHTS",))
    assert lines(stranger, flagged, sentences=("The tracker looked.",)) == [
        "a.mp4: not scored: nobody was found.",
        "  The tracker looked.",
        "  WARNING: It is dark.",
    ]
    assert np.isnan(stranger.score)
    assert score_sentences(stranger, scorer) == ("Not scored: nobody was found.",)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.83, "clean landing, probability 83 %"),
        (0.17, "fall, probability 83 %"),
        (0.5, "clean landing, probability 50 %"),
        (0.0, "fall, probability 100 %"),
    ],
)
def test_a_probability_names_the_likelier_class(scorer: Scorer, score: float, expected: str) -> None:
    classes = replace(scorer, classes=CLASSES)
    landing = video(prediction(score=score), interval=None, percentile=None)
    assert headline(landing, classes) == expected
    first, second = score_sentences(landing, classes)
    assert first == (
        "17 of 20 test videos correct (95 % interval 64 to 95 %); the networks differ by ± 1.500."
    )
    assert second == "Clean landing: 60 % of its 11 training videos."


def test_the_verdict_of_the_run_is_told_with_the_score(club) -> None:
    scorer = make_scorer(load_ensemble(club.run("svr")))
    assert f"  The run: {scorer.verdict}" in lines(video(), scorer)
    assert str(scorer.verdict).startswith("Mean error ")
