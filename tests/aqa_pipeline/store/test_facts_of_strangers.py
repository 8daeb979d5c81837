"""A record's facts may come from a stranger: each that is none is refused by name when it is read."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec
from aqa_pipeline.store import Store

SPEC = StreamSpec("segments", {"backbone": "i3d"})
FOOTAGE = {"width": 64, "height": 48, "num_frames": 9, "start_frame": 0, "stop_frame": 9, "fps": 25.0}
SOURCE = {
    "digest": "0" * 64,
    "size": 5,
    "mtime_ns": 7,
    "start_frame": 0,
    "stop_frame": None,
    "fps": None,
    "boxes_digest": None,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Store, Path]:
    """Write one record; tests change a copy of its file."""
    start = np.arange(3.0)
    record = Record(
        dataset="toy",
        video_id="a",
        spec=SPEC,
        features=np.ones((3, 2), np.float32),
        pts_seconds=np.stack([start, start + 1], axis=1),
        source=Source(**SOURCE),
        pictures=Pictures(Footage(**FOOTAGE), (0.0, 0.0, 64.0, 48.0)),
    )
    store = Store(tmp_path_factory.mktemp("strangers") / "s")
    return store, store.write(record)


@pytest.fixture
def read_with(written):
    """Read the record after one of its attributes was replaced by this text."""
    store, path = written
    content = path.read_bytes()

    def read(name: str, text: str) -> Record:
        with h5py.File(path, "r+") as file:
            del file.attrs[name]
            raw = text.encode()
            file.attrs.create(name, raw, dtype=h5py.string_dtype("utf-8", max(1, len(raw))))
        return store.read("toy", "a", SPEC)

    yield read
    path.write_bytes(content)


def footage(**facts: object) -> tuple[str, str]:
    return "footage", json.dumps({**FOOTAGE, **facts})


def source(**facts: object) -> tuple[str, str]:
    return "source", json.dumps({**SOURCE, **facts})


REFUSED = {
    "counts that are a list": (("counts", "[1, 2]"), r"its counts is '\[1, 2\]'"),
    "a count that is a word": (("counts", '{"a": "many"}'), "its counts is "),
    "a count that is null": (("counts", '{"a": null}'), "its counts is "),
    "counts that are no JSON": (("counts", "{"), "Expecting property name"),
    "a digest that is a number": (source(digest=5), "its source is "),
    "a size that is broken": (source(size=5.5), "its source is "),
    "frames that are words": (source(start_frame="0"), "its source is "),
    "a rate that is a word": (source(fps="25"), "its source is "),
    "a digest of boxes that is a list": (source(boxes_digest=[]), "its source is "),
    "a source that is a list": (("source", "[]"), "list indices"),
    "a picture that is a list": (("picture", "[]"), r"its picture is '\[\]'"),
    "events that are a number": (("events", "5"), "not iterable"),
    "an event without a kind": (("events", "[[3]]"), "missing 1 required"),
    "an event of a number": (("events", "[[3, 4]]"), "one of its events is Event"),
    "an event with a list": (("events", '[[3, "lost", []]]'), "one of its events is Event"),
    "footage without width": (footage(width=0), "its footage is "),
    "footage of negative height": (footage(height=-48), "its footage is "),
    "footage of broken pixels": (footage(width=64.5), "its footage is "),
    "footage without rate": (footage(fps=0), "its footage is "),
    "footage of an endless rate": (
        ("footage", json.dumps({**FOOTAGE, "fps": float("inf")})),
        "its footage is ",
    ),
    "footage with a word": (footage(num_frames="9"), "its footage is "),
    "footage that lacks a fact": (("footage", '{"width": 3}'), "missing 5 required"),
    "a field of view of three": (("field_of_view", "[0, 0, 64]"), "not enough values"),
    "a field of view of five": (("field_of_view", "[0, 0, 64, 48, 1]"), "too many values"),
    "a field of view upside down": (("field_of_view", "[0, 48, 64, 0]"), "its field of view is "),
    "a field of view of words": (("field_of_view", '["a", 0, 1, 1]'), "its field of view is "),
    "a spec without stream": (("spec", '{"backbone": "i3d"}'), "its spec does not fit: it has no 'stream'"),
    "another schema": (("schema", "5"), "its schema is a"),
}


@pytest.mark.parametrize(("changed", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_fact_is_refused_by_its_name(read_with, changed, message):
    with pytest.raises(StoreError, match=message) as error:
        read_with(*changed)
    assert "run `aqa store repair" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("counts", '{"a": 6}'),
        ("picture", '{"tone_mapped": "pq"}'),
        ("events", '[[3, "lost", "late"]]'),
        ("libraries", "{}"),
    ],
)
def test_sound_facts_that_were_exchanged_break_the_checksum(read_with, name, text):
    """Only the versions of the libraries are no part of what a record says."""
    if name == "libraries":
        assert read_with(name, text).video_id == "a"
    else:
        with pytest.raises(StoreError, match="the content does not match its checksum"):
            read_with(name, text)


def test_the_checksum_is_of_no_use_to_who_reads_a_part_and_verify_finds_it(written, read_with):
    store, path = written
    with pytest.raises(StoreError):
        read_with("counts", '{"a": 7}')
    part = store.read("toy", "a", SPEC, steps=slice(0, 1))
    assert part.counts == {"a": 7}
    ((_, problem),) = [(p, each) for p, each in store.verify() if p == path]
    assert problem.kind == "damaged"
    with pytest.raises(StoreError, match="the content does not match its checksum"):
        Store(store.root, verify=True).read("toy", "a", SPEC, steps=slice(0, 1))


ATTRIBUTES = {
    "a number": (lambda: np.int64(5), "its video_id is a int64"),
    "a fraction": (lambda: np.float64(5), "its video_id is float64"),
}


@pytest.mark.parametrize(("value", "message"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_an_attribute_of_another_type_is_refused(written, value, message):
    store, path = written
    content = path.read_bytes()
    try:
        with h5py.File(path, "r+") as file:
            file.attrs["video_id"] = value()
        with pytest.raises(StoreError, match=message):
            store.read("toy", "a", SPEC)
    finally:
        path.write_bytes(content)


ARRAYS = {
    "a single number": (
        lambda file: file.create_dataset("features", data=5.0),
        r"features holds float64 \(\)",
    ),
    "whole numbers": (
        lambda file: file.create_dataset("features", data=np.ones((3, 2), int)),
        "must be floats",
    ),
    "nothing": (lambda file: None, "features is missing, or points outside the record"),
}


@pytest.mark.parametrize(("put", "message"), ARRAYS.values(), ids=ARRAYS)
def test_features_of_another_kind_are_refused(written, put, message):
    store, path = written
    content = path.read_bytes()
    try:
        with h5py.File(path, "r+") as file:
            del file["features"]
            put(file)
        with pytest.raises(StoreError, match=message):
            store.read("toy", "a", SPEC)
    finally:
        path.write_bytes(content)


def test_a_record_with_a_hundred_extras_is_read_and_one_more_is_refused(tmp_path):
    def with_extras(num: int) -> Record:
        extras = {f"x{at:03d}": np.zeros(1) for at in range(num)}
        times, features = np.array([[0.0, 1.0]]), np.ones((1, 1))
        return Record("toy", f"v{num}", SPEC, features, times, Source("0" * 64), extras=extras)

    store = Store(tmp_path / "s")
    for num in (100, 101):
        store.write(with_extras(num))
    assert len(store.read("toy", "v100", SPEC).extras) == 100
    with pytest.raises(StoreError, match="it has 101 extras"):
        store.read("toy", "v101", SPEC)
