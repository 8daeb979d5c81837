"""Axes with round numbers: they hold every value, and no end is a score or an interval's end by name."""

import numpy as np
import pytest

from heads.scoring.shown.score_axis import round_axis


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.06, 15.48], ["0", "5", "10", "15", "20"]),
        ([0.0, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.31, 0.52], ["0.3", "0.4", "0.5", "0.6"]),
        ([-3.0, 17.0], ["-5", "0", "5", "10", "15", "20"]),
        ([312.0, 1204.0], ["0", "500", "1000", "1500"]),
    ],
)
def test_marks_are_round_numbers(values: list[float], texts: list[str]) -> None:
    assert [mark.text for mark in round_axis(values).marks] == texts


@pytest.mark.parametrize("seed", range(20))
def test_every_value_lies_on_the_axis_and_every_mark_where_its_number_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=6) * 10.0 ** rng.integers(-6, 7)
    axis = round_axis(values)
    assert all(0 <= axis.share(value) <= 1 for value in values)
    assert 2 <= len(axis.marks) <= 7
    for mark in axis.marks:
        assert axis.low + mark.place * (axis.high - axis.low) == pytest.approx(
            float(mark.text), abs=1e-6 * axis.step
        )


@pytest.mark.parametrize("value", [0.0, 7.3, -2.0])
def test_equal_values_have_an_axis(value: float) -> None:
    axis = round_axis([value, value])
    assert axis.low <= value <= axis.high
    assert axis.low < axis.high
