"""Import of circulating features: the authors' layouts come in, what is unsound is named, nothing runs."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, StoreError
from aqa_pipeline.importing.import_features import (
    FeatureFiles,
    Imported,
    dynamic_features,
    import_features,
    static_features,
)
from aqa_pipeline.importing.step_lengths import StepLengths, read_step_lengths
from aqa_pipeline.records import Dataset, Source
from aqa_pipeline.simulation import Simulation, simulate
from aqa_pipeline.store import Store

HEADER = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
NAME = "rhythmic-gymnastics"
NUM_VIDEOS = 12
IDS = [f"Ball_{number:03d}" for number in range(1, NUM_VIDEOS + 1)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [f"{video_id}\t5\t5\t{10 + index / 2}\t0.00\t92" for index, video_id in enumerate(IDS)]
    root = tmp_path / "rg"
    root.mkdir()
    (root / "train.txt").write_text("\n".join([HEADER, *rows[:8]]) + "\n")
    (root / "test.txt").write_text("\n".join([HEADER, *rows[8:]]) + "\n")
    return root


@pytest.fixture
def dataset(root: Path) -> Dataset:
    return load_dataset(NAME, root)


def features(seed: int, *, steps: tuple[int, int], dim: int, dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.abs(rng.standard_normal((rng.integers(*steps), dim))).astype(dtype)


def save_folder(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    folder.mkdir(exist_ok=True)
    for video_id, array in arrays.items():
        np.save(folder / f"{video_id}.npy", array)
    return folder


@pytest.fixture
def dynamic(tmp_path: Path) -> Path:
    """In the authors' layout: 27 to 30 segments of 1024 numbers."""
    arrays = {v: features(at, steps=(27, 31), dim=1024) for at, v in enumerate(IDS)}
    return save_folder(tmp_path / "dynamic_feat", arrays)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """In the authors' layout: 60 to 92 crops of 2048 numbers."""
    arrays = {v: features(at, steps=(60, 93), dim=2048) for at, v in enumerate(IDS)}
    return save_folder(tmp_path / "static_feat", arrays)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s")


def small(tmp_path: Path, arrays: dict[str, np.ndarray]) -> FeatureFiles:
    return FeatureFiles("vst", "folder", (save_folder(tmp_path / "small", arrays),))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_authors_layout_is_stored_as_it_is(dataset, store, dynamic, static):
    for source in (dynamic_features(dynamic), static_features(static)):
        report = import_features(dataset, store, source)
        assert report.complete
        assert (report.num_written, report.num_resumed) == (NUM_VIDEOS, 0)
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
    assert (again.spec, again.num_written, again.num_resumed) == (first.spec, 0, NUM_VIDEOS)
    np.save(dynamic / f"{IDS[0]}.npy", np.ones((28, 1024), np.float32))
    other = import_features(dataset, store, dynamic_features(dynamic))
    assert other.spec.differences(first.spec)[0].startswith("files_sha256")
    assert other.num_written == NUM_VIDEOS


def test_dicts_of_several_files_are_one_stream_in_whatever_order(dataset, tmp_path):
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


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_float_is_taken(dataset, store, tmp_path, dtype):
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
    dataset, store, tmp_path, array, message
):
    good = {v: np.ones((2, 3), np.float32) for v in IDS[:-1]}
    report = import_features(dataset, store, small(tmp_path, good | {IDS[-1]: array}))
    assert not report.complete
    assert report.num_written == NUM_VIDEOS - 1
    (failure,) = report.failures
    assert failure.what.endswith(f"{IDS[-1]}.npy")
    assert re.search(message, failure.reason)
    assert store.video_ids(NAME, report.spec) == IDS[:-1]


def test_damaged_and_hostile_files_are_named_and_nothing_runs(dataset, store, tmp_path):
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


def test_ids_of_no_video_and_videos_without_features_are_listed(dataset, store, tmp_path):
    arrays = {v: np.ones((2, 3)) for v in (*IDS[:-2], "Ball_999", "..evil")}
    report = import_features(dataset, store, small(tmp_path, arrays))
    assert report.unknown == ("..evil", "Ball_999")
    assert report.missing == tuple(IDS[-2:])
    assert not report.complete
    assert report.num_written == NUM_VIDEOS - 2


def test_nothing_sound_is_no_spec_and_no_store(dataset, store, tmp_path):
    report = import_features(dataset, store, small(tmp_path, {"Ball_001": np.ones(3)}))
    assert isinstance(report, Imported)
    assert report.spec is None
    assert not store.root.exists()


