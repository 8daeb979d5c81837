"""Records from strangers: nothing in them leads out of their file, claims memory, or names our places."""

import json
import os
from dataclasses import asdict

import h5py
import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store, pack, unpack
from aqa_pipeline.store.content import checksum_of
from aqa_pipeline.store.hdf5 import fill, write_text
from aqa_pipeline.store.seal import seal_file

SPEC = StreamSpec("segments", {"weights": "random:0"})
PETABYTE = 1 << 50


def make_record(*, video_id: str = "a", spec: StreamSpec = SPEC, dataset: str = "toy") -> Record:
    return Record(
        dataset=dataset,
        video_id=video_id,
        spec=spec,
        features=np.ones((4, 3), np.float32),
        pts_seconds=np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]),
        source=Source("0" * 64),
        extras={"boxes": np.zeros((4, 4), np.float32)},
    )


@pytest.fixture
def secret(tmp_path):
    """Another HDF5 file on the reader's disk, with arrays of the right names and shapes."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        fill(file, make_record(), libraries="{}")
    return path


def external_link(file, secret):
    del file["features"]
    file["features"] = h5py.ExternalLink(str(secret), "features")


def external_group(file, secret):
    del file["extras"]
    file["extras"] = h5py.ExternalLink(str(secret), "extras")


def soft_link(file, secret):
    del file["features"]
    file["features"] = h5py.SoftLink("/pts_seconds")


def soft_group(file, secret):
    file.move("extras", "elsewhere")
    file["extras"] = h5py.SoftLink("/elsewhere")


def virtual(file, secret):
    layout = h5py.VirtualLayout((4, 3), np.float32)
    layout[:] = h5py.VirtualSource(str(secret), "features", (4, 3))
    del file["features"]
    file.create_virtual_dataset("features", layout)


def external_bytes(file, secret):
    del file["features"]
    file.create_dataset("features", (4, 3), np.float32, external=[(str(secret), 0, 48)])


def petabytes_in_chunks(file, secret):
    del file["features"]
    file.create_dataset("features", (PETABYTE // 12, 3), np.float32, chunks=(1024, 3))


def petabytes_never_written(file, secret):
    del file["features"]
    file.create_dataset("features", (PETABYTE // 12, 3), np.float32)


def compressed(file, secret):
    del file["features"]
    file.create_dataset("features", data=np.zeros((1 << 20, 3), np.float32), compression="gzip")


def texts(file, secret):
    del file["features"]
    file["features"] = np.array([[b"a"] * 3] * 4)


def a_group(file, secret):
    del file["features"]
    file.create_group("features")


def an_attribute_of_many(file, secret):
    file.attrs["video_id"] = ["a"] * 1000


def deep_json(file, secret):
    write_text(file, "counts", "[" * 50_000)


def nested_facts(file, secret):
    write_text(file, "spec", json.dumps({"stream": "segments", "weights": {"a": 1}}))


def a_stream_that_is_a_number(file, secret):
    write_text(file, "spec", json.dumps({"stream": 7}))


def a_source_without_a_digest(file, secret):
    write_text(file, "source", "{}")


def a_source_with_a_size_in_words(file, secret):
    write_text(file, "source", json.dumps({**asdict(Source("0")), "size": "petabytes"}))


def a_source_with_more(file, secret):
    write_text(file, "source", json.dumps({**asdict(Source("0")), "path": "/etc/passwd"}))


def a_picture_in_a_picture(file, secret):
    write_text(file, "picture", json.dumps({"tone_mapped": {"a": 1}}))


def a_footage_of_no_frames(file, secret):
    footage = {"width": 8, "height": 6, "num_frames": 9, "start_frame": 5, "stop_frame": 5, "fps": 25.0}
    write_text(file, "footage", json.dumps(footage))


def a_footage_without_a_rate(file, secret):
    footage = {"width": 8, "height": 6, "num_frames": 9, "start_frame": 0, "stop_frame": 9, "fps": "25"}
    write_text(file, "footage", json.dumps(footage))


def a_field_of_view_that_is_endless(file, secret):
    write_text(file, "field_of_view", "[0, 0, Infinity, 6]")


def a_field_of_view_of_nothing(file, secret):
    write_text(file, "field_of_view", "[4, 0, 4, 6]")


def an_event_without_a_frame(file, secret):
    write_text(file, "events", json.dumps([["lost", "lost", ""]]))


def an_event_of_five_words(file, secret):
    write_text(file, "events", json.dumps([[0, "lost", "", "", ""]]))


def a_text_in_a_heap(file, secret):
    file.attrs["counts"] = "{}"


def no_text(file, secret):
    file.attrs.create("video_id", b"\xff\xfe", dtype="S2")


def a_loop(file, secret):
    del file["extras"]
    file["extras"] = file["/"]


TRICKS = (
    external_link,
    external_group,
    soft_link,
    soft_group,
    virtual,
    external_bytes,
    petabytes_in_chunks,
    petabytes_never_written,
    compressed,
    texts,
    a_group,
    an_attribute_of_many,
    deep_json,
    nested_facts,
    a_stream_that_is_a_number,
    a_source_without_a_digest,
    a_source_with_a_size_in_words,
    a_source_with_more,
    a_picture_in_a_picture,
    a_footage_of_no_frames,
    a_footage_without_a_rate,
    a_field_of_view_that_is_endless,
    a_field_of_view_of_nothing,
    an_event_without_a_frame,
    an_event_of_five_words,
    a_text_in_a_heap,
    no_text,
    a_loop,
)


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_record_with_a_trick_is_refused_whatever_is_asked_of_it(tmp_path, secret, trick):
    store = Store(tmp_path / "store")
    path = store.write(make_record())
    with h5py.File(path, "a") as file:
        trick(file, secret)
    seal_file(path)  # a stranger seals it as we do
    for read in (
        lambda: store.read("toy", "a", SPEC),
        lambda: store.read("toy", "a", SPEC, steps=slice(0, 1)),
        lambda: store.map("toy", "a", SPEC),
    ):
        with pytest.raises(StoreError, match=r"a\.h5 is not a sound record"):
            read()
    assert [problem.kind for _, problem in store.verify() if problem] == ["damaged"]
    assert len(store.contents()) <= 1


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_so_is_a_packed_one(tmp_path, secret, trick):
    Store(tmp_path / "store").write(make_record())
    packed = tmp_path / "packed.h5"
    pack(Store(tmp_path / "store"), packed)
    with h5py.File(packed, "a") as file:
        trick(file[f"toy/segments-{SPEC.hash}/a"], secret)
    seal_file(packed)
    store = Store(packed)
    done = unpack(store, Store(tmp_path / "again"))
    assert (done.num_written, len(done.broken)) == (0, 1)
    assert [problem.kind for _, problem in store.verify() if problem] == ["damaged"]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_group_of_a_pack_may_be_a_link(tmp_path, secret, part):
    Store(tmp_path / "store").write(make_record())
    packed = tmp_path / "packed.h5"
    pack(Store(tmp_path / "store"), packed)
    names = ["toy", f"segments-{SPEC.hash}", "a"][: part + 1]
    with h5py.File(packed, "a") as file:
        file.move("/".join(names), "moved")
        file["/".join(names)] = h5py.SoftLink("/moved")
    with pytest.raises(StoreError, match="points outside the record"):
        Store(packed).read("toy", "a", SPEC)


def test_what_a_record_says_of_itself_leads_nowhere(tmp_path):
    """An unpacked record goes where its own words say, which are a stranger's."""
    spec = StreamSpec("../../../segments", {"weights": "x"})
    record = make_record(video_id="../../a", spec=spec, dataset="../b")
    packed = tmp_path / "packed.h5"
    home = Store(tmp_path / "one" / "two" / "store")
    home.write(record)
    pack(home, packed)
    before = set(tmp_path.rglob("*"))
    into = Store(tmp_path / "deep" / "er" / "store")
    assert unpack(Store(packed), into).num_written == 1
    new = set(tmp_path.rglob("*")) - before - {tmp_path / "deep", tmp_path / "deep" / "er"}
    assert all(path.is_relative_to(into.root) for path in new)
    assert into.read("../b", "../../a", spec).video_id == "../../a"


def test_a_record_that_calls_itself_another_is_broken(tmp_path):
    store = Store(tmp_path / "store")
    path = store.write(make_record())
    other = make_record(video_id="b")
    with h5py.File(path, "a") as file:
        write_text(file, "video_id", "b")
        write_text(file, "content_sha256", checksum_of(other))
    seal_file(path)
    with pytest.raises(StoreError, match="does not belong in this place"):
        store.read("toy", "a", SPEC)


def test_a_pipe_in_the_place_of_a_record_is_not_waited_for(tmp_path):
    store = Store(tmp_path / "store")
    path = store.write(make_record())
    path.unlink()
    os.mkfifo(path)
    assert not store.has("toy", "a", SPEC)
    with pytest.raises(StoreError, match="has no segments"):
        store.read("toy", "a", SPEC)


@pytest.mark.parametrize("text", ["[" * 100_000, "null", '{"schema": "2"}', "\xff", "{}", '{"schema": [2]}'])
def test_a_strange_marker_is_refused(tmp_path, text):
    (tmp_path / "store.json").write_text(text, encoding="latin1")
    with pytest.raises(StoreError, match=r"cannot be read|has schema"):
        Store(tmp_path)
