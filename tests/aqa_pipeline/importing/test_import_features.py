"""Import of circulating features: the authors' layouts come in, what is unsound is named, nothing runs."""

import hashlib
import os
import re

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError, StoreError
from aqa_pipeline.importing.feature_sources import FeatureFiles, dynamic_features, static_features
from aqa_pipeline.importing.import_features import Imported, import_features
from aqa_pipeline.importing.step_lengths import StepLengths
from aqa_pipeline.records import Source
from aqa_pipeline.simulation import Simulation, simulate
from aqa_pipeline.store import Store

NAME = "rhythmic-gymnastics"
IDS = [f"Ball_{number:03d}" for number in range(1, 13)]


def test_the_authors_layout_is_stored_as_it_is(dataset, store, dynamic, static):
    for source in (dynamic_features(dynamic), static_features(static)):
        report = import_features(dataset, store, source)
        assert report.complete
        assert (report.num_written, report.num_resumed) == (len(IDS), 0)
        for video_id in IDS:
            path = source.paths[0] / f"{video_id}.npy"
            record = store.read(NAME, video_id, report.spec)
            np.testing.assert_array_equal(record.features, np.load(path))
            assert record.source == Source(hashlib.sha256(path.read_bytes()).hexdigest())
            np.testing.assert_allclose(
                record.pts_seconds[:, 0], np.arange(len(record.features)) * source.steps.seconds
            )
    assert not [problem for _, problem in store.verify() if problem]


def test_the_spec_says_imported_and_from_which_files(dataset, store, dynamic):
    spec = import_features(dataset, store, dynamic_features(dynamic)).spec
    lines = [f"{v} {hashlib.sha256((dynamic / f'{v}.npy').read_bytes()).hexdigest()}" for v in IDS]
    assert spec.stream == "segments"
    assert dict(spec.facts) == {
        "imported": "folder",
        "backbone": "i3d",
        "dim": 1024,
        "step_seconds": 3.2,
        "times": "nominal",
        "dtype": "float32",
        "files_sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
    assert not spec.simulated


def test_other_files_are_another_stream_and_the_same_ones_are_not_written_again(dataset, store, dynamic):
    first = import_features(dataset, store, dynamic_features(dynamic))
    again = import_features(dataset, store, dynamic_features(dynamic))
    assert (again.spec, again.num_written, again.num_resumed) == (first.spec, 0, len(IDS))
    np.save(dynamic / f"{IDS[0]}.npy", np.ones((28, 1024), np.float32))
    other = import_features(dataset, store, dynamic_features(dynamic))
    assert other.spec.differences(first.spec)[0].startswith("files_sha256")
    assert other.num_written == len(IDS)


def test_dicts_of_several_files_are_one_stream_in_whatever_order(dataset, tmp_path, features):
    arrays = {v: features(at, steps=(67, 78), dim=8, dtype=np.float64) for at, v in enumerate(IDS)}
    paths = (tmp_path / "a.npy", tmp_path / "b.npy")
    np.save(paths[0], dict(list(arrays.items())[:5]))
    np.save(paths[1], dict(list(arrays.items())[5:]))
    stores = Store(tmp_path / "s"), Store(tmp_path / "t")
    reports = [
        import_features(dataset, store, FeatureFiles("vst", "files", order, steps=StepLengths(1.28)))
        for store, order in zip(stores, (paths, paths[::-1]), strict=True)
    ]
    assert reports[0] == reports[1]
    assert reports[0].complete
    record = stores[0].read(NAME, IDS[7], reports[0].spec)
    np.testing.assert_array_equal(record.features, arrays[IDS[7]].astype(np.float32))
    assert record.pts_seconds[1].tolist() == [1.28, 2.56]


def test_folders_of_text_files_are_one_stream_such_as_the_kinematics_of_jigsaws(dataset, store, tmp_path):
    folders = (tmp_path / "first", tmp_path / "second")
    arrays = {video_id: np.random.default_rng(at).normal(size=(5, 76)) for at, video_id in enumerate(IDS)}
    for at, (video_id, array) in enumerate(arrays.items()):
        folders[at % 2].mkdir(exist_ok=True)
        lines = ["     ".join(f"{number:.7e}" for number in row) for row in array]
        (folders[at % 2] / f"{video_id}.txt").write_text("\n".join([*lines, ""]))
    source = FeatureFiles("kinematics", "folder", folders, steps=StepLengths(1 / 30))
    report = import_features(dataset, store, source)
    assert report.complete
    for video_id, array in arrays.items():
        record = store.read(NAME, video_id, report.spec)
        np.testing.assert_allclose(record.features, array, rtol=1e-6)
        assert record.duration_seconds == pytest.approx(5 / 30)


def test_an_id_in_two_folders_and_a_note_beside_arrays(dataset, store, tmp_path, small):
    source = small(tmp_path, {"Ball_001": np.ones((2, 3))})
    (source.paths[0] / "README.txt").write_text("downloaded in March")
    assert import_features(dataset, store, source).unknown == ()
    twice = FeatureFiles("vst", "folder", (source.paths[0], source.paths[0]))
    with pytest.raises(DatasetError, match=r"Ball_001\.npy is in .*Ball_001\.npy too: keep one of them"):
        import_features(dataset, store, twice)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_float_is_taken(dataset, store, tmp_path, dtype, features, small):
    array = features(0, steps=(4, 5), dim=3, dtype=dtype)
    report = import_features(dataset, store, small(tmp_path, {"Ball_001": np.asfortranarray(array)}))
    read = store.read(NAME, "Ball_001", report.spec).features
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array.astype(np.float32))


