"""Trackers, and the rules to follow one athlete through a video with them."""

from extract.trackers.choose import TRACKERS, load_tracker, load_tube_source
from extract.trackers.following import FollowedPersons, Follower, Rules, step_many
from extract.trackers.tracker import Track, Tracked, Tracker
from extract.trackers.tube import Step, TubeMaker, TubeSource

__all__ = [
    "TRACKERS",
    "FollowedPersons",
    "Follower",
    "Rules",
    "Step",
    "Track",
    "Tracked",
    "Tracker",
    "TubeMaker",
    "TubeSource",
    "load_tracker",
    "load_tube_source",
    "step_many",
]
