"""Follow one athlete through a video: start a track, notice a loss, find the athlete again.

The start box comes from the user, or from a detector in the first frame with a person. A tracker's score does
not show whether it holds the athlete (NanoTrack's is higher on grass). The detector therefore looks at the
frame once a second, and at once if the score falls. If several looks in a row see nobody at the tracker's
box, the athlete counts as lost from the first of these looks on. The detector then looks until somebody
continues the last box on which detector and tracker agreed. After a gap, another person is taken.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aqa_pipeline.athlete.events import LOST, RESTARTED
from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Event, SpecValue, Video
from extract.detectors import Detect, PersonDetector
from extract.detectors.continuity import GAP_SECONDS, People, Seen, most_overlapping, overlap
from extract.detectors.first_person import CHOOSERS, Start, chosen_by
from extract.detectors.pointed import pointed_at
from extract.trackers.corners import bounding_box, box_quad, vot_box
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import Step, no_quad

logger = logging.getLogger(__name__)

# The least intersection over union of the tracker's box and a person for agreement. On four clips it is .46
# or more while the athlete is held. After a fallen score the limit is higher: after a cut, the box overlaps
# another person by chance.
AGREES, AGREES_IN_DOUBT = 0.2, 0.5


@dataclass(frozen=True)
class Rules:
    """The rules for the start of a track, for the detector's looks, and for a loss.

    `start` chooses among the persons of a frame; `pointed` begins in the frame of its box. `init_box`, 4
    numbers x1 y1 x2 y2 or 8 of a rotated box in pixels, replaces the detector in the first frame. The
    detector looks every `look_seconds`. It looks every `again_seconds` in three cases: if the score is under
    `doubt_below` times the best since the last look, after a look that missed the athlete, and while the
    athlete is lost. `doubt_below` is by default the tracker's own, because scores differ between trackers.
    After `missed_looks` missed looks in a row, the athlete counts as lost.
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
            raise AqaError(f"missed_looks {self.missed_looks}: expected 1 or more")
        if self.doubt_below is not None and not 0 <= self.doubt_below <= 1:
            raise AqaError(f"doubt_below {self.doubt_below}: expected a share of the best score, 0 to 1")
        if not 0 < self.again_seconds <= self.look_seconds:
            raise AqaError(
                f"look_seconds {self.look_seconds}, again_seconds {self.again_seconds}: expected "
                "0 < again_seconds <= look_seconds"
            )


@dataclass(frozen=True)
class Missed:
    """A row of looks that saw nobody at the tracker's box: the frame of the first one, and their number."""

    since: int
    number: int


