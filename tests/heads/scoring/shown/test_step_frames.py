"""Which frames the steps of a record were made from, whatever shape and however many they are."""

from fractions import Fraction

import numpy as np
import pytest

from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.video import Timeline
from heads.scoring.shown.step_frames import step_frames


def record(frame_index: np.ndarray) -> Record:
    number = len(frame_index)
    starts = np.arange(number, dtype=np.float64)
    return Record(
        "d",
        "v",
        StreamSpec("crops", {"frames_per_step": 1}),
        np.zeros((number, 2), np.float32),
        np.stack([starts, starts + 1], axis=1),
        Source("digest"),
        extras={"frame_index": frame_index},
    )


TEN = Timeline(np.arange(10), Fraction(1, 5), 10)


@pytest.mark.parametrize(
    ("shape", "expected"), [((0, 1), (0, 1)), ((0, 2, 3), (0, 6)), ((2, 1), (2, 1)), ((2, 2, 3), (2, 6))]
)
def test_a_record_without_steps_has_no_frames_and_no_error(
    shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    assert step_frames(record(np.zeros(shape, np.int64)), TEN).shape == expected


def test_frames_beyond_the_end_are_the_last_one() -> None:
    assert step_frames(record(np.array([[3], [40]])), TEN).tolist() == [[3], [9]]
