"""`aqa store import`: from files to a store, with what was left out, and every kind of file."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.step_lengths import read_step_lengths
from aqa_pipeline.store import Store

NAME = "rhythmic-gymnastics"
IDS = [f"Ball_{number:03d}" for number in range(1, 13)]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


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


def test_the_command_names_what_it_left_out_and_exits_with_3(root, tmp_path, save_folder):
    folder = save_folder(
        tmp_path / "vst", {v: np.ones((70, 4)) for v in IDS[:-1]} | {"Ball_777": np.ones((1, 4))}
    )
    np.save(folder / f"{IDS[0]}.npy", np.ones(4))
    given = ["--features", folder, "--stream", "vst", "--backbone", "swin", "--step-seconds", "1.28"]
    result = run("store", "import", tmp_path / "s", "--dataset", NAME, "--root", root, *given)
    assert result.exit_code == 3
    assert "vst: 10 videos imported" in result.output
    assert "Ball_001.npy: it has the shape (4,)" in result.output
    assert "1 file that belongs to no video of rhythmic-gymnastics, left out: Ball_777" in result.output
    assert "1 video of rhythmic-gymnastics without features: Ball_012" in result.output
    (row,) = Store(tmp_path / "s").contents()
    assert (row.spec.facts["backbone"], row.spec.facts["step_seconds"]) == ("swin", 1.28)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to import"),
        (["--stream", "vst"], "--stream needs --features"),
        (["--features", "."], "--features needs --stream NAME"),
        (["--features", ".", "--features", __file__, "--stream", "x"], "give only folders, or only files"),
        (["--features", ".", "--stream", "x", "--step-seconds", 1, "--steps", "."], "exclude each other"),
        (
            ["--features", ".", "--stream", "x", "--frames-per-step", 16],
            "--frames-per-step and --fps need each other",
        ),
    ],
)
def test_a_wrong_command_line_is_reported(root, options, message):
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


def test_a_folder_may_hold_every_kind_of_file(root, tmp_path, features):
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


def test_a_file_may_hold_all_videos(root, tmp_path, features):
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
def test_rows_may_last_differently_per_video(root, tmp_path, table, options, save_folder):
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


def test_frames_per_step_are_seconds_with_a_rate(root, tmp_path, save_folder):
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
def test_a_table_of_step_lengths_is_reported_by_its_line(tmp_path, table, message):
    (tmp_path / "steps.csv").write_text(table)
    with pytest.raises(DatasetError, match=message):
        read_step_lengths(tmp_path / "steps.csv")
