"""Sources of tubes are found by name, and say by which rules they follow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from extract.trackers import FollowedPersons, Rules, load_tube_source

LARGE = [0, 0, 30, 30, 0.6]
FOOTAGE = Footage(60, 40, 9, 0, 9, 25.0)


@dataclass(frozen=True)
class Detector:
    detect: Callable
    name: str = "d"
    identity: str = "d confidence>=0.5"

    def for_video(self, video, footage):
        return self.detect


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"start": "tallest"}, "start 'tallest': expected one of largest, central"),
        ({"init_box": (1, 2, 3)}, "4 numbers x1,y1,x2,y2 or 8"),
        ({"missed_looks": 0}, "missed_looks 0: expected 1 or more"),
        ({"doubt_below": 1.5}, "doubt_below 1.5: expected a share"),
        ({"look_seconds": 0.1}, r"look_seconds 0\.1, again_seconds 0\.2: expected 0 < again_seconds"),
    ],
)
def test_impossible_rules_are_refused(choices, message):
    with pytest.raises(AqaError, match=message):
        Rules(**choices)


def test_the_facts_of_a_source_say_how_its_tubes_are_made(scripted_tracker, persons):
    detector, rules = Detector(persons({0: [LARGE]})), Rules(init_box=(1, 2, 30, 30.5))
    source = FollowedPersons(scripted_tracker([[0.9]]), detector, rules)
    assert source.facts == {
        "tracker": "scripted v1",
        "detector": "d confidence>=0.5",
        "start": "largest",
        "init_box": "1,2,30,30.5",
        "doubt_below": 0.5,
        "look_seconds": 1.0,
        "again_seconds": 0.2,
        "missed_looks": 3,
    }
    follower = source.for_video(Video("v", "x.mp4"), FOOTAGE)
    assert follower.step(0, np.zeros((40, 60, 3), np.uint8)).present
    assert follower.video_id == "v"


def test_unknown_sources_are_refused():
    with pytest.raises(UnknownName, match="Known: annotations, nano, siammask, vit"):
        load_tube_source("nanno", detector=pytest.fail, device="cpu")
