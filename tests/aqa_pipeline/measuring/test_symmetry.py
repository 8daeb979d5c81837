"""Left minus right of known knees, and intervals that know that neighboring poses resemble each other."""

import numpy as np
import pytest

from aqa_pipeline.measuring import symmetry
from aqa_pipeline.measuring.symmetry import mean_of_steps
from aqa_pipeline.poses import COCO_17
from walkers import walker


def test_a_known_difference_comes_out() -> None:
    random = np.random.default_rng(1)
    series = walker(40, left_knee=130 + random.normal(0, 2, 40), right_knee=110 + random.normal(0, 2, 40))
    fact = next(each for each in symmetry(series, 0, 4) if each.name.startswith("knee"))
    assert fact.name == "knee, left minus right"
    assert fact.low is not None
    assert fact.low < 20 < fact.high
    assert fact.uncertainty < 2
    assert fact.rests_on == "40 poses of 40 show both sides"


def test_the_span_and_hidden_joints_choose_the_poses() -> None:
    left = np.where(np.arange(40) < 20, 100.0, 150.0)
    series = walker(40, left_knee=left, right_knee=np.full(40, 90.0))
    series.joints[:5, COCO_17.joints.index("right_ankle"), 3] = 0.1
    fact = next(each for each in symmetry(series, 0, 2) if each.name.startswith("knee"))
    assert (fact.value, fact.uncertainty) == pytest.approx((10, 0), abs=1e-6)
    assert fact.rests_on == "15 poses of 20 show both sides"


def test_few_poses_give_no_mean() -> None:
    facts = symmetry(walker(9), 0, 10)
    assert {fact.value for fact in facts} == {None}
    assert facts[0].rests_on == "9 poses of 9 show both sides; 10 are needed"
    assert symmetry(walker(9), 50, 60)[0].rests_on == "0 poses of 0 show both sides; 10 are needed"


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.8])
def test_intervals_of_correlated_steps_hold_the_mean(correlation: float) -> None:
    """Taken for independent, steps with a correlation of 0.8 would hold the mean half of the time."""
    random = np.random.default_rng(0)
    noise = random.normal(size=(60 + 50, 600))
    series = np.zeros_like(noise)
    for step in range(1, len(noise)):
        series[step] = correlation * series[step - 1] + noise[step]
    held = [abs(mean) <= half for mean, half in map(mean_of_steps, series[50:].T)]
    assert 0.92 <= np.mean(held) <= 0.98


def test_a_drift_says_next_to_nothing_and_no_impossible_difference() -> None:
    """Ten poses that drift tell as much as two: the interval is as wide as differences can be."""
    series = walker(10, left_knee=np.linspace(20, 160, 10), right_knee=np.full(10, 90.0))
    fact = next(each for each in symmetry(series, 0, 1) if each.name.startswith("knee"))
    assert fact.value == pytest.approx(0, abs=1e-6)
    assert (fact.low, fact.high) == (-180, 180)


def test_equal_steps_have_no_uncertainty() -> None:
    assert mean_of_steps(np.full(12, 3.5)) == (3.5, 0.0)
