"""Two-class targets: the class, its probability and the accuracy, as text."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from aqa_pipeline.metrics import wilson_interval
from heads.evaluation.two_class_target import two_class_target
from heads.scoring.predict import Prediction
from heads.scoring.scorer import ScoredVideo
from heads.scoring.shown.score_text import format_scored_video, headline, score_sentences

TRUE = np.array([1.0, 1.0, 0.0, 0.0, 1.0])
PREDICTED = np.array([0.9, 0.4, 0.1, 0.2, 0.5])


@pytest.fixture
def config_of(make_config):
    """Return a function that makes the configuration of a run on clean landings and falls."""
    return partial(make_config, ["official"], target="clean", head=("tsa", "paper"))


def classes(config_of, *, dataset: str = "fr-fs", loss: str = "cross-entropy"):
    return two_class_target(
        config_of(dataset=dataset, loss=loss),
        ["official"],
        predicted=PREDICTED,
        true=TRUE,
        training=np.array([1.0, 0, 0, 1]),
    )


def scored(config_of, score: float):
    prediction = Prediction(score, 0.03, (score,), {}, {}, {}, seen_in_training=False)
    scorer = SimpleNamespace(
        classes=classes(config_of),
        training_scores=np.zeros(4),
        flags=(),
        verdict=None,
        ensemble=SimpleNamespace(config=config_of(dataset="fr-fs")),
    )
    return ScoredVideo("jump", prediction, None, None, ()), scorer


def test_one_half_counts_as_the_upper_class(config_of) -> None:
    told = classes(config_of)
    assert (told.lower, told.upper) == ("fall", "clean landing")
    assert (told.num_right, told.num_videos, told.share_upper) == (4, 5, 0.5)
    assert (told.name(0.5), told.name(0.49)) == ("clean landing", "fall")
    assert told.accuracy == wilson_interval(4, 5)


def test_other_datasets_are_named_by_their_target(config_of) -> None:
    assert (classes(config_of, dataset="jumps").lower, classes(config_of, dataset="jumps").upper) == (
        "not clean",
        "clean",
    )
    assert classes(config_of, loss="mse") is None


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.83, "clean landing, probability 83 %"), (0.12, "fall, probability 88 %")],
)
def test_the_likelier_class_is_named_with_its_probability(config_of, score: float, expected: str) -> None:
    assert headline(*scored(config_of, score)) == expected
    assert format_scored_video(*scored(config_of, score)).startswith(f"jump: {expected}\n")


def test_a_probability_has_an_accuracy_where_a_score_has_an_interval(config_of) -> None:
    right, share = score_sentences(*scored(config_of, 0.83))
    assert right.startswith("4 of 5 test videos correct (95 % interval ")
    assert "networks differ by ± 0.030" in right
    assert share == "Clean landing: 50 % of its 4 training videos."
