"""Where the athlete is in every frame: trackers, and following one athlete with them."""

from extract.trackers.choose import TRACKERS, load_tracker
from extract.trackers.following import FollowedPersons, Follower, Rules, collect, follow, step_many
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import Event, Step, Tube

__all__ = [
    "TRACKERS",
    "Event",
    "FollowedPersons",
    "Follower",
    "Rules",
    "Step",
    "Track",
    "Tracked",
    "Tracker",
    "Tube",
    "collect",
    "follow",
    "load_tracker",
    "step_many",
]
