"""config.json of a stranger: what it says is read as it is, and everything that does not fit is an error."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aqa_pipeline.errors import RunError
from heads.registry import HEADS
from heads.runs.config import config_differences, read_config, write_config
from heads.runs.run_config import SCHEMA_VERSION, RunConfig

Change = Callable[[dict[str, Any]], object]


def values_of(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return values


def read_changed(folder: Path, change: Change) -> RunConfig:
    values = values_of(folder)
    change(values)
    (folder / "config.json").write_text(json.dumps(values))
    return read_config(folder)


@pytest.fixture
def folder(make_config: Callable[..., RunConfig], tmp_path: Path) -> Path:
    """Return a folder with the config.json of a run of two splits."""
    facts = {"backbone": "toy-3d", "rate": 5.0, "number": 3, "flip": True, "why": None}
    write_config(tmp_path, make_config(["a", "b"], facts=facts, seeds=(0, 1)))
    return tmp_path


def test_a_written_config_is_read_as_it_was(make_config: Callable[..., RunConfig], folder: Path) -> None:
    facts = {"backbone": "toy-3d", "rate": 5.0, "number": 3, "flip": True, "why": None}
    config = read_config(folder)
    assert config == make_config(["a", "b"], facts=facts, seeds=(0, 1))
    types = {name: type(value) for name, value in config.specs["segments"].facts.items()}
    assert types == {"backbone": str, "rate": float, "number": int, "flip": bool, "why": type(None)}
    assert config.cells == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


@pytest.mark.parametrize("name", HEADS)
def test_every_recipe_is_read_as_it_was(
    make_config: Callable[..., RunConfig], tmp_path: Path, name: str
) -> None:
    head, config = HEADS[name], make_config()
    for number, variant in enumerate(head.variants):
        recipe = head.choose_recipe("mtl-aqa", "only", variant, {stream: [7, 9] for stream in head.streams})
        splits = {"only": config.splits["only"].model_copy(update={"recipe": recipe})}
        (folder := tmp_path / str(number)).mkdir()
        write_config(folder, config.model_copy(update={"splits": splits}))
        assert read_config(folder).splits["only"].recipe == recipe


def set_in(*place: str, value: object) -> Change:
    """Return a change of the value that lies in the place."""

    def change(values: dict[str, Any]) -> None:
        for name in place[:-1]:
            values = values[name]
        values[place[-1]] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("training.seeds", ["../../x"], "training.seeds.0 is '../../x', expected a valid integer"),
        ("training.seeds", [True], "training.seeds.0 is 'True', expected a valid integer"),
        ("training.seeds", 3, "training.seeds is '3', expected a valid array"),
        ("training.seeds", [], "training.seeds is '[]', .*at least 1 item"),
        ("training.seeds", [-1], "training.seeds.0 is '-1', expected greater than or equal to 0"),
        ("streams.segments.dim", 10**12, "streams.segments.dim is '1000000000000', expected less than"),
        ("streams.segments.dim", -1, "streams.segments.dim is '-1', expected greater than 0"),
        ("streams.segments.dim", "16", "streams.segments.dim is '16', expected a valid integer"),
        ("streams", {}, "streams is '{}', .*at least 1 item"),
        ("training.select", "luck", "expected 'last', 'val' or 'best-on-test'"),
        ("training.precision", "fp8", "expected 'fp32' or 'bf16'"),
        ("splits", [], "splits is '[]', expected an object"),
        ("splits.a.num_train", "3", "splits.a.num_train is '3'"),
        ("splits.a.num_test", -3, "splits.a.num_test is '-3', expected greater than or equal to 0"),
        ("splits.a.recipe.loss", 1, "splits.a.recipe.loss is '1', expected a valid string"),
        ("splits.a.recipe.epochs", 0, "a recipe needs at least 1 epoch"),
        ("splits.a.score_scale.low", 30, "expected low < high, got 30.0 and 25.0"),
        ("streams.segments.facts.a", {}, "streams.segments.facts.a"),
        ("streams.segments.facts.rate_fps", "fast", "spec does not fit: rate_fps is 'fast', expected"),
        ("streams.segments.facts.backbone", 5, "spec does not fit: backbone is '5', expected"),
        ("streams.segments.hash", "0" * 12, "'000000000000', expected '[0-9a-f]{12}', which is the hash of"),
        ("dataset.name", ["toy"], "dataset.name is"),
        ("training.shuffle_labels", 1, "training.shuffle_labels is '1', expected a valid boolean"),
        ("store", 7, "store is '7'"),
        ("training.epochs", 0, "training.epochs is '0', expected greater than or equal to 1"),
        ("training.threads", -4, "training.threads is '-4'"),
        (
            "software.plugins",
            {"detector": {"name": "a", "identity": "b"}},
            "expected 'head', 'dataset' or 'backbone'",
        ),
        ("software.plugins", {"head": {"name": "a"}}, "it has no 'software.plugins.head.identity'"),
        ("training.seeds", list(range(60_000)), "120,000 trained cells, expected at most 100,000"),
        ("dataset.name", "a\nb", r"dataset.name is 'a\nb', expected printable text"),
        ("store", "\x1b[2J", r"store is '\x1b[2J', expected printable text"),
        ("left_out.missing", {"\x9b1m": ["a"]}, "a name in left_out.missing is"),
        ("left_out.unlabeled", ["\u2028"], "left_out.unlabeled is"),
        ("head.name", "a" * 5000, "printable text of at most 4,096 characters"),
    ],
)
def test_a_value_that_does_not_fit_is_named(folder: Path, place: str, value: object, reason: str) -> None:
    pattern = re.escape(reason).replace(r"\.\*", ".*").replace(re.escape("[0-9a-f]{12}"), "[0-9a-f]{12}")
    with pytest.raises(RunError, match=rf"config\.json is damaged: .*{pattern}.*Fit again into a new folder"):
        read_changed(folder, set_in(*place.split("."), value=value))


def places_of(values: dict[str, Any], prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the place of every field that a config must have."""
    found = []
    for name, value in values.items():
        found.append((*prefix, name))
        if isinstance(value, dict) and name not in ("facts", "files", "num_steps", "versions"):
            found += places_of(value, (*prefix, name))
    return found


