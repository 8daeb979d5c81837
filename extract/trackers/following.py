"""Following one athlete through a video: start, loss, and finding again.

The start box comes from a detector, in the first frame that shows a person, or from the user. Where the
tracker's score stays low the athlete counts as lost; then every frame is searched by the detector until there
is somebody to start again from, unless the tracker's score stays high again before.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import SpecValue, Video
from extract.detectors import Detect, PersonDetector, largest_person
from extract.trackers.geometry import box_quad, vot_box
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import By, Event, EventKind, Step, Tube, make_tube, no_quad

logger = logging.getLogger(__name__)

Start = Literal["largest", "central"]


@dataclass(frozen=True)
class Rules:
    """When a track starts and when it counts as lost.

    `start` chooses among the persons of a frame. `init_box`, 4 numbers x1 y1 x2 y2 or 8 of a rotated box,
    takes the detector's place in the first frame. Lost is who scores under `lost_below` times the track's
    best score in `lost_after` frames in a row; found again after as many that do not. The threshold is a
    share, by default the tracker's own, because the level of the scores differs between trackers and between
    videos.
    """

    start: Start = "largest"
    init_box: tuple[float, ...] | None = None
    lost_below: float | None = None
    lost_after: int = 3

    def __post_init__(self) -> None:
        if self.start not in CHOOSERS:
            raise AqaError(f"start {self.start!r}: expected one of {', '.join(CHOOSERS)}")
        if self.init_box is not None and len(self.init_box) not in (4, 8):
            raise AqaError(f"an init box has 4 numbers x1,y1,x2,y2 or 8 of four corners, got {self.init_box}")
        if self.lost_after < 1:
            raise AqaError(f"lost after {self.lost_after} frames: expected 1 or more")
        if self.lost_below is not None and not 0 <= self.lost_below <= 1:
            raise AqaError(f"lost below {self.lost_below}: expected a share of the best score, 0 to 1")


@dataclass(frozen=True)
class Confidence:
    """What the scores of a track say so far: the best one, and how many in a row were low, or were not."""

    best: float = 0.0
    num_low: int = 0
    num_high: int = 0


def after_score(confidence: Confidence, score: float, *, lost_below: float) -> Confidence:
    """The confidence after one more score."""
    best = max(confidence.best, score)
    if score < lost_below * best:
        return Confidence(best, num_low=confidence.num_low + 1)
    return Confidence(best, num_high=confidence.num_high + 1)


def central_person(boxes: np.ndarray, *, width: int, height: int) -> np.ndarray | None:
    """The row of (n, 5) boxes whose centre is nearest to that of the frame, the first of equals."""
    if not len(boxes):
        return None
    offsets = (boxes[:, :2] + boxes[:, 2:4]) / 2 - np.array([width, height]) / 2
    row: np.ndarray = boxes[int(np.hypot(*offsets.T).argmin())]
    return row


def _largest(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray | None:
    return largest_person(boxes)


def _central(boxes: np.ndarray, frame: np.ndarray) -> np.ndarray | None:
    return central_person(boxes, width=frame.shape[1], height=frame.shape[0])


CHOOSERS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray | None]] = {
    "largest": _largest,
    "central": _central,
}


class Follower:
    """Follows one athlete; frames come one by one, in order. `events` grows on the way and is logged."""

    def __init__(
        self, tracker: Tracker[Any], detect: Detect, rules: Rules, *, video_id: str = "video"
    ) -> None:
        self.tracker, self.rules, self.video_id = tracker, rules, video_id
        self.events: list[Event] = []
        self.track: Track | None = None
        self._detect = detect
        self._lost_below = tracker.lost_below if rules.lost_below is None else rules.lost_below
        self._confidence = Confidence()
        self._lost = False

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Where the athlete is in the next frame (RGB uint8, (H, W, 3))."""
        tracked = None if self.track is None else self.track.update(frame)
        return self.take(frame_index, frame, tracked)

    def take(self, frame_index: int, frame: np.ndarray, tracked: Tracked | None) -> Step:
        """`step` with what the track says of this frame; None while there is no track."""
        if tracked is None:
            return self._seek(frame_index, frame, "started")
        self._confidence = after_score(self._confidence, tracked.score, lost_below=self._lost_below)
        if not self._lost and self._confidence.num_low >= self.rules.lost_after:
            self._lost = True
            self._tell(frame_index, "lost", "tracker", tracked.score)
        if self._lost and self._confidence.num_high >= self.rules.lost_after:
            self._lost = False
            self._tell(frame_index, "found again", "tracker", tracked.score)
        if self._lost:
            return self._seek(frame_index, frame, "found again")
        return Step(tracked.quad, tracked.score)

    def _seek(self, frame_index: int, frame: np.ndarray, kind: EventKind) -> Step:
        """Starts a track from the best box of this frame, if there is one."""
        found = self._given_box() if kind == "started" else None
        by: By = "box"
        if found is None:
            (persons,) = self._detect([frame], [frame_index])
            found, by = CHOOSERS[self.rules.start](persons, frame), "detector"
        if found is None:
            return Step(no_quad(), 0.0)
        self.track = self.tracker.start(frame, found[:4])
        self._confidence, self._lost = Confidence(), False
        self._tell(frame_index, kind, by, float(found[4]))
        return Step(box_quad(found), 1.0)

    def _given_box(self) -> np.ndarray | None:
        """The user's box with a confidence of 1."""
        if self.rules.init_box is None:
            return None
        numbers = np.array(self.rules.init_box, np.float64)
        return np.append(numbers if len(numbers) == 4 else vot_box(numbers.reshape(4, 2)), 1.0)

    def _tell(self, frame_index: int, kind: EventKind, by: By, score: float) -> None:
        event = Event(frame_index, kind, by, score)
        self.events.append(event)
        logger.info("%s: %s", self.video_id, event)


