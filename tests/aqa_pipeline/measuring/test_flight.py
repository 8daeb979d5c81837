"""A flight whose time is known lies within the interval, whenever the frames were taken."""

import numpy as np
import pytest

from aqa_pipeline.errors import MeasureError
from aqa_pipeline.measuring import MeasuredFact, time_in_the_air

GRAVITY = 9.80665


def measured(frames: np.ndarray, take_off: float, landing: float) -> tuple[MeasuredFact, MeasuredFact]:
    """Mark the first frame in the air and the first with contact again, as a person would."""
    in_air = np.flatnonzero((frames > take_off) & (frames < landing))
    first, last = frames[in_air[0]], frames[in_air[-1] + 1]
    return time_in_the_air(frames, float(frames[-1]) + 0.04, take_off=first + 1e-4, landing=last + 1e-4)


@pytest.mark.parametrize("fps", [19.62, 25, 60, 240])
def test_ballistic_flights_lie_within_the_interval(fps: float) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        height = random.uniform(0.05, 0.8)
        true = np.sqrt(8 * height / GRAVITY)  # up and down again: h = g (t/2)^2 / 2
        take_off = random.uniform(0.5, 1.0)
        seconds, rise = measured(np.arange(0, 4, 1 / fps), take_off, take_off + true)
        assert seconds.low < true < seconds.high
        assert rise.low < height < rise.high
        assert seconds.uncertainty == pytest.approx(1 / fps)


def test_uneven_frames_have_their_own_uncertainty() -> None:
    frames = np.array([0, 0.1, 0.2, 0.3, 0.7, 0.75, 0.8])
    seconds, rise = time_in_the_air(frames, 0.9, take_off=0.25, landing=0.72)
    assert (seconds.value, seconds.low, seconds.high) == pytest.approx((0.5, 0.1, 0.6))
    assert seconds.uncertainty == pytest.approx(0.4), "the landing is somewhere within 0.4 s"
    assert rise.value == pytest.approx(GRAVITY / 8 * 0.25)
    assert "frames 2 (0.200 s) and 4 (0.700 s)" in seconds.rests_on


@pytest.mark.parametrize(
    ("take_off", "landing", "reason"),
    [
        (0.5, 0.3, "landing at 0.3 s is not after take-off at 0.5 s"),
        (0.31, 0.32, "shown by frames 3 and 3"),
        (0.05, 0.3, "take-off at 0.05 s is in the first frame"),
        (0.3, 1.0, "landing at 1 s is not in the video, which is 1.00 s long"),
        (float("nan"), 0.5, "not in the video"),
    ],
)
def test_impossible_times_are_refused(take_off: float, landing: float, reason: str) -> None:
    with pytest.raises(MeasureError) as raised:
        time_in_the_air(np.arange(10) / 10, 1.0, take_off=take_off, landing=landing)
    assert reason in str(raised.value)
