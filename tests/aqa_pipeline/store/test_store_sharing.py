"""A packed store is read in the place of a folder, and gives back the same files."""

import random
import resource
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

import cli
from aqa_pipeline.errors import SpecMismatch, StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store, export, pack, repair, unpack

SPEC = StreamSpec("segments", {"rate_fps": 5.0, "weights": "random:0"})
CROPS = StreamSpec("crops", {"weights": "random:0"})
VIDEO_IDS = ("a", "../b", "ü c")


def make_record(video_id: str, *, spec: StreamSpec = SPEC, steps: int = 5) -> Record:
    start = np.arange(steps, dtype=float)
    rng = np.random.default_rng(len(video_id))
    return Record(
        dataset="toy",
        video_id=video_id,
        spec=spec,
        features=rng.standard_normal((steps, 3)).astype(np.float32),
        pts_seconds=np.stack([start, start + 1], axis=1),
        source=Source("0" * 64),
        extras={"boxes": np.ones((steps, 4), np.float32)},
        counts={"num_steps": steps},
    )


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    for video_id in VIDEO_IDS:
        store.write(make_record(video_id))
    store.write(make_record("a", spec=CROPS, steps=0))
    return store


@pytest.fixture
def packed(store, tmp_path):
    assert pack(store, tmp_path / "packed.h5") == 4
    return Store(tmp_path / "packed.h5")


def files(root: Path) -> dict[Path, bytes]:
    return {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_pack_is_read_as_the_folder(store, packed):
    assert packed.video_ids("toy", SPEC) == store.video_ids("toy", SPEC) == sorted(VIDEO_IDS)
    assert packed.specs("toy", "segments") == [SPEC]
    assert packed.specs("other", "segments") == []
    assert [(r.dataset, r.spec, r.num_records) for r in packed.contents()] == [
        (r.dataset, r.spec, r.num_records) for r in store.contents()
    ]
    for video_id in VIDEO_IDS:
        one, other = store.read("toy", video_id, SPEC), packed.read("toy", video_id, SPEC)
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.extras["boxes"], other.extras["boxes"])
        assert (one.video_id, one.counts, one.spec) == (other.video_id, other.counts, other.spec)
        mapped = packed.map("toy", video_id, SPEC)
        assert isinstance(mapped.features, np.memmap)
        np.testing.assert_array_equal(mapped.features, one.features)
        assert mapped.checksum == store.map("toy", video_id, SPEC).checksum
    assert packed.map("toy", "a", CROPS).features.shape == (0, 3)
    np.testing.assert_array_equal(
        packed.read("toy", "a", SPEC, steps=slice(1, 3)).features, make_record("a").features[1:3]
    )


def test_a_pack_says_what_it_lacks(packed):
    assert not packed.has("toy", "z", SPEC)
    with pytest.raises(StoreError, match="has no segments of toy video 'z'"):
        packed.read("toy", "z", SPEC)
    with pytest.raises(SpecMismatch, match=r"rate_fps: 6.0 != 5.0"):
        packed.read("toy", "a", StreamSpec("segments", {**SPEC.facts, "rate_fps": 6.0}))


def test_unpacked_files_are_the_same_to_the_byte(store, packed, tmp_path):
    done = unpack(packed, Store(tmp_path / "again"))
    assert (done.num_written, done.num_already_there, done.broken) == (4, 0, ())
    assert files(tmp_path / "again") == files(tmp_path / "store")
    assert unpack(packed, Store(tmp_path / "again")).num_already_there == 4


def test_versions_of_the_writer_stay_with_the_record(store, tmp_path, monkeypatch):
    pack(store, tmp_path / "p.h5")
    monkeypatch.setattr("aqa_pipeline.store.feature_store.library_versions", lambda: '{"torch": "99"}')
    unpack(Store(tmp_path / "p.h5"), Store(tmp_path / "again"))
    assert files(tmp_path / "again") == files(tmp_path / "store")


def test_equal_stores_are_equal_packs(store, packed, tmp_path):
    pack(store, tmp_path / "other.h5")
    pack(packed, tmp_path / "third.h5")
    assert (
        packed.root.read_bytes()
        == (tmp_path / "other.h5").read_bytes()
        == (tmp_path / "third.h5").read_bytes()
    )


def test_a_part_of_a_store_can_be_packed(store, tmp_path):
    assert pack(store, tmp_path / "crops.h5", streams=["crops"]) == 1
    assert [row.spec for row in Store(tmp_path / "crops.h5").contents()] == [CROPS]
    with pytest.raises(StoreError, match="no features of that kind"):
        pack(store, tmp_path / "none.h5", datasets=["other"])


def test_a_pack_is_only_read(packed):
    with pytest.raises(StoreError, match="aqa store unpack"):
        packed.write(make_record("new"))
    with pytest.raises(StoreError, match="aqa store unpack"):
        repair(packed)