@dataclass(frozen=True, eq=False)
class FollowedPersons:
    """Tubes by tracking the person that a detector found."""

    tracker: Tracker[Any]
    detector: PersonDetector
    rules: Rules = field(default_factory=Rules)

    @property
    def name(self) -> str:
        return self.tracker.name

    @property
    def facts(self) -> dict[str, SpecValue]:
        """What a stream's spec says of how its tubes were made."""
        rules = self.rules
        box = None if rules.init_box is None else ",".join(f"{number:g}" for number in rules.init_box)
        return {
            "tracker": self.tracker.identity,
            "detector": self.detector.identity,
            "start": rules.start,
            "init_box": box,
            "lost_below": self.tracker.lost_below if rules.lost_below is None else rules.lost_below,
            "lost_after": rules.lost_after,
        }

    def for_video(self, video: Video, footage: Footage) -> Follower:
        """The follower that takes the frames of `video`, in order."""
        detect = self.detector.for_video(video, footage)
        return Follower(self.tracker, detect, self.rules, video_id=video.video_id)


def follow(
    frames: Iterable[tuple[int, np.ndarray]],
    tracker: Tracker[Any],
    detect: Detect,
    *,
    start: Start = "largest",
    init_box: Sequence[float] | None = None,
    lost_below: float | None = None,
    lost_after: int = 3,
) -> Tube:
    """The tube of one athlete through (index, RGB frame) pairs in order; see `Rules` for the choices.

    Raises `AqaError` for choices that make no sense, or an init box beside the first frame.
    """
    box = None if init_box is None else tuple(float(number) for number in init_box)
    return make_tube(frames, Follower(tracker, detect, Rules(start, box, lost_below, lost_after)))


def step_many(
    followers: Sequence[Follower], frame_index: Sequence[int], frames: Sequence[np.ndarray]
) -> list[Step]:
    """One step of several videos at once, each with its own next frame; the followers share one tracker.

    The same steps as one by one. Faster where the tracker's network gains from batches: SiamMask on a GPU.
    """
    if len({id(follower.tracker) for follower in followers}) > 1:
        raise ValueError("followers that step together must share one tracker")
    tracking = [at for at, follower in enumerate(followers) if follower.track is not None]
    found: dict[int, Tracked] = {}
    if tracking:
        tracks = [followers[at].track for at in tracking]
        tracked = followers[0].tracker.update_many(tracks, [frames[at] for at in tracking])
        found = dict(zip(tracking, tracked, strict=True))
    together = enumerate(zip(followers, frame_index, frames, strict=True))
    return [follower.take(index, frame, found.get(at)) for at, (follower, index, frame) in together]
