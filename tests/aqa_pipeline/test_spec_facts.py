"""Specs as typed facts: hashes stay what stores hold, and a stranger's spec that does not fit says where."""

import json

import pytest
from pydantic import ValidationError

from aqa_pipeline.records import StreamSpec
from aqa_pipeline.spec_facts import extracted_facts, parse_spec, typed_facts

NETWORK = {
    "backbone": "i3d",
    "weights": "i3d-kinetics sha256:00",
    "preprocess": "i3d-paper",
    "precision": "fp32",
    "dtype": "float32",
}
FOLLOWED = {"start": "largest", "init_box": None, "doubt_below": 0.3, "look_seconds": 1, "again_seconds": 0.5}
SPECS = {
    "segments": {"rate_fps": 5.0, "frames_per_step": 16, "rest": "padded", **NETWORK},
    "crops": {"rate_fps": 5.0, "detector": "yolo:yolo11n", "person": "largest", **NETWORK},
    "clips": {"span": "last-96", "frames_per_step": 32, "views": "end-0,end-0-flip", **NETWORK},
    "tubes": {"num_frames": 96, "stride": 1, "tracker": "siammask:davis", "missed_looks": 3, **FOLLOWED},
    "imported": {"imported": "numpy-files", "dim": 4, "step_seconds": 3.2, "times": "nominal"},
    "simulated": {"simulated": True, "simulation_version": 1, "effect": 1.0, "signal": "steps", "seed": 0},
    "of-a-plug-in": {"backbone": "mine", "their_own": 7},
}
# Written by the code before facts were typed.
HASHES = {
    "segments": "6861787d8de7",
    "crops": "a86dc10da098",
    "clips": "e29629ca5b72",
    "tubes": "447af86df0cb",
    "imported": "fc20b65a5280",
    "simulated": "132baab0c784",
    "of-a-plug-in": "daf42656470d",
}


@pytest.mark.parametrize("stream", SPECS)
def test_a_spec_keeps_its_stored_hash(stream):
    spec = StreamSpec(stream, SPECS[stream])
    assert spec.hash == HASHES[stream]
    assert parse_spec(spec.to_json()) == spec
    assert parse_spec(spec.to_json()).to_json() == spec.to_json()


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"backbone": 5}, "backbone is '5', expected a valid string"),
        ({"rate_fps": "fast"}, "rate_fps is 'fast', expected a valid number"),
        ({"frames_per_step": 1.5}, "frames_per_step is '1.5', expected a valid integer"),
        ({"frames_per_step": True}, "frames_per_step is 'True', expected a valid integer"),
        ({"simulated": "yes"}, "simulated is 'yes', expected a valid boolean"),
        ({"their_own": [1]}, r"their_own.* is '\[1\]', expected"),
        ({"stream": 7}, "stream is '7', expected a valid string"),
        ({"stream": ""}, "stream is '', expected a name"),
    ],
)
def test_a_fact_that_does_not_fit_says_what_came_and_what_was_expected(fact, words):
    with pytest.raises(ValueError, match=words):
        parse_spec(json.dumps({"stream": "segments", **NETWORK, **fact}))


@pytest.mark.parametrize("text", ["[]", "7", "{}", "{", "null"])
def test_a_text_that_is_no_spec_is_refused(text):
    with pytest.raises(ValueError, match=r"spec does not fit|Expecting"):
        parse_spec(text)


@pytest.mark.parametrize("stream", SPECS)
def test_facts_are_read_by_name_and_the_spec_stays_as_it_was(stream):
    spec = StreamSpec(stream, SPECS[stream])
    facts = typed_facts(spec)
    assert facts.stream == stream
    for name, value in SPECS[stream].items():
        assert getattr(facts, name) == value, name
    assert spec.hash == HASHES[stream]


def test_an_absent_fact_is_none_and_a_misspelled_one_an_error():
    facts = typed_facts(StreamSpec("crops", SPECS["crops"]))
    assert (facts.tracker, facts.start, facts.init_box, facts.num_frames) == (None, None, None, None)
    with pytest.raises(AttributeError, match="trakcer"):
        _ = facts.trakcer
    with pytest.raises(ValidationError, match="frozen"):
        facts.detector = "another"


def test_facts_in_memory_are_checked_like_stored_ones():
    spec = StreamSpec("segments", {**NETWORK, "rate_fps": "fast"})
    for read in (typed_facts, extracted_facts):
        with pytest.raises(ValueError, match="its spec does not fit: rate_fps is 'fast', expected"):
            read(spec)


def test_extracted_features_name_their_network():
    facts = extracted_facts(StreamSpec("segments", SPECS["segments"]))
    assert (facts.backbone, facts.preprocess, facts.rest) == ("i3d", "i3d-paper", "padded")
    with pytest.raises(ValueError, match="spec does not fit: it has no 'weights'; it has no 'preprocess'"):
        extracted_facts(StreamSpec("segments", {"backbone": "i3d"}))
