"""Sampling by time against naive loops over fractions."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video import Timeline, as_rate, sample_by_time

TIME_BASES = [
    Fraction(1, 1000),
    Fraction(1, 90000),
    Fraction(1, 12800),
    Fraction(1001, 24000),
    Fraction(1, 981),
]
any_time = settings(deadline=None)  # the naive loops are slow, and so may be the machine
RATES = [1, 5, 25, 0.5, 7.3, 23.976, 29.97, Fraction(16, 3), Fraction(1, 10)]


@st.composite
def timelines(draw):
    steps = draw(st.lists(st.integers(1, 500), min_size=1, max_size=20))
    start = draw(st.integers(-(10**6), 10**6))
    ticks = start + np.cumsum([0, *steps])
    return Timeline(pts=ticks[:-1], time_base=draw(st.sampled_from(TIME_BASES)), end=int(ticks[-1]))


def steady(num_frames, fps):
    return Timeline(pts=np.arange(num_frames), time_base=1 / Fraction(fps), end=num_frames)


@any_time
@given(timelines(), st.sampled_from(RATES))
def test_sample_k_is_the_frame_shown_in_the_middle_of_its_interval(timeline, rate):
    samples = sample_by_time(timeline, rate)
    exact = as_rate(rate)
    ticks = timeline.pts.tolist()
    expected = []
    k = 0
    while (k + Fraction(1, 2)) / exact < timeline.duration or k == 0:
        middle = (k + Fraction(1, 2)) / exact
        appeared = [i for i, tick in enumerate(ticks) if (tick - ticks[0]) * timeline.time_base <= middle]
        expected.append(appeared[-1])
        k += 1
    assert samples.frame_index.tolist() == expected
    assert samples.frame_index.dtype == np.int64
    assert samples.start_pts_seconds.tolist() == [float(k / exact) for k in range(len(expected))]
    assert samples.stop_pts_seconds.tolist() == [float((k + 1) / exact) for k in range(len(expected))]
    assert samples.pts_seconds.shape == (len(samples), 2)


@any_time
@given(timelines(), st.sampled_from(RATES))
def test_samples_never_run_backwards_and_number_duration_times_rate(timeline, rate):
    samples = sample_by_time(timeline, rate)
    assert np.all(np.diff(samples.frame_index) >= 0)
    assert len(samples) >= 1
    assert samples.frame_index[-1] < timeline.num_frames
    assert abs(len(samples) - timeline.duration * as_rate(rate)) <= 1 or len(samples) == 1


@any_time
@given(timelines())
def test_frame_times_find_their_frames_as_floats_and_as_fractions(timeline):
    every = list(range(timeline.num_frames))
    assert timeline.frame_at(timeline.pts_seconds).tolist() == every
    exact = [(tick - int(timeline.pts[0])) * timeline.time_base for tick in timeline.pts.tolist()]
    assert timeline.frame_at(exact).tolist() == every
    a_hair = timeline.time_base / 1000
    assert timeline.frame_at([t - a_hair for t in exact[1:]]).tolist() == every[:-1]


@any_time
@given(timelines(), st.data())
def test_a_window_is_the_same_frames_with_time_from_its_own_start(timeline, data):
    start = data.draw(st.integers(0, timeline.num_frames - 1))
    stop = data.draw(st.integers(start + 1, timeline.num_frames))
    window = timeline.window(start, stop)
    assert window.num_frames == stop - start
    np.testing.assert_array_equal(window.pts, timeline.pts[start:stop])
    after = timeline.pts[stop] if stop < timeline.num_frames else timeline.end
    assert window.end == after
    assert window.pts_seconds[0] == 0


@pytest.mark.parametrize("fps", [24, 25, 30, Fraction(24000, 1001), Fraction(30000, 1001)])
def test_at_its_own_rate_every_frame_is_taken_once(fps):
    samples = sample_by_time(steady(1000, fps), float(fps) if fps != 25 else 25)
    assert samples.frame_index.tolist() == list(range(1000))


def test_rounded_times_still_take_every_frame_once():
    """WebM writes 23.976 fps as 0, 42, 83, 125 ms: at the interval's start some frames would come twice."""
    ticks = np.array([round(i * 1001 / 24) for i in range(500)])
    timeline = Timeline(pts=ticks, time_base=Fraction(1, 1000), end=int(ticks[-1]) + 42)
    assert sample_by_time(timeline, 23.976).frame_index.tolist() == list(range(500))
    at_the_start = timeline.frame_at([Fraction(k * 1001, 24000) for k in range(500)])
    assert at_the_start.tolist() != list(range(500))


def test_mit_skating_has_about_55_segments_of_16():
    """175 s at 23.976 fps and 5 fps give 54.7 segments, as the paper says; an integer stride gives 65."""
    samples = sample_by_time(steady(4196, Fraction(24000, 1001)), 5)
    assert len(samples) == 875
    assert 54 <= len(samples) / 16 <= 55


