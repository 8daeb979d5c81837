"""The tube of one video so far, frame by frame, and the counts of it."""

import numpy as np

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.records import Event
from extract.trackers import Step, TubeMaker
from extract.trackers.tube import lost_in

EVENT_COUNTS = {LOST: "num_times_lost", RESTARTED: "num_times_restarted"}


class TrackedFrames:
    """Follows the athlete of one video through frames that come in order of time."""

    def __init__(self, maker: TubeMaker) -> None:
        self._maker = maker
        self._present: dict[int, bool] = {}
        self._latest: Step | None = None

    @property
    def events(self) -> list[Event]:
        """The events of tracking so far."""
        return self._maker.events

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Return where the athlete is in the next frame, RGB uint8 (height, width, channel)."""
        step = self._maker.step(frame_index, frame)
        self._present[frame_index] = step.present
        self._latest = step
        return step

    def step_through(self, frame_index: list[int], frames: list[np.ndarray]) -> Step:
        """Follow the athlete through these frames, and return where the athlete is in the last one.

        There is at least one frame. Frames that were given before are not given to the tracker again, and
        must be the latest one.
        """
        for index, frame in zip(frame_index, frames, strict=True):
            if index not in self._present:
                self.step(index, frame)
        assert self._latest is not None, "there is at least one frame"
        return self._latest

    def is_lost(self, frame_index: np.ndarray) -> np.ndarray:
        """Return in which of the frames the athlete is lost, as far as is known by now."""
        return lost_in(frame_index, self.events)

    def counts(self) -> dict[str, int]:
        """Return how many frames were tracked, in how many nobody is followed, and how often that began."""
        present = np.array(list(self._present.values()))
        present &= ~self.is_lost(np.array(list(self._present)))
        kinds = [event.kind for event in self.events]
        return {
            "num_tracked_frames": len(present),
            "num_frames_without_athlete": int((~present).sum()),
            **{name: kinds.count(kind) for kind, name in EVENT_COUNTS.items()},
        }
