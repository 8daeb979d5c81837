"""Angles of a skeleton that bends by known degrees; intervals hold the truth as often as they say."""

import numpy as np
import pytest

from aqa_pipeline.errors import MeasureError
from aqa_pipeline.measuring import PoseSeries, angles_at
from aqa_pipeline.measuring.scatter import half_width
from aqa_pipeline.poses import COCO_17
from walkers import RATE, walker


def test_known_angles_come_out_with_their_names() -> None:
    series = walker(10, left_knee=np.full(10, 90.0), right_knee=np.full(10, 175.0))
    facts = {fact.name: fact for fact in angles_at(series, 0.5)}
    assert facts["left knee at 0.50 s"].value == pytest.approx(90)
    assert facts["right knee at 0.50 s"].value == pytest.approx(175)
    assert facts["left knee at 0.50 s"].uncertainty == pytest.approx(0, abs=1e-6), "nothing scatters"
    assert len(facts) == 8


def test_a_steady_bend_is_no_scatter() -> None:
    series = walker(20, left_knee=np.linspace(100, 160, 20))
    fact = next(each for each in angles_at(series, 1.0) if each.name.startswith("left knee"))
    assert fact.value == pytest.approx(100 + 60 * 10 / 19)
    assert fact.uncertainty == pytest.approx(0, abs=1e-6)


def test_hidden_joints_have_no_angle() -> None:
    series = walker(10, left_knee=np.full(10, 90.0))
    series.joints[5, COCO_17.joints.index("left_ankle"), 3] = 0.49
    fact = next(each for each in angles_at(series, 0.5) if each.name.startswith("left knee"))
    assert (fact.value, fact.uncertainty) == (None, None)
    assert fact.rests_on == "hidden: least visibility 0.49"


def test_without_neighbors_there_is_a_value_and_no_uncertainty() -> None:
    series = walker(3, left_knee=np.full(3, 90.0))
    fact = next(each for each in angles_at(series, 0.1) if each.name.startswith("left knee"))
    assert fact.value == pytest.approx(90)
    assert fact.uncertainty is None
    assert "too few neighboring poses" in fact.rests_on


def test_a_moment_without_a_pose_names_the_nearest() -> None:
    whole = walker(10, left_knee=np.full(10, 90.0))
    kept = np.array([0, 1, 2, 7, 8, 9])
    series = PoseSeries(
        whole.seconds[kept], whole.covered[kept], whole.joints[kept], COCO_17, made_by="a test"
    )
    with pytest.raises(MeasureError, match=r"no pose at 0.45 s.*last before at 0.20 s, the next at 0.70 s"):
        angles_at(series, 0.45)


def test_a_straight_joint_with_noise_stays_around_180() -> None:
    """Unsigned angles would fold at 180 and hide half of the noise."""
    values = np.array([-179.0, 178, -178, 179, -177, 176, -179])
    found = half_width(np.arange(7) / RATE, values, 3)
    unfolded = half_width(np.arange(7) / RATE, values % 360, 3)
    assert found is not None
    assert found == pytest.approx(unfolded)
    assert 3 < found[0] < 15


@pytest.mark.parametrize("at", [0, 3])
def test_intervals_hold_the_truth_in_noise(at: int) -> None:
    """The noise of the middle value widens its own interval, so that it holds the truth rather more often."""
    random = np.random.default_rng(0)
    seconds = np.cumsum(random.uniform(0.15, 0.25, 7))
    held = []
    for _ in range(1000):
        truth, noise = 90 + 40 * seconds, random.normal(0, 3, 7)
        half, steps = half_width(seconds, truth + noise, at) or (0, 0)
        assert steps == (7 if at == 3 else 4)
        held.append(abs(noise[at]) <= half)
    assert 0.95 <= np.mean(held) < 1


def test_a_gap_ends_the_neighborhood() -> None:
    seconds = np.array([0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.2])
    values = np.array([90.0, 91, 90, 91, 10, 170, 10])
    near = half_width(seconds, values, 2)
    assert near is not None
    assert near[1] == 4
    assert half_width(seconds, values, 5) is None