def test_a_dict_that_is_none_and_a_folder_without_files_are_told(dataset, store, tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 3)))
    with pytest.raises(DatasetError, match=r"a\.npy is one array \(2, 3\).*go into a folder"):
        import_features(dataset, store, FeatureFiles("vst", "files", (tmp_path / "a.npy",)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no \.npy or \.npz or \.csv file in .*empty"):
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


@pytest.mark.slow
def test_from_the_authors_files_to_a_score(root, tmp_path, dynamic, static):
    store, out = tmp_path / "s", tmp_path / "run"
    common = ["--dataset", NAME, "--root", root]
    result = run("store", "import", store, *common, "--npy-dynamic", dynamic, "--npy-static", static)
    assert result.exit_code == 0, result.output
    assert "segments: 12 videos imported" in result.output
    assert "crops: 12 videos imported" in result.output
    assert run("store", "ls", store).output.count("imported folder") == 2
    fit = ["fit", "--head", "action-net", *common, "--store", store, "--split", "ball", "--out", out]
    result = run(*fit, "--seeds", "0", "--epochs", "2", "--device", "cpu", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert "of rhythmic-gymnastics, target total" in result.output
    assert run("evaluate", out).exit_code == 0


def test_the_command_names_what_it_left_out_and_exits_with_3(root, tmp_path):
    folder = save_folder(
        tmp_path / "vst", {v: np.ones((70, 4)) for v in IDS[:-1]} | {"Ball_777": np.ones((1, 4))}
    )
    np.save(folder / f"{IDS[0]}.npy", np.ones(4))
    given = ["--features", folder, "--stream", "vst", "--backbone", "swin", "--step-seconds", "1.28"]
    result = run("store", "import", tmp_path / "s", "--dataset", NAME, "--root", root, *given)
    assert result.exit_code == 3
    assert "vst: 10 videos imported" in result.output
    assert "Ball_001.npy: it has the shape (4,)" in result.output
    assert "1 files that belong to no video of rhythmic-gymnastics, left out: Ball_777" in result.output
    assert "1 videos of rhythmic-gymnastics without features: Ball_012" in result.output
    (row,) = Store(tmp_path / "s").contents()
    assert (row.spec.facts["backbone"], row.spec.facts["step_seconds"]) == ("swin", 1.28)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to import"),
        (["--stream", "vst"], "--stream needs --features"),
        (["--features", "."], "--features needs --stream NAME"),
        (["--features", ".", "--features", "..", "--stream", "x"], "give one folder, or only files"),
        (["--features", ".", "--stream", "x", "--step-seconds", 1, "--steps", "."], "exclude each other"),
        (
            ["--features", ".", "--stream", "x", "--frames-per-step", 16],
            "--frames-per-step and --fps need each other",
        ),
    ],
)
def test_a_wrong_command_line_is_told(root, options, message):
    result = run("store", "import", "--dataset", NAME, "--root", root, *options)
    assert result.exit_code == 2
    assert message in result.output


def test_a_dataset_of_imported_features_is_complete_without_videos(root, tmp_path, dynamic):
    common = ["--dataset", NAME, "--root", root]
    (dynamic / f"{IDS[-1]}.npy").unlink()
    assert run("store", "import", tmp_path / "s", *common, "--npy-dynamic", dynamic).exit_code == 3
    check = ["datasets", "check", NAME, "--root", root]
    result = run(*check, "--store", tmp_path / "s")
    assert result.exit_code == 3
    assert "stored  imported segments (i3d) of 11 of 12 videos" in result.output
    assert "no video, but features (11)" in result.output
    assert f"missing (1)\n  {IDS[-1]}: " in result.output

    np.save(dynamic / f"{IDS[-1]}.npy", np.ones((28, 1024), np.float32))
    assert run("store", "import", tmp_path / "s2", *common, "--npy-dynamic", dynamic).exit_code == 0
    result = run(*check, "--store", tmp_path / "s2")
    assert result.exit_code == 0, result.output
    assert "missing" not in result.output
    result = run(*check, "--store", tmp_path / "other")
    assert result.exit_code == 3
    assert "missing (12)" in result.output


def import_into(store: Path, root: Path, *options: object) -> Result:
    known = ["--dataset", NAME, "--root", root, "--stream", "vst"]
    return run("store", "import", store, *known, *options)


def stored(store: Path) -> dict[str, np.ndarray]:
    (row,) = Store(store).contents()
    return {v: Store(store).read(NAME, v, row.spec).features for v in Store(store).video_ids(NAME, row.spec)}


def test_a_folder_may_hold_every_kind_of_file(root, tmp_path):
    folder = tmp_path / "vst"
    folder.mkdir()
    arrays = {v: features(at, steps=(2, 5), dim=3) for at, v in enumerate(IDS)}
    for at, (video_id, array) in enumerate(arrays.items()):
        if at % 3 == 0:
            np.save(folder / f"{video_id}.npy", array)
        elif at % 3 == 1:
            np.savez_compressed(folder / f"{video_id}.npz", array)
        else:
            np.savetxt(folder / f"{video_id}.csv", array, delimiter=",")
    result = import_into(tmp_path / "s", root, "--features", folder)
    assert result.exit_code == 0, result.output
    for video_id, array in stored(tmp_path / "s").items():
        np.testing.assert_array_equal(array, arrays[video_id])

    np.save(folder / f"{IDS[1]}.npy", arrays[IDS[1]])
    result = import_into(tmp_path / "s2", root, "--features", folder)
    assert result.exit_code == 1
    assert "keep one of them" in result.output


def test_a_file_may_hold_all_videos(root, tmp_path):
    arrays = {v: features(at, steps=(2, 5), dim=3) for at, v in enumerate(IDS)}
    np.savez(tmp_path / "a.npz", **arrays)
    lines = [f"{v},{','.join(map(str, row))}" for v, array in arrays.items() for row in array]
    (tmp_path / "a.csv").write_text("\n".join(["video,f0,f1,f2", *lines]) + "\n")
    for ending in ("npz", "csv"):
        result = import_into(tmp_path / ending, root, "--features", tmp_path / f"a.{ending}")
        assert result.exit_code == 0, result.output
        for video_id, array in stored(tmp_path / ending).items():
            np.testing.assert_array_equal(array, arrays[video_id])


@pytest.mark.parametrize(
    ("table", "options"),
    [
        ("video,step_seconds\nBall_001,0.5\nBall_002.mp4,2\n", []),
        ("video,frames_per_step,fps\nBall_001,16,32\nBall_002,50,25\n", []),
        ("Video;Frames_per_step\nBall_001;15\nBall_002;60\n", ["--fps", 30]),
    ],
)
def test_rows_may_last_differently_per_video(root, tmp_path, table, options):
    folder = save_folder(tmp_path / "vst", {v: np.ones((2, 3)) for v in IDS[:3]})
    (tmp_path / "steps.csv").write_text(table)
    steps = ["--steps", tmp_path / "steps.csv", *options]
    result = import_into(tmp_path / "s", root, "--features", folder, *steps)
    assert result.exit_code == 3
    assert (
        "Ball_003.npy: the table of step lengths does not name Ball_003: add a line for it" in result.output
    )
    store = Store(tmp_path / "s")
    (row,) = store.contents()
    assert row.spec.facts["step_seconds"] == "per video"
    assert store.read(NAME, "Ball_001", row.spec).pts_seconds.tolist() == [[0, 0.5], [0.5, 1]]
    assert store.read(NAME, "Ball_002", row.spec).pts_seconds.tolist() == [[0, 2], [2, 4]]

    (tmp_path / "steps.csv").write_text(
        table.replace("Ball_001", "Ball_002x").replace("Ball_002", "Ball_001")
    )
    assert import_into(tmp_path / "s", root, "--features", folder, *steps).exit_code == 3
    assert len(store.contents()) == 2, "other lengths are another stream"


def test_frames_per_step_are_seconds_with_a_rate(root, tmp_path):
    folder = save_folder(tmp_path / "vst", {v: np.ones((2, 3)) for v in IDS})
    options = ["--features", folder, "--frames-per-step", 16, "--fps", 25]
    assert import_into(tmp_path / "s", root, *options).exit_code == 0
    (row,) = Store(tmp_path / "s").contents()
    assert row.spec.facts["step_seconds"] == 0.64


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("video,seconds\na,1\n", "has the columns video, seconds: expected video and step_seconds"),
        ("video,step_seconds\na,0\n", "line 2: step_seconds '0' is not above 0"),
        ("video,frames_per_step\na,16\n", "line 2: frames_per_step needs fps"),
        ("video,step_seconds\na,1\na,2\n", "line 3: 'a' is named twice"),
    ],
)
def test_a_table_of_step_lengths_is_told_by_its_line(tmp_path, table, message):
    (tmp_path / "steps.csv").write_text(table)
    with pytest.raises(DatasetError, match=message):
        read_step_lengths(tmp_path / "steps.csv")
