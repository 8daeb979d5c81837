"""The store: records are absent or complete, say what they are, and never land outside it."""

import errno
import json
import os
import resource
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.disk import files
from aqa_pipeline.errors import SpecMismatch, StoreError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Event, Pictures, Record, Source, StreamSpec
from aqa_pipeline.store import Store, feature_store, file_name, folder
from aqa_pipeline.store.content import checksum_of

SPEC = StreamSpec("segments", {"rate_fps": 5.0, "backbone": "i3d", "weights": "random:0"})


def make_record(
    video_id: str = "a", *, steps: int = 4, spec: StreamSpec = SPEC, dataset: str = "toy"
) -> Record:
    start = np.arange(steps, dtype=float)
    return Record(
        dataset=dataset,
        video_id=video_id,
        spec=spec,
        features=np.random.default_rng(steps).standard_normal((steps, 3)).astype(np.float32),
        pts_seconds=np.stack([start, start + 1], axis=1),
        source=Source("0" * 64, 1234, 10**18, 5, None, 29.97, "1" * 64),
        extras={"boxes": np.zeros((steps, 4), np.float32)},
        counts={"frames_without_person": 2},
        events=(Event(3, "lost"), Event(7, "restarted", "by the detector")),
        pictures=Pictures(
            footage=Footage(640, 360, 500, 5, 400, 29.97),
            field_of_view=(140.0, 0.0, 500.5, 360.0),
            conversions={"tone_mapped": "hlg", "sample_aspect": 1.42},
        ),
    )


def test_what_is_written_is_read_back(tmp_path):
    store, record = Store(tmp_path / "s"), make_record()
    store.write(record)
    again = Store(tmp_path / "s").read("toy", "a", SPEC)
    np.testing.assert_array_equal(again.features, record.features)
    np.testing.assert_array_equal(again.pts_seconds, record.pts_seconds)
    np.testing.assert_array_equal(again.extras["boxes"], record.extras["boxes"])
    assert again.spec == SPEC
    assert again.counts == {"frames_without_person": 2}
    assert (again.source, again.pictures, again.events) == (record.source, record.pictures, record.events)
    assert again.duration_seconds == record.duration_seconds == 395 / 29.97
    assert store.video_ids("toy", SPEC) == ["a"]
    assert store.specs("toy", "segments") == [SPEC]


def test_a_part_of_the_time_axis_can_be_read(tmp_path):
    store = Store(tmp_path)
    store.write(make_record(steps=9))
    part = store.read("toy", "a", SPEC, steps=slice(2, 5))
    np.testing.assert_array_equal(part.features, make_record(steps=9).features[2:5])
    assert part.pts_seconds.tolist() == [[2, 3], [3, 4], [4, 5]]


def test_a_video_without_any_person_is_a_record_of_no_steps(tmp_path):
    store = Store(tmp_path)
    store.write(make_record(steps=0))
    assert store.read("toy", "a", SPEC).features.shape == (0, 3)


def test_equal_records_are_equal_files(tmp_path):
    paths = [Store(tmp_path / name).write(make_record()) for name in "xy"]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_another_spec_is_an_error_that_shows_the_difference(tmp_path):
    store = Store(tmp_path)
    store.write(make_record())
    wanted = StreamSpec("segments", {**SPEC.facts, "weights": "random:1"})
    with pytest.raises(SpecMismatch, match=r"weights: random:1 != random:0"):
        store.read("toy", "a", wanted)


OTHER = {
    "source": replace(make_record().source, mtime_ns=7),
    "pictures": replace(make_record().pictures, conversions={"tone_mapped": "pq"}),
    "events": make_record().events[:1],
    "counts": {},
}


@pytest.mark.parametrize("fact", OTHER)
def test_the_checksum_covers_every_fact(fact):
    assert checksum_of(replace(make_record(), **{fact: OTHER[fact]})) != checksum_of(make_record())


def test_an_absent_record_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(StoreError, match=r"aqa extract --dataset toy --streams segments"):
        Store(tmp_path).read("toy", "a", SPEC)


@pytest.mark.parametrize(
    "video_id", ["../../x", "/etc/passwd", "..", ".", "a/b", "<script>", "CON:1", "ü ñ", "%2E"]
)
def test_no_id_leaves_its_folder(tmp_path, video_id):
    store = Store(tmp_path / "s")
    path = store.write(make_record(video_id))
    assert path.parent == tmp_path / "s" / "toy" / f"segments-{SPEC.hash}"
    assert store.video_ids("toy", SPEC) == [video_id]
    assert store.read("toy", video_id, SPEC).video_id == video_id


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_two_ids_never_share_a_file(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)
    assert "/" not in file_name(one)
    assert not file_name(one).startswith(".")


def test_an_id_too_long_for_a_file_name_is_refused():
    with pytest.raises(StoreError, match="too long"):
        file_name("x" * 300)


def test_another_schema_version_is_refused(tmp_path):
    (tmp_path / "store.json").write_text(json.dumps({"schema": 99}))
    with pytest.raises(StoreError, match="schema 99, this version reads and writes 4"):
        Store(tmp_path)


