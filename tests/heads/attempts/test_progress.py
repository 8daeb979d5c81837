"""The typical error of a difference on made-up errors of known deviation, and the sentences on it."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from heads.attempts.progress import Progress
from heads.attempts.typical_error import TypicalError, error_of_a_difference, error_of_one_score


def made_up(num_athletes: int, num_attempts: int, *, of_athlete: float, of_attempt: float):
    """Return residuals and athletes by video; part of an error is the same for all attempts of an athlete."""
    rng = np.random.default_rng(1)
    residuals, athletes = {}, {}
    for athlete in range(num_athletes):
        common = rng.normal(scale=of_athlete)
        for attempt in range(num_attempts):
            video = f"{athlete}-{attempt}"
            residuals[video], athletes[video] = common + rng.normal(scale=of_attempt), f"athlete {athlete}"
    return residuals, athletes


def test_errors_within_athletes_are_measured_where_there_are_enough():
    residuals, athletes = made_up(400, 3, of_athlete=8.0, of_attempt=2.0)
    found = error_of_a_difference(residuals, athletes)
    assert (found.basis, found.degrees) == ("within", 800)
    assert found.value == pytest.approx(math.sqrt(2) * 2.0, rel=0.05)
    pairs = [
        residuals[f"{athlete}-{a}"] - residuals[f"{athlete}-{b}"]
        for athlete in range(400)
        for a, b in itertools.combinations(range(3), 2)
    ]
    assert found.value == pytest.approx(np.sqrt(np.mean(np.square(pairs)))), "the same from all pairs"
    assert "within 400 athletes (800 degrees of freedom)" in found.why


@pytest.mark.parametrize("num_attempts", [1, 3])
def test_errors_alone_make_clear_evidence_in_one_of_ten_cases(num_attempts):
    rng, num_clear, draws = np.random.default_rng(3), 0, 2000
    for _ in range(draws):
        of_athlete = np.repeat(rng.normal(scale=6.0, size=6), num_attempts) * (num_attempts > 1)
        errors = of_athlete + rng.normal(scale=2.0, size=6 * num_attempts)
        residuals = {str(number): float(each) for number, each in enumerate(errors)}
        error = error_of_a_difference(residuals, {str(n): f"{n // num_attempts}" for n in range(len(errors))})
        new, old = rng.normal(scale=2.0, size=2)  # the same true score
        num_clear += Progress(new - old, error).evidence == "clear"
    assert num_clear / draws == pytest.approx(0.1, abs=0.02)


def test_few_pairs_are_not_trusted_and_errors_count_as_independent():
    residuals, athletes = made_up(9, 2, of_athlete=8.0, of_attempt=2.0)
    found = error_of_a_difference(residuals, athletes)
    spread = np.std(list(residuals.values()), ddof=1)
    assert (found.basis, found.degrees, found.value) == (
        "independent",
        17,
        pytest.approx(math.sqrt(2) * spread),
    )
    assert "9 degrees of freedom, 10 are needed" in found.why
    nobody = error_of_a_difference(residuals, dict.fromkeys(residuals))
    assert "0 degrees of freedom" in nobody.why


def test_a_label_has_no_error_of_the_run():
    found = error_of_one_score({"a": 3.0, "b": -4.0, "c": 5.0})
    assert found.value == pytest.approx(math.sqrt(50 / 3))
    assert error_of_one_score({"a": 3.0, "b": 1.0}) is None
    assert error_of_a_difference({"a": 3.0, "b": 1.0}, {}) is None


@pytest.mark.parametrize(
    ("difference", "evidence", "sentence"),
    [
        (4.1, "none", "+4.1, smaller than the typical error of 12.7: no evidence of progress."),
        (-4.1, "none", "-4.1, smaller than the typical error of 12.7: no evidence of decline."),
        (
            15.0,
            "weak",
            "+15.0, larger than the typical error of 12.7, but errors alone make such a difference in 24 of "
            "100 cases: weak evidence of progress.",
        ),
        (
            -30.0,
            "clear",
            "-30.0, larger than the typical error of 12.7; errors alone make such a difference in 2 of 100 "
            "cases: evidence of decline.",
        ),
    ],
)
def test_the_sentence_says_no_more_than_the_errors_allow(difference, evidence, sentence):
    progress = Progress(difference, TypicalError(12.7, 40, "independent", ""))
    assert (progress.evidence, progress.sentence) == (evidence, sentence)
    assert progress.error.chance(difference) == pytest.approx(2 * stats.t.sf(abs(difference) / 12.7, 40))


def test_without_test_videos_nothing_is_said():
    assert Progress(4.1, None).sentence.startswith("+4.10; whether that is progress cannot be said")
    exact = TypicalError(0.0, 5, "one", "")
    assert [Progress(each, exact).evidence for each in (0.0, 0.1)] == ["none", "clear"]