def test_a_damaged_pack_gives_its_sound_records(packed, tmp_path):
    content = bytearray(packed.root.read_bytes())
    content[content.index(make_record("ü c").features.tobytes()) + 3] ^= 4
    packed.root.write_bytes(content)
    found = [(path.name, problem.kind) for path, problem in packed.verify() if problem]
    assert found == [("%C3%BC c", "damaged")]
    done = unpack(packed, Store(tmp_path / "again"))
    assert done.num_written == 3
    assert "does not match its checksum" in done.broken[0].reason


def test_bits_around_the_records_of_a_pack_are_found(packed):
    content, rng = packed.root.read_bytes(), random.Random(0)
    around = []
    for _ in range(60):
        at = rng.randrange(len(content))
        packed.root.write_bytes(content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :])
        try:
            found = [problem.reason for _, problem in Store(packed.root).verify() if problem]
        except StoreError:  # HDF5's own checksums tell
            continue
        assert found, at
        around += [reason for reason in found if "each record by itself is sound" in reason]
    assert around


def test_a_pack_that_another_program_changed_is_found(packed):
    with h5py.File(packed.root, "a") as file:
        file["toy"].attrs["more"] = 1
    assert ["its seal is gone" in problem.reason for _, problem in packed.verify() if problem] == [True]


def test_a_full_disk_leaves_no_half_pack(store, tmp_path, request):
    whole = tmp_path / "whole.h5"
    pack(store, whole)
    before = sorted(tmp_path.rglob("*"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    for size in (10, 3000, whole.stat().st_size // 2, whole.stat().st_size - 10):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        with pytest.raises(StoreError, match=r"File too large\. Nothing was left behind"):
            pack(store, tmp_path / "full.h5")
        assert sorted(tmp_path.rglob("*")) == before


def test_a_broken_record_is_not_packed(store, tmp_path):
    store.path("toy", "a", SPEC).write_bytes(b"")
    with pytest.raises(StoreError, match=r"a\.h5 is not a sound record"):
        pack(store, tmp_path / "p.h5")
    assert not list(tmp_path.glob("*.h5")) + list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", ["there.h5", "packed"])
def test_pack_wants_a_new_file_of_its_ending(store, tmp_path, name):
    (tmp_path / "there.h5").touch()
    with pytest.raises(StoreError, match=r"there already|is named \*\.h5"):
        pack(store, tmp_path / name)


def test_a_single_record_and_a_missing_file_are_no_packs(store, tmp_path):
    with pytest.raises(StoreError, match="no packed store"):
        Store(store.path("toy", "a", SPEC))
    with pytest.raises(StoreError, match="there is no packed store"):
        Store(tmp_path / "missing.h5")


def test_simulated_features_are_not_unpacked_beside_real_ones(store, packed, tmp_path):
    simulated = Store(tmp_path / "simulated")
    simulated.write(make_record("a", spec=StreamSpec("segments", {"simulated": True, "signal": "mean"})))
    with pytest.raises(StoreError, match="simulated features do not go beside real ones"):
        unpack(packed, simulated)


def test_export_writes_arrays_that_other_programs_read(store, tmp_path):
    assert export(store, tmp_path / "npy", layout="npy", streams=["segments"]) == 3
    array = np.load(tmp_path / "npy" / "toy" / f"segments-{SPEC.hash}" / "a.npy", allow_pickle=False)
    np.testing.assert_array_equal(array, make_record("a").features)
    assert export(store, tmp_path / "st", layout="safetensors") == 4
    arrays = load_file(tmp_path / "st" / "toy" / f"segments-{SPEC.hash}" / "a.safetensors")
    np.testing.assert_array_equal(arrays["features"], make_record("a").features)
    assert set(arrays) == {"features", "pts_seconds", "extras/boxes"}


def test_the_commands_walk_from_store_to_pack_and_back(store, tmp_path):
    def aqa(*arguments, code=0):
        result = CliRunner().invoke(cli.main, ["store", *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result.output

    packed, again = tmp_path / "p.h5", tmp_path / "again"
    assert "4 records in" in aqa("pack", store.root, "--out", packed)
    assert "segments" in aqa("ls", packed)
    assert "4 of 4 records are sound" in aqa("verify", packed)
    assert "4 records copied into" in aqa("unpack", packed, again)
    assert "4 files in" in aqa("export", packed, "--out", tmp_path / "arrays")
    broken = Store(again).path("toy", "a", SPEC)
    broken.write_bytes(b"")
    assert f"damaged: {broken}" in aqa("verify", again, code=3)
    assert f"damaged: {broken}" in aqa("repair", again)
    assert "3 of 3 records are sound" in aqa("verify", again)
    shutil.rmtree(again)
    assert "packed store" in aqa("repair", packed, code=1)