def test_a_folder_of_other_things_is_not_taken_for_a_store(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(StoreError, match="not a feature store"):
        Store(tmp_path)


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write(make_record("before"))
    before = sorted(tmp_path.rglob("*"))

    def refuse(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match=r"No space left on device.*run the same command again"):
        store.write(make_record("after"))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_disk_that_fills_up_meanwhile_leaves_no_half_record(share, tmp_path, request):
    store = Store(tmp_path)
    size = store.write(make_record("a")).stat().st_size
    before = sorted(tmp_path.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * size), limits[1]))
    with pytest.raises(StoreError, match="The store is undamaged"):
        store.write(make_record("b"))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_record_is_never_read_as_a_sound_one(tmp_path):
    store = Store(tmp_path)
    path, record = store.write(make_record()), make_record()
    content = bytearray(path.read_bytes())
    content[content.index(record.features.tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"does not match its checksum\): run `aqa store repair"):
        store.read("toy", "a", SPEC)
    # Parts and views are trusted, unless the store is told not to.
    assert store.read("toy", "a", SPEC, steps=slice(0, 1)).video_id == "a"
    assert store.map("toy", "a", SPEC).features.shape == (4, 3)
    careful = Store(tmp_path, verify=True)
    for read in (careful.map, lambda *key: careful.read(*key, steps=slice(0, 1))):
        with pytest.raises(StoreError, match="does not match its checksum"):
            read("toy", "a", SPEC)


def test_a_careful_store_checks_a_record_once(tmp_path, monkeypatch):
    Store(tmp_path).write(make_record())
    careful, calls = Store(tmp_path, verify=True), []
    read = feature_store.read_group
    monkeypatch.setattr(
        feature_store, "read_group", lambda group, **options: calls.append(options) or read(group, **options)
    )
    for _ in range(3):
        careful.map("toy", "a", SPEC)
    assert calls == [{"steps": slice(None)}]


def test_a_record_in_the_place_of_another_is_not_read(tmp_path):
    store = Store(tmp_path)
    store.path("toy", "b", SPEC).parent.mkdir(parents=True)
    store.path("toy", "b", SPEC).write_bytes(store.write(make_record("a")).read_bytes())
    with pytest.raises(StoreError, match="does not belong in this place"):
        store.read("toy", "b", SPEC)


def test_a_first_write_that_was_killed_leaves_a_folder_that_can_be_used(tmp_path):
    part = tmp_path / f".0123456789abcdef-01234567@{files.machine()}@999999999.part"
    part.touch()
    store = Store(tmp_path)
    store.remove_leftovers()
    store.write(make_record())
    assert not part.exists()
    assert store.has("toy", "a", SPEC)


def test_the_marker_is_the_first_file_of_a_store(tmp_path, monkeypatch):
    def killed(path, content, **options):
        assert path.name == "store.json"
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_whole", killed)
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path / "s").write(make_record())
    assert list((tmp_path / "s").iterdir()) == []


def test_leftovers_of_dead_writers_go_and_those_of_living_ones_stay(tmp_path, monkeypatch):
    store = Store(tmp_path)
    records = store.write(make_record()).parent
    monkeypatch.setattr(files, "_is_running", lambda pid: pid == 1)
    dead, alive = (records / f".{'b' * 16}-{'0' * 8}@{files.machine()}@{pid}.part" for pid in (2, 1))
    elsewhere, long_ago = (records / f".{name * 16}-{'0' * 8}@other-host@2.part" for name in "ab")
    for part in (dead, alive, elsewhere, long_ago):
        part.touch()
    os.utime(long_ago, (0, 0))
    assert [(path, problem.kind) for path, problem in store.verify() if problem] == [
        (dead, "left over"),
        (long_ago, "left over"),
    ]
    store.remove_leftovers()
    assert sorted(records.glob(".*")) == sorted([alive, elsewhere])
    assert store.video_ids("toy", SPEC) == ["a"]


def test_a_leftover_that_cannot_be_deleted_stops_nobody(tmp_path, monkeypatch, caplog):
    store = Store(tmp_path)
    part = store.write(make_record()).parent / f".{'b' * 16}-{'0' * 8}@{files.machine()}@999999999.part"
    part.touch()

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(type(part), "unlink", refuse)
    store.remove_leftovers()
    assert "Read-only file system" in caplog.text


def test_the_longest_id_fits_beside_the_name_of_any_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "machine", lambda: "m" * 64)
    assert Store(tmp_path).write(make_record("x" * 200)).is_file()


def test_writers_of_one_record_do_not_share_a_temporary_file(tmp_path):
    with files.whole_file(tmp_path / "a") as one, files.whole_file(tmp_path / "a") as other:
        assert one != other
        one.touch()
        other.touch()


def test_a_record_checks_itself():
    with pytest.raises(StoreError, match="not finite"):
        Record("toy", "a", SPEC, np.full((1, 2), np.nan), np.array([[0.0, 1.0]]), Source(""))
    with pytest.raises(StoreError, match="2 intervals"):
        Record("toy", "a", SPEC, np.zeros((2, 2)), np.array([[0.0, 1.0]]), Source(""))
    with pytest.raises(StoreError, match="must have 1 rows"):
        Record(
            "toy",
            "a",
            SPEC,
            np.zeros((1, 2)),
            np.array([[0.0, 1.0]]),
            Source(""),
            extras={"boxes": np.zeros((2, 4))},
        )


def test_a_spec_is_its_facts_and_nothing_else():
    assert StreamSpec("s", {"a": 1, "b": 2}).hash == StreamSpec("s", {"b": 2, "a": 1}).hash
    assert StreamSpec("s", {"a": 1}).hash != StreamSpec("s", {"a": 2}).hash
    assert StreamSpec.from_json(SPEC.to_json()) == SPEC
    assert SPEC.random_weights
    assert not StreamSpec("s", {"weights": "sha256:00"}).random_weights
    assert StreamSpec("s", {"simulated": True}).simulated
    assert not StreamSpec("s", {"simulated": "no"}).simulated
    assert not SPEC.simulated
