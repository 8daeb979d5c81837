"""Following one athlete through a video: start, loss, and finding again.

The start box comes from a detector, in the first frame that shows a person, or from the user. A tracker's
score does not tell whether it holds the athlete (NanoTrack's is higher on grass), so the detector looks in:
once a second, and at once where the score falls. Where it sees nobody at the tracker's box in several looks
in a row the athlete counts as lost, from the first of these looks on. Then the detector looks until somebody
continues the last box that it agreed with; after a gap, anybody is taken.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Event, SpecValue, Video
from extract.detectors import Detect, PersonDetector
from extract.detectors.continuity import GAP_SECONDS, People, Seen, most_overlapping, overlap
from extract.detectors.first_person import CHOOSERS, Start
from extract.trackers.geometry import bounding_box, box_quad, vot_box
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import Step, Tube, make_tube, no_quad

logger = logging.getLogger(__name__)

# Intersection over union of the tracker's box and a person: on four clips .46 and more while the athlete
# is held. Where the score has fallen, more is asked: after a cut the box lies loosely on somebody else.
AGREES, AGREES_IN_DOUBT = 0.2, 0.5


@dataclass(frozen=True)
class Rules:
    """When a track starts, when the detector looks in, and when the athlete counts as lost.

    `start` chooses among the persons of a frame. `init_box`, 4 numbers x1 y1 x2 y2 or 8 of a rotated box,
    takes the detector's place in the first frame. The detector looks every `look_seconds`; every
    `again_seconds` where the score is under `doubt_below` times the best since the last look (by default the
    tracker's own share: scores differ between trackers and videos), after a look that missed the athlete, and
    while the athlete is lost. Lost is who is missed in `missed_looks` looks in a row.
    """

    start: Start = "largest"
    init_box: tuple[float, ...] | None = None
    doubt_below: float | None = None
    look_seconds: float = 1.0
    again_seconds: float = 0.2
    missed_looks: int = 3

    def __post_init__(self) -> None:
        if self.start not in CHOOSERS:
            raise AqaError(f"start {self.start!r}: expected one of {', '.join(CHOOSERS)}")
        if self.init_box is not None and len(self.init_box) not in (4, 8):
            raise AqaError(f"an init box has 4 numbers x1,y1,x2,y2 or 8 of four corners, got {self.init_box}")
        if self.missed_looks < 1:
            raise AqaError(f"lost after {self.missed_looks} missed looks: expected 1 or more")
        if self.doubt_below is not None and not 0 <= self.doubt_below <= 1:
            raise AqaError(f"doubt below {self.doubt_below}: expected a share of the best score, 0 to 1")
        if not 0 < self.again_seconds <= self.look_seconds:
            raise AqaError(
                f"looks every {self.look_seconds} s, on doubt every {self.again_seconds} s: expected the "
                "second above 0 and no more than the first"
            )


@dataclass(frozen=True)
class Missed:
    """Looks in a row that saw nobody at the tracker's box: the first one's frame, and how many."""

    since: int
    number: int


class Follower:
    """Follows one athlete; frames come one by one, in order. `events` grows on the way and is logged.

    A loss is noticed after its first frame: `lost_in` tells which of the earlier steps it takes back.
    """

    def __init__(
        self, tracker: Tracker[Any], detect: Detect, rules: Rules, *, fps: float, video_id: str = "video"
    ) -> None:
        self.tracker, self.rules, self.video_id = tracker, rules, video_id
        self.events: list[Event] = []
        self.track: Track | None = None
        self._detect, self._fps = detect, fps
        self._doubt_below = tracker.doubt_below if rules.doubt_below is None else rules.doubt_below
        self._best = 0.0
        self._people: People | None = None  # the athlete as the detector agreed last
        self._missed: Missed | None = None
        self._looked_at: int | None = None
        self._watched = True

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Return where the athlete is in the next frame (RGB uint8, (H, W, 3))."""
        tracked = None if self.track is None else self.track.update(frame)
        return self.take(frame_index, frame, tracked)

    def take(self, frame_index: int, frame: np.ndarray, tracked: Tracked | None) -> Step:
        """`step` with what the track says of this frame; None while there is no track."""
        if tracked is None:
            return (
                self._begin(frame_index, frame) if self._people is None else self._search(frame_index, frame)
            )
        doubted = tracked.score < self._doubt_below * self._best
        self._best = max(self._best, tracked.score)
        if self._watched and self._is_due(frame_index, soon=doubted or self._missed is not None):
            persons = self._look(frame_index, frame)
            least = AGREES_IN_DOUBT if doubted else AGREES
            if not self._holds(frame_index, tracked, persons, least=least):
                return self._restart(frame_index, frame, persons)
        return Step(tracked.quad, tracked.score)

    def _is_due(self, frame_index: int, *, soon: bool) -> bool:
        every = self.rules.again_seconds if soon else self.rules.look_seconds
        return self._looked_at is None or frame_index - self._looked_at >= max(1, round(every * self._fps))

    def _look(self, frame_index: int, frame: np.ndarray) -> np.ndarray:
        self._looked_at = frame_index
        (persons,) = self._detect([frame], [frame_index])
        return persons

    def _holds(self, frame_index: int, tracked: Tracked, persons: np.ndarray, *, least: float) -> bool:
        """Return whether the athlete still counts as followed, after the detector has looked."""
        people = self._people
        assert people is not None, "who is tracked was started"
        people.match(frame_index, persons)
        box = bounding_box(tracked.quad)
        person = _person_at(box, persons, least)
        if person is not None:
            # A detection may hold two persons at once; the tracker's box does not.
            people.confirm(frame_index, person, box)
            self._missed = None
            self._best = tracked.score  # whatever the score is, it is that of the athlete
            return True
        since, number = (self._missed.since, self._missed.number) if self._missed else (frame_index, 0)
        self._missed = Missed(since, number + 1)
        if self._missed.number < self.rules.missed_looks:
            return True
        self.track = None
        self._tell(
            since,
            LOST,
            f"the detector sees nobody there, last seen in frame {people.athlete.frame_index}, noticed in "
            f"frame {frame_index}",
        )
        return False

    def _begin(self, frame_index: int, frame: np.ndarray) -> Step:
        """Start the first track: at the given box, or at the first person that is seen."""
        box = self._given_box(frame)
        persons = self._look(frame_index, frame)
        if box is None:
            person = CHOOSERS[self.rules.start](persons, frame)
            if person is None:
                return Step(no_quad(), 0.0)
            return self._start(frame_index, frame, person, "started", _seen("the detector", person), persons)
        # A detector that cannot see whom the user points at has no say about them later.
        self._watched = _person_at(box, persons, AGREES) is not None
        unseen = "" if self._watched else "; the detector sees nobody there and is not asked again"
        return self._start(frame_index, frame, box, "started", f"at the given box{unseen}", persons)

    def _search(self, frame_index: int, frame: np.ndarray) -> Step:
        """Look for the lost athlete, where a look is due."""
        if not self._is_due(frame_index, soon=True):
            return Step(no_quad(), 0.0)
        return self._restart(frame_index, frame, self._look(frame_index, frame))

    def _restart(self, frame_index: int, frame: np.ndarray, persons: np.ndarray) -> Step:
        """Start again at the person that continues the athlete's last box; after a gap, at anybody."""
        assert self._people is not None, "who is lost was followed"
        assert self._missed is not None, "who is lost was missed"
        person = self._people.match(frame_index, persons)
        found = "continues the last box"
        if person is None and (frame_index - self._missed.since) / self._fps > GAP_SECONDS:
            person, found = CHOOSERS[self.rules.start](persons, frame), f"is the {self.rules.start} person"
        if person is None:
            return Step(no_quad(), 0.0)
        detail = f"{_seen('the detector', person)}, who {found}"
        return self._start(frame_index, frame, person, RESTARTED, detail, persons)

    def _start(
        self,
        frame_index: int,
        frame: np.ndarray,
        box: np.ndarray,
        kind: str,
        detail: str,
        persons: np.ndarray,
    ) -> Step:
        self.track = self.tracker.start(frame, box[:4])
        self._best, self._missed = 0.0, None
        if self._people is None:
            self._people = People(self._fps, Seen(box, frame_index))
            self._people.match(frame_index, persons)
        self._people.confirm(frame_index, box)
        self._tell(frame_index, kind, detail)
        return Step(box_quad(box), 1.0)

    def _given_box(self, frame: np.ndarray) -> np.ndarray | None:
        """Return the user's box; raise `AqaError` for one that is not of this picture."""
        if self.rules.init_box is None:
            return None
        corners = np.array(self.rules.init_box, np.float64).reshape(-1, 2)
        height, width = frame.shape[:2]
        picture = Footage(width, height, 1, 0, 1, 1.0)
        rotated = len(corners) == 4
        check_belong(np.zeros(1, np.int64), corners[None], picture, name="the init box", may_leave=rotated)
        return vot_box(corners) if rotated else corners.reshape(4)

    def _tell(self, frame_index: int, kind: str, detail: str) -> None:
        event = Event(frame_index, kind, detail)
        self.events.append(event)
        logger.info("%s: frame %d: %s (%s)", self.video_id, frame_index, kind, detail)


def _person_at(box: np.ndarray, persons: np.ndarray, least: float) -> np.ndarray | None:
    """Return the person that overlaps the box most, if it is enough."""
    best = most_overlapping(box, persons)
    return best if best is not None and overlap(box, best) >= least else None


def _seen(by: str, person: np.ndarray) -> str:
    return f"at a person that {by} sees with confidence {person[4]:.2f}"


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
            "doubt_below": self.tracker.doubt_below if rules.doubt_below is None else rules.doubt_below,
            "look_seconds": rules.look_seconds,
            "again_seconds": rules.again_seconds,
            "missed_looks": rules.missed_looks,
        }

    def for_video(self, video: Video, footage: Footage) -> Follower:
        """The follower that takes the frames of `video`, in order."""
        detect = self.detector.for_video(video, footage)
        return Follower(self.tracker, detect, self.rules, fps=footage.fps, video_id=video.video_id)


def follow(
    frames: Iterable[tuple[int, np.ndarray]],
    tracker: Tracker[Any],
    detect: Detect,
    *,
    fps: float,
    rules: Rules | None = None,
) -> Tube:
    """Return the tube of one athlete through (index, RGB frame) pairs in order.

    Raises `AqaError` for an init box that is not of the first frame.
    """
    return make_tube(frames, Follower(tracker, detect, rules or Rules(), fps=fps))


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
