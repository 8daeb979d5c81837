"""The tracker sees every frame once; its losses reach the quads, the counts and the memory."""

import weakref
from fractions import Fraction

import numpy as np
import pytest

from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.athlete.tube_masks import paper_frame_masks, union_of_frames
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.video import Timeline
from extract.clock import Clock
from extract.run.collector import Collector
from extract.streams import TubeSampling

WIDTH, HEIGHT, FPS = 160, 90, 25.0
FOOTAGE = Footage(WIDTH, HEIGHT, 300, 0, 300, FPS)


def num_before(views: str) -> int:
    """Frames before those that the views see."""
    return 110 - 103 - max(view.end_offset for view in TubeSampling(views=views).chosen_views)


@pytest.mark.parametrize(("views", "first"), [("flip", 7), ("all", 1)])
def test_the_tracker_sees_every_frame_once_and_in_order_and_its_events_are_counted(
    tmp_path, athlete_video, views, first, scripted_source, tubes_record, tubes_stream
):
    script = {first: "started", 30: "lost", 31: "restarted", 60: "lost", 64: "restarted", 109: "lost"}
    source = scripted_source(script, absent=range(60, 64))
    record = tubes_record(tmp_path / "s", athlete_video("a", 110), tubes_stream(views, source=source))
    assert source.seen == list(range(first, 110))
    assert record.counts == {
        "num_steps": 10,
        "num_steps_without_person": 0,
        "num_repeated_frames": 0,
        "num_tracked_frames": 110 - first,
        "num_frames_without_athlete": 6,
        "num_times_lost": 3,
        "num_times_restarted": 2,
    }
    np.testing.assert_allclose(record.extras["scores"][0, 0], np.arange(7, 23) / 1000)
    hidden = np.isin(record.extras["frame_index"], [30, *range(60, 64), 109])
    np.testing.assert_array_equal(record.extras["present"][:, 0], ~hidden)
    np.testing.assert_array_equal(np.isnan(record.extras["quads"][:, 0]).all(axis=(-2, -1)), hidden)


@pytest.mark.parametrize("views", ["reference", "all"])
def test_a_loss_that_is_noticed_late_is_taken_back_from_its_first_frame_on(
    tmp_path, athlete_video, views, scripted_source, tubes_record, tubes_stream
):
    """Noticed in frame 72, 12 frames late: clips that were encoded before have lost their quads too."""
    source = scripted_source({72: "lost", 92: "restarted"}, late=12)
    record = tubes_record(tmp_path / "s", athlete_video("a", 110), tubes_stream(views, source=source))
    assert [(event.frame_index, event.kind) for event in record.events] == [(60, "lost"), (80, "restarted")]
    for at, view in enumerate(TubeSampling(views=views).chosen_views):
        seen = record.extras["frame_index"] - view.end_offset
        gone = (seen >= 60) & (seen < 80)
        np.testing.assert_array_equal(record.extras["present"][:, at], ~gone)
        for name in ("quads", "frame_quads"):
            np.testing.assert_array_equal(np.isnan(record.extras[name][:, at]).all(axis=(-2, -1)), gone)
    assert record.counts["num_frames_without_athlete"] == 20
    assert describe_tracking(
        record
    ) == f"followed in {90 - num_before(views)} of {110 - num_before(views)} frames, " + (
        "lost at 2.4 s, found again by the detector at 3.2 s"
    )


def test_a_repeated_first_frame_is_tracked_once(
    tmp_path, athlete_video, scripted_source, tubes_record, tubes_stream
):
    source = scripted_source({})
    tubes_record(tmp_path / "s", athlete_video("a", 13), tubes_stream("all", source=source))
    assert source.seen == list(range(13))


def test_an_athlete_who_is_never_found_leaves_the_maps_and_is_counted(
    tmp_path, athlete_video, tubes_record, tubes_stream
):
    video = athlete_video("a", 103, hidden=range(1, 103))
    record = tubes_record(tmp_path / "s", video, tubes_stream())
    assert record.features.shape[:2] == (10, 2)
    assert record.counts["num_steps_without_person"] == 9
    assert record.counts["num_frames_without_athlete"] == 102
    masks = union_of_frames(paper_frame_masks(record.extras["quads"]))
    assert (~masks.any(axis=(-2, -1))).sum() == 2 * (10 * 4 - 1)
    assert not masks[1:].any()


def test_whole_frames_in_memory_are_those_of_one_clip(tmp_path, scripted_source, tubes_stream):
    gone, held = [], []
    source = scripted_source({})
    stream = tubes_stream("all", source=source)
    steps = stream.intake.plan(Timeline(np.arange(300), Fraction(1, 25), 300))
    collector = Collector(stream, Video("a", tmp_path), FOOTAGE, steps, Clock())
    for pushed, index in enumerate(np.unique(steps.frame_index).tolist(), start=1):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        weakref.finalize(frame, gone.append, index)
        collector.push(index, frame)
        del frame
        held.append(pushed - len(gone))
    assert max(held) <= 22
    assert source.seen == list(range(300 - 109, 300))