class Follower:
    """Follows one athlete through frames that come one by one, in order of time.

    Every event is appended to `events` and logged. A loss is noticed some frames after it began:
    `lost_in` says in which earlier frames the athlete was lost already.
    """

    def __init__(
        self,
        tracker: Tracker[Any],
        detect: Detect,
        rules: Rules,
        *,
        fps: float,
        video_id: str = "video",
        pointed: Seen | None = None,
    ) -> None:
        self.tracker, self.rules, self.video_id, self._pointed = tracker, rules, video_id, pointed
        self.events: list[Event] = []
        self.track: Track | None = None
        self._detect, self._fps = detect, fps
        self._doubt_below = tracker.doubt_below if rules.doubt_below is None else rules.doubt_below
        self._best = 0.0
        self._people: People | None = None  # with the athlete's box on which the detector last agreed
        self._missed: Missed | None = None
        self._looked_at: int | None = None
        self._watched = True

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        """Return where the athlete is in the next frame, RGB uint8 (height, width, channel)."""
        tracked = None if self.track is None else self.track.update(frame)
        return self.take(frame_index, frame, tracked)

    def take(self, frame_index: int, frame: np.ndarray, tracked: Tracked | None) -> Step:
        """Do a step with the track's result for this frame; `tracked` is None while there is no track."""
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
        """Return True if the athlete still counts as followed after the detector's look."""
        people = self._people
        assert people is not None, "who is tracked was started"
        people.match(frame_index, persons)
        box = bounding_box(tracked.quad)
        person = _person_at(box, persons, least)
        if person is not None:
            # The tracker's box, because a detection may cover two persons.
            people.confirm(frame_index, person, box)
            self._missed = None
            self._best = tracked.score  # the athlete is held, so this score is the new measure
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
        """Start the first track: at the user's box, or at the first person that the detector sees.

        Where somebody pointed at the athlete in a later frame, nobody is followed up to that frame.
        """
        if self._pointed is not None and frame_index < self._pointed.frame_index:
            return Step(no_quad(), 0.0)
        box = self._given_box(frame_index, frame)
        persons = self._look(frame_index, frame)
        if box is None:
            person = self._first_person(frame_index, frame, persons)
            if person is None:
                return Step(no_quad(), 0.0)
            detail = _seen(person)
            return self._start(frame_index, frame, person, kind="started", detail=detail, persons=persons)
        # A detector that does not see the user's athlete now would report a loss later.
        self._watched = _person_at(box, persons, AGREES) is not None
        unseen = "" if self._watched else "; the detector sees nobody there and is not asked again"
        detail = f"at the given box{unseen}"
        return self._start(frame_index, frame, box, kind="started", detail=detail, persons=persons)

    def _first_person(self, frame_index: int, frame: np.ndarray, persons: np.ndarray) -> np.ndarray | None:
        """Return who continues the box that was drawn in an earlier frame, else the rule's first person."""
        if self._pointed is not None:
            continued = People(self._fps, self._pointed).match(frame_index, persons)
            if continued is not None:
                return continued
        return CHOOSERS[self.rules.start](persons, frame)

    def _search(self, frame_index: int, frame: np.ndarray) -> Step:
        """Look for the lost athlete if a look is due."""
        if not self._is_due(frame_index, soon=True):
            return Step(no_quad(), 0.0)
        return self._restart(frame_index, frame, self._look(frame_index, frame))

    def _restart(self, frame_index: int, frame: np.ndarray, persons: np.ndarray) -> Step:
        """Start again at the person that continues the athlete's last box; after a gap, at another."""
        assert self._people is not None, "who is lost was followed"
        assert self._missed is not None, "who is lost was missed"
        person = self._people.match(frame_index, persons)
        found = "continues the last box"
        if person is None and (frame_index - self._missed.since) / self._fps > GAP_SECONDS:
            person, found = (
                CHOOSERS[self.rules.start](persons, frame),
                f"is the {chosen_by(self.rules.start)} person",
            )
        if person is None:
            return Step(no_quad(), 0.0)
        detail = f"{_seen(person)}, who {found}"
        return self._start(frame_index, frame, person, kind=RESTARTED, detail=detail, persons=persons)

    def _start(
        self,
        frame_index: int,
        frame: np.ndarray,
        box: np.ndarray,
        *,
        kind: str,
        detail: str,
        persons: np.ndarray,
    ) -> Step:
        """Start a track at the box, and append its event."""
        self.track = self.tracker.start(frame, box[:4])
        self._best, self._missed = 0.0, None
        if self._people is None:
            self._people = People(self._fps, Seen(box, frame_index))
            self._people.match(frame_index, persons)
        self._people.confirm(frame_index, box)
        self._tell(frame_index, kind, detail)
        return Step(box_quad(box), 1.0)

    def _given_box(self, frame_index: int, frame: np.ndarray) -> np.ndarray | None:
        """Return the user's box, None without one. Raise `AqaError` if it does not fit this frame."""
        if self.rules.init_box is None:
            is_here = self._pointed is not None and self._pointed.frame_index == frame_index
            return self._pointed.box if self._pointed is not None and is_here else None
        corners = np.array(self.rules.init_box, np.float64).reshape(-1, 2)
        height, width = frame.shape[:2]
        picture = Footage(width, height, num_frames=1, start_frame=0, stop_frame=1, fps=1.0)
        rotated = len(corners) == 4
        check_belong(np.zeros(1, np.int64), corners[None], picture, name="the init box", may_leave=rotated)
        return vot_box(corners) if rotated else corners.reshape(4)

    def _tell(self, frame_index: int, kind: str, detail: str) -> None:
        event = Event(frame_index, kind, detail)
        self.events.append(event)
        logger.info("%s: frame %d: %s (%s)", self.video_id, frame_index, kind, detail)


def _person_at(box: np.ndarray, persons: np.ndarray, least: float) -> np.ndarray | None:
    """Return the person that overlaps the box most, if the overlap is at least `least`."""
    best = most_overlapping(box, persons)
    return best if best is not None and overlap(box, best) >= least else None


def _seen(person: np.ndarray) -> str:
    return f"at a person that the detector sees with confidence {person[4]:.2f}"


@dataclass(frozen=True, eq=False)
class FollowedPersons:
    """The source of tubes that tracks a person whom a detector found."""

    tracker: Tracker[Any]
    detector: PersonDetector
    rules: Rules = field(default_factory=Rules)

    @property
    def name(self) -> str:
        """The tracker's name."""
        return self.tracker.name

    @property
    def facts(self) -> dict[str, SpecValue]:
        """The tubes' part of a stream's spec."""
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
        """Return the follower for the frames of `video`."""
        detect = self.detector.for_video(video, footage)
        is_pointed = self.rules.start == "pointed" and self.rules.init_box is None
        return Follower(
            self.tracker,
            detect,
            self.rules,
            fps=footage.fps,
            video_id=video.video_id,
            pointed=pointed_at(video, footage) if is_pointed else None,
        )


def step_many(
    followers: Sequence[Follower], frame_index: Sequence[int], frames: Sequence[np.ndarray]
) -> list[Step]:
    """Do one step of several videos at once, each with its own next frame.

    The followers must share one tracker. The steps are the same as one by one. This is faster if the
    tracker's network gains from batches: SiamMask on a GPU.
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
