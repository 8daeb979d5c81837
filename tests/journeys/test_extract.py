"""Extraction through the command line: killed, resumed, with bad files and on a full disk."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.store import Store

AQA = [sys.executable, "-c", "import cli; cli.main()"]


# Stores three records as ever, and waits to be killed in the middle of the fourth.
STOPS_AT_THE_FOURTH = """
import os, sys
import cli
replace, done = os.replace, []
def stop(part, path):
    if str(path).endswith(".h5"):
        if len(done) == 3:
            sys.stdin.read()
        done.append(path)
    replace(part, path)
os.replace = stop
cli.main()
"""


SMALL_NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture
def write_folder(striped_video: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that makes a dataset `folder` of that many videos."""

    def write(root: Path, num_videos: int, *, num_frames: int = 60) -> Path:
        (root / "videos").mkdir(parents=True)
        rows = ["video,score"]
        for index in range(num_videos):
            striped_video(root / "videos" / f"v{index:02d}.mp4", num_frames=num_frames, seed=index)
            rows.append(f"v{index:02d}.mp4,{index}.5")
        (root / "scores.csv").write_text("\n".join(rows) + "\n")
        return root

    return write


def the_spec(store: Path, stream: str) -> StreamSpec:
    (spec,) = [row.spec for row in Store(store).contents() if row.spec.stream == stream]
    return spec


def same_files(one: Path, other: Path) -> None:
    names = [sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file()) for root in (one, other)]
    assert names[0] == names[1]
    for name in names[0]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def write_audio(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def test_a_killed_extraction_goes_on_where_it_stopped(tmp_path, until, write_folder):
    root = write_folder(tmp_path / "data", 12)
    command = ["extract", "--dataset", "folder", "--root", str(root), *SMALL_NETWORK]
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert run(*command, "--store", undisturbed).exit_code == 0

    process = subprocess.Popen(
        [sys.executable, "-c", STOPS_AT_THE_FOURTH, *command, "--store", str(killed)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(list(killed.rglob("[!.]*.h5"))) == 3, "three videos are never stored")
    process.kill()
    process.communicate()
    assert len(list(killed.rglob("[!.]*.h5"))) == 3

    result = run(*command, "--store", killed)
    assert result.exit_code == 0
    assert "were in the store already" in result.output
    same_files(undisturbed, killed)
    assert "12 of 12 records are sound" in run("store", "verify", killed).output


def test_bad_files_are_named_and_the_good_ones_are_stored(tmp_path, write_folder):
    root = write_folder(tmp_path / "data", 3)
    videos = root / "videos"
    whole = (videos / "v00.mp4").read_bytes()
    (videos / "empty.mp4").write_bytes(b"")
    (videos / "text.mp4").write_text("not a video\n")
    (videos / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    write_audio(videos / "audio.mp4")
    bad = ["empty", "text", "truncated", "audio", "missing"]
    with (root / "scores.csv").open("a") as file:
        file.writelines(f"{name}.mp4,1\n" for name in bad)
        file.write("nan.mp4,nan\n../../etc/passwd,3\n")
    result = run("extract", "--dataset", "folder", "--root", root, "--store", tmp_path / "s", *SMALL_NETWORK)
    assert result.exit_code == 3
    assert "5 videos failed, the others are stored" in result.output
    for name in bad:
        assert f"  {name}" in result.output
    assert result.output.count("label left out") == 2
    assert "Traceback" not in result.output
    spec = the_spec(tmp_path / "s", "frames")
    assert len(Store(tmp_path / "s").video_ids("data", spec)) == 3


def test_the_official_layout_of_mit_skating(tmp_path, striped_video):
    """A broadcast with two performances: each is cut out of it by the label's frames."""
    (tmp_path / "data" / "videos").mkdir(parents=True)
    broadcast = "Some_Champs-abcdefghijk"
    striped_video(tmp_path / "data" / "videos" / f"{broadcast}.mp4", num_frames=120, seed=1)
    lines = [f"1_{broadcast} 60.5 30.5 30 0 50", f"2_{broadcast} 70 35 35 60 120"]
    (tmp_path / "data" / "annotations.txt").write_text("\n".join(lines) + "\n")
    store = tmp_path / "s"
    result = run(
        "extract", "--dataset", "mit-skating", "--root", tmp_path / "data", "--store", store, *SMALL_NETWORK
    )
    assert result.exit_code == 0, result.output
    spec = the_spec(store, "frames")
    first, second = (Store(store).read("mit-skating", f"{k}_{broadcast}", spec) for k in (1, 2))
    assert (len(first.features), len(second.features)) == (5, 6)
    assert second.extras["frame_index"].ravel().tolist() == [5, 15, 25, 35, 45, 55]
    assert first.source.digest == second.source.digest


def test_the_official_layout_of_rhythmic_gymnastics(tmp_path, striped_video):
    root = tmp_path / "data"
    (root / "videos").mkdir(parents=True)
    header = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length\n"
    for part, numbers in (("train", (1, 2, 3, 4)), ("test", (5, 6))):
        rows = [f"Ball_00{n}\t{n}.10\t7.60\t{n + 7.7:.2f}\t0.00\t6\n" for n in numbers]
        (root / f"{part}.txt").write_text(header + "".join(rows))
        for n in numbers:
            striped_video(root / "videos" / f"Ball_00{n}.mp4", num_frames=40, seed=n)
    command = ["extract", "--dataset", "rhythmic-gymnastics", "--root", root, "--store", tmp_path / "s"]
    result = run(*command, *SMALL_NETWORK)
    assert result.exit_code == 0, result.output
    spec = the_spec(tmp_path / "s", "frames")
    assert len(Store(tmp_path / "s").video_ids("rhythmic-gymnastics", spec)) == 6
    check = run("datasets", "check", "rhythmic-gymnastics", "--root", root)
    assert "videos  6 of 6 can be read" in check.output
    assert check.exit_code == 0


def test_a_full_disk_is_one_message_and_the_run_can_go_on(tmp_path, write_folder):
    root = write_folder(tmp_path / "data", 4)
    command = ["extract", "--dataset", "folder", "--root", str(root), "--store", str(tmp_path / "s")]

    def no_large_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    answer = subprocess.run(
        [*AQA, *command, *SMALL_NETWORK], capture_output=True, text=True, preexec_fn=no_large_files
    )
    assert answer.returncode == 1
    assert "The store is undamaged" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not list((tmp_path / "s").rglob("*.part"))
    assert run(*command, *SMALL_NETWORK).exit_code == 0
    assert len(list((tmp_path / "s").rglob("*.h5"))) == 4


def test_the_real_detector_finds_the_athletes_of_the_real_clips(shared, yolo_export, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(shared / "clips", root / "videos")
    names = sorted(path.name for path in (root / "videos").iterdir())
    (root / "scores.csv").write_text("video,score\n" + "".join(f"{name},{len(name)}\n" for name in names))
    networks = ["--streams", "crops", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]
    result = run(
        *("extract", "--dataset", "folder", "--root", root, "--store", tmp_path / "s"),
        *(*networks, "--detector", yolo_export, "--contact-sheet", tmp_path / "sheets"),
        *("--athlete", "largest"),  # whom the detector finds, not whether it is the same person throughout
    )
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "sheets").glob("*.jpg"))) == 4
    store, spec = Store(tmp_path / "s"), the_spec(tmp_path / "s", "crops")
    for video_id in store.video_ids("data", spec):
        counts = store.read("data", video_id, spec).counts
        assert counts["num_steps"] >= 10
        assert counts["num_steps_without_person"] <= 0.1 * counts["num_steps"], video_id
