"""Where the athlete is in every frame: trackers, and following one athlete with them."""

from extract.trackers.choose import TRACKERS, load_tracker, load_tube_source
from extract.trackers.following import FollowedPersons, Follower, Rules, follow, step_many
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import Step, Tube, TubeMaker, TubeSource, make_tube

__all__ = [
    "TRACKERS",
    "FollowedPersons",
    "Follower",
    "Rules",
    "Step",
    "Track",
    "Tracked",
    "Tracker",
    "Tube",
    "TubeMaker",
    "TubeSource",
    "follow",
    "load_tracker",
    "load_tube_source",
    "make_tube",
    "step_many",
]
