"""Which part of a performance a stream looks at, and when that is worth a word."""

import numpy as np
import pytest

from aqa_pipeline.athlete.covered_part import CoveredPart, covered_part, covered_parts
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec

SEGMENTS = StreamSpec("segments", {"rate_fps": 5.0, "frames_per_step": 16})
TUBES = StreamSpec("tubes", {"num_frames": 103, "stride": 10})


def footage(seconds: float, *, fps: float = 20.0, start_frame: int = 0) -> Footage:
    frames = round(seconds * fps)
    return Footage(320, 240, start_frame + frames, start_frame, start_frame + frames, fps)


def steps(number: int, seconds: float = 3.2) -> np.ndarray:
    start = seconds * np.arange(number)
    return np.stack([start, start + seconds], axis=1)


def test_a_video_of_six_seconds_is_six_seconds_long_though_one_segment_fits() -> None:
    record = Record("d", "v", SEGMENTS, np.zeros((1, 4)), steps(1), Source(""), pictures=Pictures(footage(6)))
    assert record.duration_seconds == 6
    part = covered_part(SEGMENTS, record.pts_seconds, record.pictures.footage)
    assert part == CoveredPart(0.0, 3.2, 6.0, 120, "--rest padded")
    assert str(part) == "0.0-3.2 s of 6.0 s"
    assert dict(covered_parts({"segments": record})) == {"segments": part}


def test_features_that_nobody_saw_a_video_for_last_as_long_as_their_steps() -> None:
    record = Record("d", "v", SEGMENTS, np.zeros((2, 4)), steps(2), Source(""))
    assert record.duration_seconds == 6.4
    assert covered_part(SEGMENTS, record.pts_seconds, None) is None


def test_tubes_look_at_the_end_and_the_option_counts_the_frames_of_the_performance() -> None:
    end = np.array([[12.8, 13.6], [17.3, 18.1]])
    part = covered_part(TUBES, end, footage(18.1, fps=10.0, start_frame=500))
    assert str(part) == "12.8-18.1 s of 18.1 s"
    assert part.option == "--last-frames 181"


@pytest.mark.parametrize(
    ("spec", "pts", "seconds", "is_part"),
    [
        (SEGMENTS, steps(2), 6.5, False),  # half a sample of 0.2 s is a rounding
        (SEGMENTS, steps(2), 6.55, True),
        (SEGMENTS, steps(2), 6.3, False),  # the last sample may stand for time behind the end
        (TUBES, np.array([[0.0, 6.0]]), 6.0, False),
        (TUBES, np.array([[0.05, 6.0]]), 6.0, True),  # one frame is left out
        (TUBES, np.array([[0.0, 5.95]]), 6.0, True),
        (StreamSpec("pixels", {"num_frames": 109}), np.array([[0.05, 6.0]]), 6.0, True),
        (StreamSpec("pixels", {"rate_fps": 5.0}), np.array([[0.0, 5.9]]), 6.0, False),  # half a sample
        (StreamSpec("crops", {"rate_fps": 1.0}), np.array([[2.0, 3.0]]), 6.0, False),  # nobody in the others
        (SEGMENTS, np.empty((0, 2)), 6.0, False),
    ],
)
def test_only_what_is_left_out_by_design_is_reported(spec, pts, seconds, is_part) -> None:
    assert (covered_part(spec, pts, footage(seconds)) is not None) is is_part


def test_a_performance_within_a_file_lasts_as_long_as_its_frames() -> None:
    assert Footage(320, 240, 9000, 1000, 1500, 25.0).duration_seconds == 20
