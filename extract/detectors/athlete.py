"""Choose the athlete among the persons of sampled frames: the largest of each frame, or one followed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from aqa_pipeline.athlete.events import JUMPED
from aqa_pipeline.errors import AqaError
from aqa_pipeline.footage import Footage, check_belong
from aqa_pipeline.records import Event, SpecValue, Video
from extract.detectors.continuity import GAP_SECONDS, People, Seen
from extract.detectors.first_person import CHOOSERS, Start, chosen_by
from extract.detectors.pointed import pointed_at

Athlete = Literal["largest", "followed"]


@dataclass(frozen=True)
class AthleteRule:
    """The rule that names the athlete. `largest`: the largest person of every frame, as in ACTION-NET.

    `followed`: the person who continues the athlete's last box. `start` or `init_box` names the athlete in
    the first sampled frame; `pointed` does so in the frame of its box. `init_box` has 4 numbers x1 y1 x2 y2,
    or 8 of four corners, in pixels.
    """

    athlete: Athlete = "largest"
    start: Start = "largest"
    init_box: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.athlete not in ("largest", "followed") or self.start not in CHOOSERS:
            raise AqaError(f"athlete {self.athlete!r}, start {self.start!r}: expected largest or followed")
        if self.init_box is not None and len(self.init_box) not in (4, 8):
            raise AqaError(f"an init box has 4 numbers x1,y1,x2,y2 or 8 of four corners, got {self.init_box}")
        if self.athlete == "largest" and (self.start != "largest" or self.init_box):
            raise AqaError(
                "a start says who is followed, but the largest person of every frame is asked for: "
                "choose --athlete followed"
            )

    @property
    def facts(self) -> dict[str, SpecValue]:
        """The rule's part of a stream's spec."""
        if self.athlete == "largest":
            return {"person": "largest"}
        box = None if self.init_box is None else ",".join(f"{number:g}" for number in self.init_box)
        return {"person": "followed", "start": self.start, "init_box": box}

    def picker(self, video: Video, footage: Footage) -> "AthletePicker":
        """Return the picker for one video. Raise `AqaError` for a box outside the video's picture."""
        pointed = pointed_at(video, footage) if self.start == "pointed" and self.init_box is None else None
        return AthletePicker(self, footage, self._first_box(footage), pointed)

    def _first_box(self, footage: Footage) -> np.ndarray | None:
        if self.init_box is None:
            return None
        corners = np.array(self.init_box, np.float64).reshape(1, -1, 2)
        picture = replace(footage, num_frames=1, start_frame=0, stop_frame=1)
        check_belong(np.zeros(1, np.int64), corners, picture, name="the init box", may_leave=True)
        return np.concatenate([corners[0].min(axis=0), corners[0].max(axis=0)])


@dataclass(eq=False)
class AthletePicker:
    """Picks the athlete in the sampled frames of one video, which must come in order of time.

    `events` lists the frames from which somebody else was taken for the athlete.
    """

    rule: AthleteRule
    footage: Footage
    first_box: np.ndarray | None
    pointed: Seen | None = None
    people: People | None = None
    events: list[Event] = field(default_factory=list)

    def pick_each(
        self, frame_index: Sequence[int], frames: Sequence[np.ndarray], found: Sequence[np.ndarray]
    ) -> list[np.ndarray | None]:
        """Return the athlete's row (5,) of each frame, or None, as `pick` does."""
        return [self.pick(*each) for each in zip(frame_index, frames, found, strict=True)]

    def pick(self, frame_index: int, frame: np.ndarray, persons: np.ndarray) -> np.ndarray | None:
        """Return the athlete's row of (person, 5) boxes with confidence; None if the athlete is not seen."""
        if self.rule.athlete == "largest":
            return CHOOSERS["largest"](persons, frame)
        if self.people is None and self.first_box is not None:  # the init box belongs to the first frame
            self.people = People(self.footage.fps, Seen(self.first_box, frame_index))
        if self.people is None and self.pointed is not None:
            if frame_index < self.pointed.frame_index:
                return None
            self.people = People(self.footage.fps, self.pointed)
        person = self._begin(frame_index, frame, persons) if self.people is None else None
        if self.people is None:
            return None
        again = self.people.match(frame_index, persons)
        if person is None:
            person = again if again is not None else self._jump(frame_index, frame, persons, self.people)
        if person is not None:
            self.people.confirm(frame_index, person)
        return person

    def _begin(self, frame_index: int, frame: np.ndarray, persons: np.ndarray) -> np.ndarray | None:
        """Choose the first athlete by the rule's `start`."""
        person = CHOOSERS[self.rule.start](persons, frame)
        if person is not None:
            self.people = People(self.footage.fps, Seen(person, frame_index))
        return person

    def _jump(
        self, frame_index: int, frame: np.ndarray, persons: np.ndarray, people: People
    ) -> np.ndarray | None:
        """Take somebody else if the athlete has been unseen for more than `GAP_SECONDS`."""
        seconds = people.unseen_seconds(frame_index)
        person = CHOOSERS[self.rule.start](persons, frame) if seconds > GAP_SECONDS else None
        if person is not None:
            other = f"the {chosen_by(self.rule.start)} person was taken"
            detail = f"nobody continued the last box for {seconds:.1f} s; {other}"
            self.events.append(Event(frame_index, JUMPED, detail))
        return person
