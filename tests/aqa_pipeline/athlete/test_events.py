"""When the athlete was lost, in seconds of the performance and in words."""

import numpy as np
import pytest

from aqa_pipeline.athlete.events import describe_events, describe_tracking, event_seconds
from aqa_pipeline.records import Event, Record, Source, StreamSpec


def record(*events: Event, frames_per_step: int = 4, steps: int = 5, **facts: object) -> Record:
    """Return a tube at 4 frames a second that begins at 10 s: frame f is shown from 10 + f / 4 on."""
    start = 10 + np.arange(steps, dtype=float) * frames_per_step / 4
    frame_index = np.arange(steps * frames_per_step).reshape(steps, frames_per_step)
    made = {
        "dataset": "toy",
        "video_id": "a",
        "spec": StreamSpec("tubes", {}),
        "features": np.ones((steps, 2), np.float32),
        "pts_seconds": np.stack([start, start + frames_per_step / 4], axis=1),
        "source": Source("0" * 64),
        "extras": {"frame_index": frame_index},
        "events": events,
    }
    return Record(**{**made, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize("frames_per_step", [1, 4])
@pytest.mark.parametrize("frame", [0, 1, 3, 7])
def test_an_event_is_at_the_time_of_its_frame(frames_per_step, frame):
    made = record(Event(frame, "lost"), frames_per_step=frames_per_step, steps=20 // frames_per_step)
    assert event_seconds(made, "lost") == pytest.approx([10 + frame / 4])
    assert event_seconds(made, "jumped") == []


def test_between_listed_frames_times_are_interpolated():
    frames = np.array([[0], [8], [16]])
    made = record(Event(4, "lost"), Event(10, "lost"), steps=3, extras={"frame_index": frames})
    times = made.pts_seconds[:, 0]
    expected = np.interp([4, 10], [0, 8, 16], times)
    assert event_seconds(made, "lost") == pytest.approx(expected.tolist())


def test_repeated_first_frames_count_once():
    frames = np.array([[0, 0, 0, 1], [2, 3, 4, 5]])
    made = record(Event(0, "lost"), Event(2, "lost"), steps=2, extras={"frame_index": frames})
    assert event_seconds(made, "lost") == pytest.approx([10.0, 11.0])


@pytest.mark.parametrize(
    "facts",
    [
        {"extras": {}},
        {
            "features": np.ones((0, 2)),
            "pts_seconds": np.ones((0, 2)),
            "extras": {"frame_index": np.ones((0, 4))},
        },
    ],
    ids=["frames that nobody listed", "a record without steps"],
)
def test_without_frames_there_are_no_times(facts):
    made = record(Event(3, "lost"), **facts)
    assert event_seconds(made, "lost") == []
    assert describe_tracking(made) is None


def test_events_are_reported_by_kind_and_a_start_is_none():
    events = (Event(0, "started"), Event(2, "lost"), Event(4, "restarted"), Event(6, "jumped"))
    assert list(describe_events(record(*events))) == [
        "lost at 10.5 s",
        "found again by the detector at 11.0 s",
        "another person from 11.5 s",
    ]


def test_of_many_times_three_are_reported_and_the_others_counted():
    made = record(*(Event(frame, "lost") for frame in (0, 4, 8, 12, 16)))
    assert list(describe_events(made)) == ["lost at 10.0 s, 11.0 s, 12.0 s and 2 times more"]
    made = record(*(Event(frame, "lost") for frame in (0, 4, 8)))
    assert list(describe_events(made)) == ["lost at 10.0 s, 11.0 s, 12.0 s"]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            {"num_tracked_frames": 20, "num_frames_without_athlete": 6},
            "followed in 14 of 20 frames, lost at 10.0 s",
        ),
        ({"num_tracked_frames": 20}, "followed in 20 of 20 frames, lost at 10.0 s"),
        ({}, "lost at 10.0 s"),
    ],
    ids=["some frames", "all frames", "frames that were not counted"],
)
def test_a_record_says_how_well_the_athlete_was_followed(counts, text):
    assert describe_tracking(record(Event(0, "lost"), counts=counts)) == text


def test_a_record_without_events_says_nothing():
    assert describe_tracking(record(counts={"num_tracked_frames": 20})) is None
