"""The increasing map from outputs to scores."""

import numpy as np
import pytest
import torch

from heads.models.closed_form.calibration import NUM_KNOTS, REACH, IncreasingMap


def fitted(outputs: np.ndarray, labels: np.ndarray) -> IncreasingMap:
    calibrate = IncreasingMap()
    calibrate.fit(outputs, labels)
    return calibrate


@pytest.mark.parametrize("num", [2, 3, 7, 60])
def test_the_order_of_outputs_stays_whatever_the_labels_are(num: int) -> None:
    rng = np.random.default_rng(num)
    calibrate = fitted(rng.normal(size=num), rng.normal(size=num))
    outputs = torch.linspace(-4, 4, 101, dtype=torch.float64)
    assert (calibrate(outputs).diff() > 0).all()


def test_a_curved_relation_is_straightened() -> None:
    outputs = np.linspace(-2, 2, 240)
    labels = outputs**3
    calibrate = fitted(outputs, labels)
    straight = np.polyval(np.polyfit(outputs, labels, 1), outputs)
    errors = [np.abs(each - labels).mean() for each in (calibrate(torch.tensor(outputs)).numpy(), straight)]
    assert errors[0] < errors[1] / 2
    assert len(calibrate.get_buffer("outputs")) == NUM_KNOTS


def test_outputs_beyond_the_knots_go_on_smoothly_and_level_off() -> None:
    calibrate = fitted(np.arange(60.0), 3 * np.arange(60.0))
    near, far = calibrate(torch.tensor([57.0, 1e6], dtype=torch.float64)).tolist()
    first, last = calibrate.get_buffer("scores")[[0, -1]].tolist()
    assert near == pytest.approx(171, rel=0.01)
    assert far == pytest.approx(last + REACH * (last - first), rel=1e-3)


def test_a_run_without_a_reach_scores_as_it_did() -> None:
    state = fitted(np.arange(60.0), 3 * np.arange(60.0)).state_dict()
    del state["reach"]
    older = IncreasingMap()
    older.load_state_dict(state)
    far = older(torch.tensor([-100.0, 200.0], dtype=torch.float64))
    np.testing.assert_allclose(far.numpy(), [-300, 600], rtol=0.02)