@pytest.mark.parametrize("duration_frames", [1, 2, 3])
def test_a_very_short_video_gives_one_sample(duration_frames):
    samples = sample_by_time(steady(duration_frames, 25), 1)
    assert samples.frame_index.tolist() == [duration_frames - 1]
    assert samples.pts_seconds.tolist() == [[0, 1]]


def test_a_slow_frame_is_taken_again():
    timeline = Timeline(pts=np.array([0, 1000]), time_base=Fraction(1, 1000), end=4000)
    assert sample_by_time(timeline, 2).frame_index.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]


def test_an_hour_at_60_fps_is_planned_without_a_call_for_every_sample():
    timeline, calls = steady(216_000, 60), []
    sys.setprofile(lambda frame, event, _: calls.append(frame) if event == "call" else None)
    try:
        samples = sample_by_time(timeline, 60)
    finally:
        sys.setprofile(None)
    assert len(calls) < 1000
    assert samples.frame_index.tolist() == list(range(216_000))


def test_huge_ticks_do_not_overflow():
    """Ticks near 2**62 of a nanosecond clock with an awkward rate: products do not fit 64 bits."""
    start = 2**62
    ticks = start + np.arange(1000, dtype=np.int64) * 33_333_333
    timeline = Timeline(pts=ticks, time_base=Fraction(1, 10**9), end=int(ticks[-1]) + 33_333_333)
    samples = sample_by_time(timeline, Fraction(30_000_000, 1_000_001))
    assert samples.frame_index.tolist() == list(range(1000))


@pytest.mark.parametrize(
    ("number", "rate"),
    [
        (25, Fraction(25)),
        (25.0, Fraction(25)),
        (np.float64(5.0), Fraction(5)),
        (23.976, Fraction(24000, 1001)),
        (23.976023976, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (19.62, Fraction(981, 50)),
        (0.1, Fraction(1, 10)),
        (1 / 3, Fraction(1, 3)),
        (Fraction(16, 3), Fraction(16, 3)),
        (24, Fraction(24)),
    ],
)
def test_a_rate_is_the_fraction_it_stands_for(number, rate):
    assert as_rate(number) == rate


@pytest.mark.parametrize("number", [0, -5, math.nan, math.inf, 0.0])
def test_a_rate_must_be_positive(number):
    with pytest.raises(ValueError, match="positive number of frames per second"):
        as_rate(number)


def test_a_window_beyond_the_file_tells_both_numbers():
    with pytest.raises(VideoError, match=r"frames \[5, 30\) were asked for, but there are 25 frames"):
        steady(25, 25).window(5, 30)
    with pytest.raises(VideoError, match=r"frames \[25, end\) were asked for, but there are 25 frames"):
        steady(25, 25).window(25)


def test_damaged_timestamps_do_not_fill_the_memory():
    timeline = Timeline(pts=np.array([0, 2**61]), time_base=Fraction(1, 90000), end=2**61 + 1)
    with pytest.raises(VideoError, match="timestamps of the file are damaged"):
        sample_by_time(timeline, 5)


def test_a_time_before_the_first_frame_has_no_frame():
    with pytest.raises(ValueError, match="before the first frame"):
        steady(10, 25).frame_at([0.1, -0.1])


@pytest.mark.parametrize(
    ("pts", "end"), [([0, 0], 1), ([1, 0], 2), ([0, 1], 1), ([], 1), ([[0]], 1)], ids=str
)
def test_a_timeline_checks_itself(pts, end):
    with pytest.raises(ValueError, match="timeline"):
        Timeline(pts=np.array(pts, dtype=np.int64), time_base=Fraction(1), end=end)


def test_a_timeline_prints_its_shape_and_cannot_be_changed():
    timeline = steady(50, 25)
    assert repr(timeline) == "Timeline(50 frames, 2.000 s)"
    with pytest.raises(ValueError, match="read-only"):
        timeline.pts[0] = 5


def test_a_still_picture_is_taken_as_long_as_it_is_shown():
    still = Timeline(pts=np.array([0]), time_base=Fraction(1), end=600)
    assert sample_by_time(still, 5).frame_index.tolist() == [0] * 3000
    slides = Timeline(pts=np.arange(0, 4000, 20), time_base=Fraction(1), end=4000)
    assert len(sample_by_time(slides, 5)) == 20_000


def test_timestamps_that_one_flipped_bit_has_thrown_out_are_reported():
    """21 frames, the last of them shown for twenty hours: no network shall look at it 70,000 times."""
    thrown = Timeline(pts=np.arange(21), time_base=Fraction(1, 12), end=12 * 71_570)
    said = r"71570 samples would be taken of 21 frames, which are shown for 71570 s.*setpts=N/25/TB"
    with pytest.raises(VideoError, match=said):
        sample_by_time(thrown, 1)
    with pytest.raises(VideoError, match=r"samples would be taken: 2777\.8 hours at 5 per second"):
        sample_by_time(steady(10_000_000, 1), 5)
