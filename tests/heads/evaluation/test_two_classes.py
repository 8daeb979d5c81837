"""Scores that are probabilities of a class, in words."""

from types import SimpleNamespace

import numpy as np
import pytest

from aqa_pipeline.metrics import wilson_interval
from heads.evaluation.two_classes import two_classes
from heads.scoring.predict import Prediction
from heads.scoring.score_text import format_scored_video, headline, score_sentences
from heads.scoring.scorer import ScoredVideo

TRUE = np.array([1.0, 1.0, 0.0, 0.0, 1.0])
PREDICTED = np.array([0.9, 0.4, 0.1, 0.2, 0.5])


def config(dataset: str = "fr-fs", loss: str = "cross-entropy"):
    recipe = {"recipe": {"loss": loss}}
    names = {
        "dataset": {"name": dataset, "adapter": dataset},
        "target": {"name": "clean"},
        "splits": {"official": recipe},
    }
    return names | {"head": "tsa", "variant": "paper"}


def classes(**changes: str):
    return two_classes(
        config(**changes), ["official"], predicted=PREDICTED, true=TRUE, training=np.array([1.0, 0, 0, 1])
    )


def judged(score: float):
    prediction = Prediction(score, 0.03, (score,), {}, {}, {}, seen_in_training=False)
    scorer = SimpleNamespace(
        classes=classes(),
        training_scores=np.zeros(4),
        flags=(),
        verdict=None,
        ensemble=SimpleNamespace(config=config()),
    )
    return ScoredVideo("jump", prediction, None, None, ()), scorer


def test_one_half_counts_as_the_upper_class() -> None:
    told = classes()
    assert (told.lower, told.upper) == ("fall", "clean landing")
    assert (told.num_right, told.num_videos, told.share_upper) == (4, 5, 0.5)
    assert (told.name(0.5), told.name(0.49)) == ("clean landing", "fall")
    assert told.accuracy == wilson_interval(4, 5)


def test_other_datasets_are_named_by_their_target() -> None:
    assert (classes(dataset="jumps").lower, classes(dataset="jumps").upper) == ("not clean", "clean")
    assert classes(loss="mse") is None


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0.83, "clean landing, probability 83 %"), (0.12, "fall, probability 88 %")],
)
def test_the_likelier_class_is_named_with_its_probability(score: float, expected: str) -> None:
    assert headline(*judged(score)) == expected
    assert format_scored_video(*judged(score)).startswith(f"jump: {expected}\n")


def test_a_probability_has_an_accuracy_where_a_score_has_an_interval() -> None:
    right, share = score_sentences(*judged(0.83))
    assert right.startswith("This run was right about 4 of 5 test videos (95 % interval ")
    assert "networks differ by ± 0.030" in right
    assert share == "Clean landing: 50 % of its 4 training videos."
