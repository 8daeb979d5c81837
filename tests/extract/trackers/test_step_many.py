"""Several videos that step together have the tubes that each has alone."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from extract.trackers import Follower, Rules, step_many
from extract.trackers.corners import box_quad
from extract.trackers.tracker import Tracked, update_each

LARGE, NEAR = [0, 0, 30, 30, 0.6], [8, 8, 28, 28, 0.7]


@dataclass
class FrameTracker:
    """A tracker whose tracks of the large box have a low score in frame 3; `batches` lists batch sizes."""

    name: str = "frame"
    identity: str = "frame"
    doubt_below: float = 0.5
    batches: list[int] = field(default_factory=list)

    def start(self, frame, box):
        return FrameTrack(np.asarray(box, np.float64))

    def update_many(self, tracks, frames):
        self.batches.append(len(tracks))
        return update_each(tracks, frames)


@dataclass
class FrameTrack:
    box: np.ndarray

    def update(self, frame):
        number = int(frame[0, 0, 0])
        return Tracked(box_quad(self.box + number), 0.1 if number == 3 and self.box[2] == 30 else 0.9)


def test_videos_step_together_as_they_do_alone(make_tube, as_tube, persons, numbered_frames):
    def follower(tracker, first):
        detect = persons({first: [LARGE], 3: [NEAR] if first else []})
        return Follower(tracker, detect, Rules(missed_looks=1), fps=1)

    firsts = (0, 1, 2)
    alone = [make_tube(numbered_frames(6), follower(FrameTracker(), first)) for first in firsts]
    shared = FrameTracker()
    together = [follower(shared, first) for first in firsts]
    steps = [step_many(together, [index] * 3, [frame] * 3) for index, frame in numbered_frames(6)]
    for at, tube in enumerate(alone):
        joined = as_tube(list(range(6)), [row[at] for row in steps], together[at].events)
        np.testing.assert_array_equal(tube.quads, joined.quads)
        np.testing.assert_array_equal(tube.scores, joined.scores)
        assert tube.events == joined.events
    assert [event.kind for event in alone[0].events] == ["started", "lost"]
    assert "restarted" in [event.kind for event in alone[1].events]
    assert shared.batches[:3] == [1, 1, 1]
    with pytest.raises(ValueError, match="must share one tracker"):
        step_many([follower(FrameTracker(), 0), together[0]], [0, 0], [numbered_frames(1)[0][1]] * 2)