def with_nan(row: int) -> np.ndarray:
    array = np.ones((5, 3))
    array[row, 1] = np.nan
    return array


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones(3), r"it has the shape \(3,\): expected \(time, dim\)"),
        (np.ones((2, 1, 3)), r"it has the shape \(2, 1, 3\): expected \(time, dim\)"),
        (np.ones((0, 3)), r"it is empty, \(0, 3\)"),
        (np.ones((3, 0)), r"it is empty, \(3, 0\)"),
        (with_nan(4), "it holds 1 values that are not finite, the first in row 4"),
        (np.full((2, 3), 1e300), "6 values that are not finite, the first in row 0"),
        (np.ones((2, 3), np.int64), "it holds int64: expected float16, float32, float64"),
        (np.ones((2, 4)), "its rows have 4 numbers: expected 3"),
        (np.array([[None, "a"]], dtype=object), "is an array of Python objects"),
        (
            np.array({"Ball_001": np.ones((2, 3))}, dtype=object),
            r"holds 1 arrays \(Ball_001\), expected those of one video",
        ),
    ],
)
def test_an_unsound_file_is_named_with_its_reason_and_the_others_are_imported(
    dataset, store, tmp_path, small, array, message
):
    good = {v: np.ones((2, 3), np.float32) for v in IDS[:-1]}
    report = import_features(dataset, store, small(tmp_path, good | {IDS[-1]: array}))
    assert not report.complete
    assert report.num_written == len(IDS) - 1
    (failure,) = report.failures
    assert failure.what.endswith(f"{IDS[-1]}.npy")
    assert re.search(message, failure.reason)
    assert store.video_ids(NAME, report.spec) == IDS[:-1]


def test_damaged_and_hostile_files_are_named_and_nothing_runs(dataset, store, tmp_path, small):
    proof = tmp_path / "it-ran"

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {proof}",)

    source = small(tmp_path, {"Ball_001": np.ones((2, 3)), "Ball_002": np.array(Attack(), dtype=object)})
    (source.paths[0] / "Ball_003.npy").write_bytes(b"\x93NUMPY")
    (source.paths[0] / "Ball_004.npy").mkdir()
    report = import_features(dataset, store, source)
    assert report.num_written == 1
    reasons = [failure.reason for failure in report.failures]
    assert "without running code" in reasons[0]
    assert "cannot be read as a .npy file" in reasons[1]
    assert "it is a folder" in reasons[2]
    assert not proof.exists()


def test_ids_of_no_video_and_videos_without_features_are_listed(dataset, store, tmp_path, small):
    arrays = {v: np.ones((2, 3)) for v in (*IDS[:-2], "Ball_999", "evil..")}
    report = import_features(dataset, store, small(tmp_path, arrays))
    assert report.unknown == ("Ball_999", "evil..")
    assert report.missing == tuple(IDS[-2:])
    assert not report.complete
    assert report.num_written == len(IDS) - 2


def test_nothing_sound_is_no_spec_and_no_store(dataset, store, tmp_path, small):
    report = import_features(dataset, store, small(tmp_path, {"Ball_001": np.ones(3)}))
    assert isinstance(report, Imported)
    assert report.spec is None
    assert not store.root.exists()


def test_a_dict_that_is_none_and_a_folder_without_files_are_reported(dataset, store, tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3)))
    with pytest.raises(DatasetError, match=r"a\.npy is one array \(2, 3\).*go into a folder"):
        import_features(dataset, store, FeatureFiles("vst", "files", (tmp_path / "a.npy",)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no \.npy or \.npz or \.csv or \.txt file in .*empty"):
        import_features(dataset, store, FeatureFiles("vst", "folder", (tmp_path / "empty",)))


def test_an_id_in_two_dicts_is_an_error(dataset, store, tmp_path):
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", {"Ball_001": np.ones((2, 3))})
    with pytest.raises(DatasetError, match=r"b\.npy\['Ball_001'\] is in .*a\.npy\['Ball_001'\] too"):
        import_features(
            dataset, store, FeatureFiles("vst", "files", (tmp_path / "a.npy", tmp_path / "b.npy"))
        )


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "-a"])
def test_a_stream_name_cannot_leave_its_folder(tmp_path, name):
    with pytest.raises(DatasetError, match="is no name for a stream"):
        FeatureFiles(name, "folder", (tmp_path,))


def test_a_row_takes_time(tmp_path):
    with pytest.raises(DatasetError, match=r"a row of 0.0 seconds"):
        FeatureFiles("vst", "folder", (tmp_path,), steps=StepLengths(0.0))


def test_imported_features_do_not_go_beside_simulated_ones(dataset, store, dynamic):
    simulate(dataset, store, Simulation(), streams=["segments"])
    with pytest.raises(StoreError, match=r"holds simulated features of rhythmic-gymnastics.*another store"):
        import_features(dataset, store, dynamic_features(dynamic))
