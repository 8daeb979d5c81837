"""config.json of a stranger: what is there has the types that a run writes, what is missing is told."""

import json
from pathlib import Path

import pytest

from aqa_pipeline.errors import RunError
from heads.runs.config import SCHEMA, read_config

SOUND = {
    "schema": SCHEMA,
    "head": "action-net",
    "dataset": {"name": "toy", "adapter": "toy", "root": "data"},
    "splits": {"a": {"num_train": 3, "recipe": {"loss": "mse", "lr": 0.1}}},
    "seeds": [0, 1],
    "select": "last",
    "specs": {"segments": {"hash": "0" * 12, "facts": {"rate": 5.0, "flip": True, "why": None}}},
    "dims": {"segments": 16},
    "simulated": False,
    "something new": [1],
}


def config_of(folder: Path, **changes: object) -> dict:
    (folder / "config.json").write_text(json.dumps(SOUND | changes))
    return read_config(folder)


def test_a_sound_config_is_read_as_it_is(tmp_path):
    assert config_of(tmp_path) == SOUND


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seeds": ["../../x"]}, "seeds is"),
        ({"seeds": [True]}, "seeds is"),
        ({"seeds": 3}, "expected a list"),
        ({"dims": {"segments": 10**12}}, "1000000000000 dimensions"),
        ({"dims": {"segments": -1}}, "-1 dimensions"),
        ({"dims": {"segments": "16"}}, "dims.segments is '16'"),
        ({"select": "luck"}, "expected one of last, val, best-on-test"),
        ({"splits": []}, "splits is '\\[\\]', expected names and values"),
        ({"splits": {"a": {"num_train": "3"}}}, "splits.a.num_train is '3'"),
        ({"splits": {"a": {"recipe": {"loss": 1}}}}, "splits.a.recipe.loss is '1'"),
        ({"specs": {"segments": {"facts": {"a": {}}}}}, "specs.segments.facts.a is"),
        ({"dataset": {"name": ["toy"]}}, "dataset.name is"),
        ({"simulated": 1}, "simulated is '1'"),
        ({"store": 7}, "store is '7'"),
        ({"seeds": list(range(60_000)), "splits": {"a": {}, "b": {}}}, "120,000 trained cells"),
        ({"epochs": -1}, "epochs is -1"),
        ({"threads": -4}, "threads is -4"),
        ({"splits": {"a": {"num_test": -3}}}, "num_test of a is -3"),
    ],
)
def test_what_is_of_another_type_is_refused(tmp_path, changes, reason):
    with pytest.raises(RunError, match=rf"config\.json is damaged: .*{reason}"):
        config_of(tmp_path, **changes)


def test_what_is_missing_is_told_when_it_is_asked_for(tmp_path):
    config = config_of(tmp_path)
    for look in (lambda: config["store"], lambda: config["splits"]["a"]["num_test"]):
        with pytest.raises(RunError, match=r"config\.json is damaged: it has no '(store|num_test)'"):
            look()
    assert config.get("store", "none") == "none"


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"schema": 2, "missing": ' + '{"a":' * 900, "[]", "null", "7"]
)
def test_what_is_no_config_is_no_run(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match="is not a run directory"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"schema": 2, "dims": {"a": NaN}}', "NaN is no number"),
        ('{"schema": 2, "target": {"low": 1e999}}', "is too large"),
        ('{"schema": 2, "epochs": ' + "9" * 400 + "}", "is too large"),
        ('{"schema": 2, "x": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_numbers_that_nobody_writes_are_refused(tmp_path, text, reason):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match=reason):
        read_config(tmp_path)


def test_a_config_of_gigabytes_is_not_read(tmp_path):
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(RunError, match="it has 100,000,000,000 bytes, expected at most"):
        read_config(tmp_path)
