"""Properties of a timeline's rows, of round axes and of clocks, whatever the values are."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heads.pages.score_page import MOST_TICKS, clock, time_ticks
from heads.pages.track import NUM_MOMENTS, Track, scores_are_even, weights_are_even
from heads.scoring.shown.score_axis import round_axis

weights = st.lists(st.floats(0, 1), max_size=40)
scores = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=30)


def track_of(
    values: list[float], *, kind: str = "attention", seconds: float = 1.0, stride: float = 1.0
) -> Track:
    starts = stride * np.arange(len(values))
    seen = sum(value > 0 for value in values)
    reference = 1 / max(1, seen) if kind == "attention" else float(np.mean(values or [0]))
    return Track(
        name="Crops",
        unit="weight",
        kind=kind,
        pts_seconds=np.stack([starts, starts + seconds], axis=1),
        values=np.array(values, dtype=float),
        reference=reference,
        usual_range=100.0,
    )


@given(weights)
def test_levels_name_each_step_once_and_the_highest_are_not_below_the_lowest(values: list[float]) -> None:
    track = track_of(values)
    assert len(track.levels) == len(values)
    highest, lowest = track.steps("highest"), track.steps("lowest")
    assert len(highest) == len(lowest) <= NUM_MOMENTS
    assert not set(highest) & set(lowest)
    assert [step for step, level in enumerate(track.levels) if level == "unseen"] == [
        step for step, value in enumerate(values) if value == 0
    ]
    for high in highest:
        others = [*track.steps("other"), *lowest]
        assert all(values[high] >= values[other] for other in others)
    for low in lowest:
        assert all(values[low] <= values[other] for other in track.steps("other"))
    assert highest == sorted(highest, key=lambda step: -values[step])
    assert lowest == sorted(lowest, key=lambda step: values[step])


@given(weights)
def test_even_weights_have_no_moments_and_say_so(values: list[float]) -> None:
    track = track_of(values)
    if track.is_even:
        assert not track.is_ranked
        assert track.spread.endswith("They are almost equal: no moment stands out.")
    assert track.is_even == weights_are_even(np.array(values))


@given(st.integers(2, 50), st.floats(0.01, 0.5))
def test_weights_are_even_below_a_fifth_of_an_equal_weight(number: int, share: float) -> None:
    values = np.full(number, 1 / number)
    values[0] += share / number
    assert weights_are_even(values) == (np.ptp(values) < 0.2 / number)


@given(scores)
def test_scores_are_even_by_their_own_range_whatever_their_level(values: list[float]) -> None:
    array = np.array(values)
    for shift in (0.0, 500.0):
        assert scores_are_even(array + shift, usual_range=np.ptp(array) * 25 + 1) == (len(values) > 1)
    assert not scores_are_even(array, usual_range=0.0)


@given(st.integers(1, 20), st.floats(0.5, 4), st.floats(0.2, 3))
def test_bars_follow_each_other_and_cover_what_the_steps_cover(
    number: int, seconds: float, stride: float
) -> None:
    track = track_of([1.0 / number] * number, seconds=seconds, stride=stride)
    bars = track.bars
    assert (bars[:, 0] < bars[:, 1]).all()
    assert (bars[1:, 0] >= bars[:-1, 1] - 1e-9).all(), "no bar begins before the one before it ends"
    assert bars[0, 0] == track.pts_seconds[0, 0]
    assert bars[-1, 1] == track.pts_seconds[-1, 1]
    inside = (bars[:, 0] >= track.pts_seconds[:, 0] - 1e-6) & (bars[:, 1] <= track.pts_seconds[:, 1] + 1e-6)
    assert inside.all(), "a bar lies within its step"
    assert track.overlaps == (number > 1 and seconds > stride + 1e-6)


@given(scores)
def test_a_round_axis_holds_its_values_on_few_round_marks(values: list[float]) -> None:
    axis = round_axis(values)
    rounding = 1e-9 * (axis.high - axis.low)
    assert axis.low <= min(values) + rounding
    assert axis.high >= max(values) - rounding
    assert 2 <= len(axis.marks) <= 8
    mantissa = axis.step / 10 ** math.floor(math.log10(axis.step) + 1e-9)
    assert min(abs(mantissa - each) for each in (1, 2, 5, 10)) < 1e-6
    assert axis.marks[0].place == 0
    assert axis.marks[-1].place == pytest.approx(1)
    texts = [mark.text for mark in axis.marks]
    assert len(set(texts)) == len(texts), "two marks never read the same"
    for mark in axis.marks:
        assert float(mark.text) == pytest.approx(
            axis.low + mark.place * (axis.high - axis.low), abs=axis.step / 100
        )


@given(st.floats(0.1, 5000))
def test_ticks_of_time_are_few_evenly_spaced_and_inside(seconds: float) -> None:
    ticks = time_ticks(seconds)
    assert len(ticks) <= MOST_TICKS
    assert all(0 < tick < seconds for tick in ticks)
    assert len({round(later - earlier, 6) for earlier, later in pairwise(ticks)}) <= 1
    if seconds >= 3:
        assert ticks, "from three seconds on there is a tick"


@given(st.floats(0, 1e5))
def test_a_clock_reads_back_to_a_tenth_and_is_never_ahead(seconds: float) -> None:
    minutes, _, rest = clock(seconds).partition(":")
    read = 60 * int(minutes) + float(rest)
    assert read <= seconds + 1e-5
    assert seconds - read < 0.1 + 1e-5
    assert float(rest) < 60
    assert len(rest) == 4


@pytest.mark.parametrize("kind", ["attention", "score"])
def test_labels_and_legend_tell_what_a_value_means(kind: str) -> None:
    track = track_of([0.2, 0.8], kind=kind)
    if kind == "attention":
        assert track.labels == ["0.2000 (0.40x)", "0.8000 (1.60x)"]
        assert track.reading == "dashed: equal weights, 0.500 each"
    else:
        assert track.labels == ["0.20", "0.80"]
        assert track.reading == "dashed: the whole video, 0.50"
