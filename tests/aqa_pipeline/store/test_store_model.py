"""The store against a dictionary: after any order of writes, replacements and packs, both say the same."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.disk.files import file_name
from aqa_pipeline.errors import SpecMismatch, StoreError
from aqa_pipeline.records import Event, Record, Source, StreamSpec
from aqa_pipeline.store import Store, pack, unpack

IDS = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=8
).filter(lambda text: len(file_name(text)) < 100)
STREAMS = st.sampled_from(["segments", "crops", "odd stream-0123456789ab"])
FACTS = st.dictionaries(
    st.sampled_from(["backbone", "weights", "rate_fps"]),
    st.sampled_from(["i3d", "ü", 5.0]),
    max_size=2,
)
FLOATS = st.sampled_from(["<f2", "<f4", "<f8"])


@st.composite
def records(draw) -> Record:
    """Draw a record with any id, any number of steps and any float type."""
    steps, dim = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    facts = draw(FACTS)
    if "rate_fps" in facts:
        facts["rate_fps"] = 5.0
    facts = {name: value if name == "rate_fps" else str(value) for name, value in facts.items()}
    start = np.cumsum(draw(st.lists(st.floats(0, 10), min_size=steps, max_size=steps)) or [0.0])[:steps]
    seed = draw(st.integers(0, 2**32))
    return Record(
        dataset=draw(st.sampled_from(["toy", "../other", "ünïcode set"])),
        video_id=draw(IDS),
        spec=StreamSpec(draw(STREAMS), facts),
        features=np.random.default_rng(seed).standard_normal((steps, dim)).astype(draw(FLOATS)),
        pts_seconds=np.stack([start, start + 0.5], axis=1).reshape(steps, 2),
        source=Source(f"{seed:064x}"),
        extras={"frame_index": np.arange(steps)} if draw(st.booleans()) else {},
        counts=draw(st.dictionaries(st.sampled_from(["a", "b c"]), st.integers(0, 2**40))),
        events=(Event(draw(st.integers(0, 9)), "lost", draw(st.sampled_from(["", "ü"]))),),
    )


Key = tuple[str, str, StreamSpec]


def assert_same(store: Store, model: dict[Key, Record]) -> None:
    assert len(store) == len(model)
    assert set(store) == set(model)
    assert store.datasets() == sorted({dataset for dataset, _, _ in model})
    for key, expected in model.items():
        found = store.read(*key)
        assert found.features.dtype == expected.features.dtype
        np.testing.assert_array_equal(found.features, expected.features)
        np.testing.assert_array_equal(found.pts_seconds, expected.pts_seconds)
        assert dict(found.counts) == dict(expected.counts)
        assert (found.source, found.events) == (expected.source, expected.events)
        assert set(found.extras) == set(expected.extras)
        np.testing.assert_array_equal(store.map(*key).features, expected.features)
        assert store.source(*key) == expected.source
        assert store.has(*key)
    assert not [problem for _, problem in store.verify() if problem]


@settings(max_examples=15)
@given(st.lists(records(), min_size=1, max_size=5))
def test_a_store_holds_the_last_of_what_was_written_and_so_does_its_pack(tmp_path_factory, written):
    folder = tmp_path_factory.mktemp("model")
    store, model = Store(folder / "store"), {}
    for record in written:
        store.write(record)
        model[record.dataset, record.video_id, record.spec] = record
    assert_same(store, model)
    assert_same(Store(folder / "store"), model)
    pack(store, folder / "p.h5")
    assert_same(Store(folder / "p.h5"), model)
    unpack(Store(folder / "p.h5"), Store(folder / "again"))
    for path in (folder / "store").rglob("*.h5"):
        assert (folder / "again" / path.relative_to(folder / "store")).read_bytes() == path.read_bytes()


@settings(max_examples=200)
@given(IDS)
def test_no_id_leaves_its_folder_and_every_name_tells_its_id(video_id):
    from urllib.parse import unquote

    name = file_name(video_id)
    assert unquote(name) == video_id
    assert Path("folder", name).parent == Path("folder")
    assert not name.startswith(".")
    assert not set(name) & set('/\\:*?"<>|\n\r\t\0')


@settings(max_examples=200)
@given(st.lists(IDS, min_size=2, max_size=2, unique=True))
def test_two_ids_have_two_names(ids):
    assert file_name(ids[0]) != file_name(ids[1])


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s")
    for facts in ({"backbone": "i3d"}, {"backbone": "c3d", "imported": "folder"}):
        store.write(record_of("a", StreamSpec("segments", facts)))
    store.write(record_of("b", StreamSpec("segments", {"backbone": "i3d"})))
    return store


def record_of(video_id: str, spec: StreamSpec) -> Record:
    start = np.arange(4.0)
    times = np.stack([start, start + 1], axis=1)
    return Record("toy", video_id, spec, np.ones((4, 2), np.float32), times, Source("0" * 64))


def test_a_stream_by_name_is_the_only_one_of_that_video(store):
    assert store["toy", "b", "segments"].spec.facts["backbone"] == "i3d"
    with pytest.raises(StoreError) as error:
        store["toy", "a", "segments"]
    assert "has 'segments' of toy video 'a' made in 2 ways" in str(error.value)
    assert "extracted segments (i3d)" in str(error.value)
    assert "imported segments (c3d)" in str(error.value)
    assert "store.specs('toy', 'segments')" in str(error.value)
    for spec in store.specs("toy", "segments"):
        assert store["toy", "a", spec].spec == spec


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        (
            ("toy", "c", "segments"),
            StoreError,
            "has no segments of toy video 'c': run `aqa extract --dataset",
        ),
        (("tyo", "a", "segments"), StoreError, "has no segments of tyo video 'a'"),
        (("toy", "a", "crops"), StoreError, "has no crops of toy video 'a'"),
        (
            ("toy", "b", StreamSpec("segments", {"backbone": "r3d"})),
            SpecMismatch,
            "backbone: r3d != i3d",
        ),
    ],
    ids=["video", "dataset", "stream", "spec"],
)
def test_an_absent_record_says_what_is_there_instead(store, key, error, message):
    with pytest.raises(error, match=message):
        store[key]


def test_a_store_prints_its_size_and_not_its_contents(store, tmp_path):
    assert repr(store) == f"Store({tmp_path / 's'}: 3 records of 1 dataset)"
    assert repr(Store(tmp_path / "new")) == f"Store({tmp_path / 'new'}: 0 records of 0 datasets)"


def test_another_source_changes_only_the_source(store):
    (spec,) = (spec for spec in store.specs("toy", "segments") if not spec.imported)
    before = store.read("toy", "a", spec)
    store.change_source("toy", "a", spec, Source("1" * 64, size=5))
    after = store.read("toy", "a", spec)
    assert after.source == Source("1" * 64, size=5)
    np.testing.assert_array_equal(after.features, before.features)
    assert store.source("toy", "b", spec) == Source("0" * 64)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("s.h5", "there is no packed store at .*; a store to write is a folder, no .h5"),
        ("n" * 300, "there can be no store at .*: File name too long"),
    ],
    ids=["absent pack", "long name"],
)
def test_a_place_that_can_hold_no_store_is_reported(tmp_path, name, message):
    with pytest.raises(StoreError, match=message):
        Store(tmp_path / name)


def test_a_pipe_is_no_store(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="it is neither a folder nor a file"):
        Store(tmp_path / "pipe")
