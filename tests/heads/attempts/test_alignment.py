"""Attempts are aligned by their stored features, as those of the training videos are standardized."""

import numpy as np
import pytest

from aqa_pipeline.records import Record, Source, StreamSpec
from heads.attempts.alignment import align, stream_to_align
from heads.runs.training_statistics import StreamStatistics, TrainingStatistics


def record(stream: str, features: np.ndarray, *, step_seconds: float = 1.0) -> Record:
    starts = step_seconds * np.arange(len(features))
    seconds = np.stack([starts, starts + step_seconds], axis=1)
    return Record("d", "v", StreamSpec(stream, {"backbone": "toy"}), features, seconds, Source("digest"))


def moving(num_steps: int) -> np.ndarray:
    """Return features (time, 2): the first tells the moment, the second is large and tells nothing."""
    rng = np.random.default_rng(0)
    moment = np.cumsum(rng.normal(size=num_steps))
    return np.stack([moment, 1000 * rng.normal(size=num_steps)], axis=1).astype(np.float32)


def test_a_cut_of_a_video_is_found_where_it_was_cut():
    whole = moving(40)
    found = align({"crops": record("crops", whole[12:35])}, {"crops": record("crops", whole)}, [None])
    assert [found(second) for second in (0.5, 5.0, 18.0)] == [12.5, 17.0, 30.0]
    assert found.how == "automatic, by the features of crops"


def test_features_are_standardized_with_the_deviation_of_the_training_videos():
    whole, other = moving(30), moving(30)
    other[:, 1] = other[::-1, 1]  # what tells nothing is another now
    facts = StreamStatistics(mean=(0.0, 0.0), deviation=(1.0, 1e6), distances=())
    run = TrainingStatistics(3, (1.0, 9.0), 0.0, (), {"crops": facts})
    here, there = {"crops": record("crops", whole[5:25])}, {"crops": record("crops", other)}
    found = align(here, there, [run])
    assert [found(second) for second in (0.5, 10.0, 15.0)] == [5.5, 15.0, 20.0]


def test_poses_come_first_and_else_the_finest_stream():
    coarse, fine = record("segments", moving(3)), record("crops", moving(9))
    assert stream_to_align({"segments": coarse, "crops": fine}) == "crops"
    assert stream_to_align({"crops": fine, "poses": record("poses", moving(4))}) == "poses"
    assert stream_to_align({}) is None


def test_one_step_cannot_be_aligned():
    here, there = ({"crops": record("crops", moving(number))} for number in (1, 9))
    found = align(here, there, [None])
    assert found(3.0) == 3.0
    assert "too few steps" in found.how


def test_a_long_attempt_is_thinned():
    long = moving(2500)
    found = align({"poses": record("poses", long)}, {"poses": record("poses", long)}, [None])
    assert len(found.here) <= 1000
    assert found(1234.0) == pytest.approx(1234.0)
