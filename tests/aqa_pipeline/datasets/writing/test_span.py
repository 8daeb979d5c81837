"""Times of a player and frames of a file mean each other."""

from fractions import Fraction

import numpy as np
import pytest

from aqa_pipeline.datasets.writing.span import clock, frame_shown, player_seconds, seconds_of
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.video import Timeline

NTSC = Timeline(
    pts=np.arange(0, 300 * 1001, 1001) + 75_000, time_base=Fraction(1, 30_000), end=75_000 + 300 * 1001
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("62.48", 62.48),
        ("1:02.48", 62.48),
        ("1:00:02", 3602.0),
        (" 0:02,5 ", 2.5),
        ("99", 99.0),
        ("0:5", 5.0),
    ],
)
def test_a_clock_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text, name="the start") == seconds


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "1:2:3:4", "9:99", "1e9", "0:00:00:00", "nan", "\u0661:\u0660"]
)
def test_other_text_is_no_time(text: str) -> None:
    with pytest.raises(DatasetError, match=r"the start .* is no time"):
        seconds_of(text, name="the start")


def test_the_clock_of_a_frame_means_that_frame() -> None:
    """At 29.97 fps and a file whose clock begins at 2.5 s, to the millisecond."""
    for frame in range(NTSC.num_frames):
        assert frame_shown(NTSC, clock(player_seconds(NTSC, frame)), name="x") == frame
        middle = player_seconds(NTSC, frame) + 0.5 / 29.97
        assert frame_shown(NTSC, f"{middle:.6f}", name="x") == frame


def test_times_before_the_start_and_after_the_end() -> None:
    assert frame_shown(NTSC, "0", name="x") == 0
    assert frame_shown(NTSC, clock(2.5 + NTSC.duration_seconds), name="x") == 299
    with pytest.raises(DatasetError, match=r"the end 0:13\.000 is after the end of the video, 0:12\.510"):
        frame_shown(NTSC, "13", name="the end")
    assert player_seconds(NTSC, 10_000) == player_seconds(NTSC, 299)
