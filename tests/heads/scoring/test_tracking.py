"""Where a tracker lost the athlete, from the quads and scores that a record keeps."""

import numpy as np
import pytest

from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.records import Event, Record, Source, StreamSpec
from heads.runs.training_statistics import frames_without_person, share_without_person
from heads.scoring.input_warnings import input_warnings
from heads.scoring.tracking import tracking_sentences, tracking_summary, tracking_warnings

FRAMES_PER_CLIP, STRIDE, FPS = 16, 10, 10.0


def tubes(present: list[bool], events: tuple[Event, ...] = (), *, tracker: str = "nano"):
    """Return a record of clips of 16 frames at 10 a second, a clip every 10 frames, two views of each."""
    number = len(present)
    index = np.array([range(at, at + 16) for at in range(0, number - 15, STRIDE)])
    views = [np.repeat(np.array(row)[index][:, None], 2, axis=1) for row in (present, [0.97] * number)]
    missed = number - sum(present)
    return Record(
        "d",
        "v",
        StreamSpec("tubes", {"tracker": f"{tracker} sha256:00", "views": "end-0,end-0-flip"}),
        np.zeros((len(index), 2, 3), np.float32),
        np.stack([index[:, 0] / FPS, (index[:, -1] + 1) / FPS], axis=1),
        Source("digest"),
        extras={"frame_index": index, "present": views[0], "scores": views[1].astype(np.float32)},
        counts={
            "num_steps": len(index),
            "num_steps_without_person": 0,
            "num_tracked_frames": number,
            "num_frames_without_athlete": missed,
        },
        events=events,
    )


def test_a_whole_tube_has_nothing_lost() -> None:
    record = tubes([True] * 36)
    followed = tracking_summary(record)
    assert (followed.num_frames, followed.num_followed, followed.by) == (36, 36, "nano")
    assert followed.looked == pytest.approx((0.0, 3.6))
    assert (followed.absent, followed.restarts) == ((), ())
    assert list(tracking_warnings({"tubes": record})) == []
    assert list(tracking_sentences({"tubes": record})) == [
        "The tracker (nano) followed the athlete in 36 of 36 frames."
    ]


def test_frames_without_a_quad_are_told_with_their_time() -> None:
    """Frames 20 to 23 are in two clips each; they count once."""
    present = [not 20 <= frame < 24 for frame in range(36)]
    followed = tracking_summary(tubes(present))
    ((start, stop),) = followed.absent
    assert (start, stop) == pytest.approx((2.0, 2.4))
    assert followed.num_followed == 32
    (told,) = tracking_warnings({"tubes": tubes(present)})
    assert told.startswith("Nobody was followed from 0:02.0 to 0:02.4 (4 of 36 frames)")


def test_losses_and_restarts_are_events_whatever_the_scores() -> None:
    events = (Event(0, "started"), Event(20, "lost"), Event(25, "restarted"))
    record = tubes([not 20 <= frame < 25 for frame in range(36)], events)
    followed = tracking_summary(record)
    assert (followed.lost, followed.restarts) == (pytest.approx((2.0,)), pytest.approx((2.5,)))
    (how,) = tracking_sentences({"tubes": record})
    assert how.startswith("The tracker (nano) followed the athlete in 31 of 36 frames, lost at 0:02.0.")
    nobody, again = tracking_warnings({"tubes": record})
    assert nobody.startswith("Nobody was followed from 0:02.0 to 0:02.5")
    assert "restarted on a detected person at 0:02.5: check that it is the same" in again


def test_crops_that_change_to_somebody_else_are_told() -> None:
    record = Record(
        "d",
        "v",
        StreamSpec("crops", {"person": "followed"}),
        np.zeros((3, 4), np.float32),
        np.array([[0.0, 1.0], [1.0, 2.0], [4.0, 5.0]]),
        Source("digest"),
        extras={"frame_index": np.array([[5], [15], [45]])},
        events=(Event(45, "jumped", "nobody continued the last box"),),
    )
    (told,) = tracking_warnings({"crops": record})
    assert told.startswith("The crops may show another person at 0:04.0")
    assert describe_tracking(record) == "another person from 4.0 s"


def test_many_losses_are_not_all_listed() -> None:
    present = [frame % 4 != 3 for frame in range(36)]
    (told,) = tracking_warnings({"tubes": tubes(present)})
    assert "and 6 times more (9 of 36 frames)" in told


def test_a_repeated_first_frame_counts_once() -> None:
    """13 frames make one clip that begins with three copies of the first."""
    record = tubes([True] * 16)
    index = np.maximum(np.arange(16) - 3, 0)[None]
    short = Record(
        "d",
        "v",
        record.spec,
        record.features,
        np.array([[0.0, 1.3]]),
        Source("digest"),
        extras={**record.extras, "frame_index": index},
        counts=record.counts,
    )
    followed = tracking_summary(short)
    assert (followed.num_frames, followed.looked) == (13, pytest.approx((0.0, 1.3)))


def test_streams_without_a_tube_say_nothing() -> None:
    record = Record(
        "d",
        "v",
        StreamSpec("crops", {}),
        np.zeros((1, 3), np.float32),
        np.array([[0.0, 1.0]]),
        Source("digest"),
    )
    assert tracking_summary(record) is None
    assert list(tracking_sentences({"crops": record})) == []


def test_of_tubes_frames_are_counted_not_clips() -> None:
    nobody = tubes([False] * 36)
    assert frames_without_person(nobody) == (36, 36)
    assert share_without_person(nobody) == 1
    assert list(tracking_warnings({"tubes": nobody})) == []  # said once, by the warnings
    assert "No athlete was found in any of the 36 frames of tubes." in input_warnings(
        {"tubes": nobody}, [None]
    )