def test_a_missing_field_and_a_misspelled_one_are_named(folder: Path) -> None:
    whole = values_of(folder)
    named = ("dataset", "streams", "splits", "training", "labels", "head", "left_out", "software")
    places = [place for place in places_of(whole) if place[0] in named and len(place) > 1]
    optional = {
        "windows",
        "loss",
        "num_components",
        "unit",
        "frozen",
        "adaptation",
        "momentum",
        "weight_decay",
        "milestones",
        "gamma",
        "cosine_epochs",
        "cosine_floor",
        "warm_up",
        "network",
        "max_gradient_norm",
        "num_folds",
        "step_dropout",
        "max_steps",
        "standardize",
        "baselines",
        "backbone",
        "fine_tuning",
        "rank_loss",
        "low",
        "high",
        "segments",
    }
    for place in places:
        if place[-1] in optional or place[-2] in ("splits",):
            continue
        values = json.loads(json.dumps(whole))
        inner = values
        for name in place[:-1]:
            inner = inner[name]
        inner[f"{place[-1]}_"] = inner.pop(place[-1])
        (folder / "config.json").write_text(json.dumps(values))
        with pytest.raises(RunError) as caught:
            read_config(folder)
        message, name = str(caught.value), ".".join(place)
        assert f"it has no '{name}'" in message, message
        assert f"'{name}_' is no field of it" in message, message


def test_names_in_any_script_are_read(make_config: Callable[..., RunConfig], tmp_path: Path) -> None:
    name = "Kür\u00a0ÄÖ \u3000データ \u200d"
    write_config(tmp_path, make_config([name], dataset=name))
    assert read_config(tmp_path).dataset.name == name


def test_a_name_that_could_not_be_read_again_is_not_written(
    make_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"cannot be written: dataset.name is 'a\\nb', .*Rename it"):
        write_config(tmp_path, make_config(dataset="a\nb"))
    assert not list(tmp_path.iterdir())


def test_many_misfits_are_counted(folder: Path) -> None:
    with pytest.raises(RunError, match=r"it has no 'training.seeds'; .*; .*; 4 more\. Fit again"):
        read_changed(folder, set_in("training", value={}))


def test_differences_are_named_by_field(make_config: Callable[..., RunConfig]) -> None:
    there, asked = make_config(["a"], seeds=(0,)), make_config(["a"], seeds=(0, 1), loss="l2+l1")
    assert config_differences(there, asked) == [
        "splits.a.recipe.loss: mse != l2+l1",
        "training.seeds: [0] != [0, 1]",
    ]
    files = {"segments": there.streams["segments"].model_copy(update={"files": {"weights": "w.pt"}})}
    assert config_differences(there, there.model_copy(update={"streams": files})) == []


def test_another_schema_says_so(folder: Path) -> None:
    with pytest.raises(RunError, match=f"has schema_version 2, expected {SCHEMA_VERSION}: fit again"):
        read_changed(folder, set_in("schema_version", value=2))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"schema_version": 3, "missing": ' + '{"a":' * 900, "[]", "null", "7"]
)
def test_text_that_is_no_config_is_no_run(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(RunError, match="is not a run directory"):
        read_config(tmp_path)


def test_a_deep_config_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"schema_version": 3, "a": ' + '{"a":' * 400 + "1" + "}" * 401)
    with pytest.raises(RunError, match="is damaged"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"schema_version": 3, "dims": {"a": NaN}}', "NaN is not a number"),
        ('{"schema_version": 3, "target": {"low": 1e999}}', "is too large"),
        ('{"schema_version": 3, "epochs": ' + "9" * 400 + "}", "is too large"),
        ('{"schema_version": 3, "x": ' + "[" * 100_000, "nested too deeply"),
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
