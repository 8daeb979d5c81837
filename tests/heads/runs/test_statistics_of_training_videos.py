"""`training_statistics.json`: what it says of the training videos, and damage."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Record, Source, StreamSpec
from heads.runs.training_statistics import (
    StreamStatistics,
    frames_without_person,
    read_training_statistics,
    reference_features,
    share_without_person,
)

SPLIT = "split-given"


def test_the_file_describes_the_training_videos_alone(club) -> None:
    found = read_training_statistics(club.run("wd") / SPLIT)
    train = club.dataset.splits["given"].train
    records = [club.store.read("club", name, club.spec("clips")) for name in train]
    means = np.stack([record.features.astype(float).mean(axis=0) for record in records])
    assert found.num_videos == len(train) == 15
    assert found.streams["clips"].mean == pytest.approx(means.mean(axis=0), rel=1e-4)
    assert found.streams["clips"].deviation == pytest.approx(means.std(axis=0, ddof=1), rel=1e-4)
    assert found.seconds == (min(len(r.features) for r in records), max(len(r.features) for r in records))
    assert len(found.streams["clips"].distances) == 15
    assert list(found.streams["clips"].distances) == sorted(found.streams["clips"].distances)
    assert found.source_digests == ("no file",)


def test_every_stream_of_the_run_is_described(club) -> None:
    assert set(read_training_statistics(club.run("net") / SPLIT).streams) == {"segments", "crops"}


def test_the_distance_is_that_of_the_mean_in_deviations() -> None:
    statistics = StreamStatistics((1.0, 2.0), (0.5, 2.0), (1.0,))
    features = np.array([[1.0, 4.0], [3.0, 8.0]])  # mean (2, 6): 2 and 2 deviations away
    assert statistics.distance(features) == pytest.approx(2.0)
    assert statistics.distance(np.array([[1.0, 2.0]])) == 0


@pytest.mark.parametrize(
    ("shape", "expected"), [((3, 4), (3, 4)), ((3, 2, 4), (3, 4)), ((3, 2, 4, 2, 5, 5), (3, 4))]
)
def test_views_and_grids_come_down_to_steps_and_channels(
    shape: tuple[int, ...], expected: tuple[int, int]
) -> None:
    features = np.random.default_rng(0).normal(size=shape)
    found = reference_features(features)
    assert found.shape == expected
    first = features[:, 0] if len(shape) > 2 else features
    np.testing.assert_allclose(found, first.reshape(*first.shape[:2], -1).mean(axis=-1))


def record(**counts: int) -> Record:
    times = np.array([[0.0, 1.0]])
    return Record(
        "d", "v", StreamSpec("crops", {}), np.ones((1, 2), np.float32), times, Source("s"), counts=counts
    )


@pytest.mark.parametrize(
    ("counts", "frames", "share"),
    [
        ({}, (0, 0), 0.0),
        ({"num_steps": 8}, (8, 0), 0.0),
        ({"num_steps": 8, "num_steps_without_person": 2}, (8, 2), 0.25),
        ({"num_steps": 3, "num_tracked_frames": 40, "num_frames_without_athlete": 10}, (40, 10), 0.25),
        ({"num_tracked_frames": 5, "num_steps_without_person": 5}, (5, 0), 0.0),
        ({"num_steps": 4, "num_steps_without_person": 4}, (4, 4), 1.0),
    ],
)
def test_frames_without_an_athlete_are_counted_as_the_stream_counts_them(counts, frames, share) -> None:
    assert frames_without_person(record(**counts)) == frames
    assert share_without_person(record(**counts)) == share


Damage = Callable[[dict], object]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda values: values.pop("streams"), "KeyError('streams')"),
        (lambda values: values.pop("num_videos"), "KeyError('num_videos')"),
        (lambda values: values.update(seconds=[1]), "IndexError"),
        (lambda values: values.update(seconds=["a", "b"]), "could not convert string to float"),
        (lambda values: values.update(streams=[]), "AttributeError"),
        (lambda values: values["streams"]["clips"].pop("mean"), "KeyError('mean')"),
        (lambda values: values["streams"]["clips"].update(distances=3), "TypeError"),
        (lambda values: values.update(source_digests=7), "TypeError"),
    ],
)
def test_damage_is_named_with_what_to_do(club, tmp_path: Path, damage: Damage, reason: str) -> None:
    values = json.loads((club.run("wd") / SPLIT / "training_statistics.json").read_text())
    damage(values)
    (tmp_path / "training_statistics.json").write_text(json.dumps(values))
    with pytest.raises(RunError) as caught:
        read_training_statistics(tmp_path)
    assert reason in str(caught.value)
    assert str(caught.value).endswith("delete it and run the same `aqa fit` again, it is written anew.")


def test_a_split_without_the_file_has_no_statistics(tmp_path: Path) -> None:
    assert read_training_statistics(tmp_path) is None
