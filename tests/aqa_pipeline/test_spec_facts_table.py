"""A spec from a file: each fact of another type is named with what came and what was expected."""

import json

import pytest

from aqa_pipeline.spec_facts import parse_spec

SOUND = {
    "sampling": {"rate_fps": 5.0, "frames_per_step": 16, "rest": "padded"},
    "clips": {"span": "last-96", "views": "end-0,end-0-flip", "num_frames": 96, "stride": 10},
    "network": {"backbone": "i3d", "weights": "random:0", "preprocess": "imagenet", "precision": "fp32"},
    "athlete": {"detector": "yolo", "person": "followed", "start": None, "init_box": None},
    "tracker": {"tracker": "siammask", "doubt_below": 0.5, "look_seconds": 1.0, "missed_looks": 2},
    "pictures": {"width": 171, "height": 128, "resize": "antialiased", "encoding": "jpeg", "quality": 90},
    "imported": {"imported": "folder", "dim": 3, "step_seconds": "per video", "files_sha256": "00"},
    "simulated": {"simulated": True, "simulation_version": 1, "effect": 1.0, "signal": "even", "seed": 0},
    "another program's": {"their fact": 5, "another": "text", "empty": None, "flag": False},
}


@pytest.mark.parametrize("facts", SOUND.values(), ids=SOUND)
def test_sound_facts_are_kept_as_they_are(facts):
    spec = parse_spec(json.dumps({"stream": "segments", **facts}))
    assert (spec.stream, dict(spec.facts)) == ("segments", facts)
    for name, value in facts.items():
        assert type(spec.facts[name]) is type(value)


UNSOUND = {
    "a text for a rate": ({"rate_fps": "5"}, "rate_fps is '5', expected a valid number"),
    "a fraction of frames": ({"frames_per_step": 1.5}, "frames_per_step is '1.5', expected a valid integer"),
    "a number as backbone": ({"backbone": 50}, "backbone is '50', expected a valid string"),
    "a list of views": ({"views": ["end-0"]}, "views is "),
    "a word for yes": ({"simulated": "yes"}, "simulated is 'yes', expected a valid boolean"),
    "a number for yes": ({"simulated": 1}, "simulated is '1', expected a valid boolean"),
    "a nested fact": ({"theirs": {"a": 1}}, "theirs"),
    "a list": ({"theirs": [1]}, "theirs"),
    "a stream that is a number": ({"stream": 5}, "stream is '5', expected a valid string"),
    "a stream without name": ({"stream": ""}, "stream is '', expected a name"),
}


@pytest.mark.parametrize(("facts", "message"), UNSOUND.values(), ids=UNSOUND)
def test_an_unsound_fact_is_named(facts, message):
    with pytest.raises(ValueError, match="its spec does not fit: ") as error:
        parse_spec(json.dumps({"stream": "segments", **facts}))
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["[]", "5", "null", '"segments"'])
def test_json_that_is_no_object_is_no_spec(text):
    with pytest.raises(ValueError, match="its spec does not fit: "):
        parse_spec(text)


def test_of_many_misfits_three_are_reported_and_the_others_counted():
    facts = {name: [] for name in ("rate_fps", "backbone", "weights", "detector", "tracker")}
    with pytest.raises(ValueError, match=r"; 2 more$") as error:
        parse_spec(json.dumps({"stream": "segments", **facts}))
    assert str(error.value).count(", expected ") == 3


def test_a_long_value_is_cut():
    with pytest.raises(ValueError, match="its spec does not fit") as error:
        parse_spec(json.dumps({"stream": "segments", "rate_fps": "x" * 1000}))
    assert len(str(error.value)) < 200
