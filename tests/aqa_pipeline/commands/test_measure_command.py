"""`aqa measure`: facts of a stored video with hostile names too, and errors that say what to do."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from aqa_pipeline.poses import COCO_17
from aqa_pipeline.records import Event, Record, StreamSpec, Video
from aqa_pipeline.store import NEW_VIDEOS, Origin, Store, write_origin
from aqa_pipeline.video import source_of
from noise_video import write_noise_video
from walkers import walking_joints

Aqa = Callable[..., Result]
HOSTILE = "=HYPERLINK(1)"
STEPS = 20  # 5 a second, one for each frame of the video


def store_poses(
    path: Path, video_id: str, *, rate_fps: float = 5.0, repeats: int = 1, dataset: str = "mine"
) -> None:
    """Store poses whose left knee has 90 degrees and whose right knee has 120 in every frame."""
    joints = walking_joints(STEPS, left_knee=np.full(STEPS, 90.0)).repeat(repeats, axis=0)
    starts = np.arange(STEPS * repeats) / rate_fps
    facts = {"backbone": "toy", "rate_fps": rate_fps, "joints": COCO_17.name}
    record = Record(
        dataset=dataset,
        video_id=video_id,
        spec=StreamSpec("poses", facts),
        features=np.zeros((len(joints), 2), np.float32),
        pts_seconds=np.stack([starts, starts + 1 / rate_fps], axis=1),
        source=source_of(Video(video_id, path)),
        extras={
            "joints": joints.astype(np.float32),
            "frame_index": np.arange(STEPS).repeat(repeats)[:, None],
        },
        events=(Event(10, "jumped"),),
    )
    Store(Path("features" if dataset == "mine" else "scored-features")).write(record)


@pytest.fixture
def mine(own_folder: Callable[..., Path]) -> Path:
    """Return a folder with two videos; the store has poses of the first one, whose name is a formula."""
    root = own_folder(f'video,score\n"{HOSTILE}.mp4",1\nplain.mp4,2\n')
    for seed, name in enumerate((HOSTILE, "plain")):
        write_noise_video(root / f"{name}.mp4", seed=seed, num_frames=STEPS)
    store_poses(root / f"{HOSTILE}.mp4", HOSTILE)
    write_origin(Path("features"), Origin("folder", "mine", root))
    return root


def test_all_facts_of_one_video(aqa: Aqa, mine: Path) -> None:
    words = ("--take-off", "1.5", "--landing", "0:02.1", "--at", "1.0", "--span", "0-3", "--csv", "facts.csv")
    result = aqa("measure", mine / f"{HOSTILE}.mp4", *words)
    rows = {row["fact"]: row for row in csv.DictReader(Path("facts.csv").read_text().splitlines())}
    assert {row["video"] for row in rows.values()} == {f"'{HOSTILE}"}, "a spreadsheet runs no name"
    flight = rows["time in the air"]
    assert (float(flight["value"]), float(flight["uncertainty"]), flight["unit"]) == (0.6, 0.2, "s")
    assert float(rows["height from the time in the air"]["value"]) == pytest.approx(
        9.80665 * 0.36 / 8, abs=1e-6
    )
    assert float(rows["left knee at 1.00 s"]["value"]) == pytest.approx(90, abs=1e-3)
    assert float(rows["knee, left minus right"]["value"]) == pytest.approx(-30, abs=1e-3)
    assert rows["knee, left minus right"]["rests_on"] == "15 poses of 15 show both sides"
    assert f"{HOSTILE}: 4.00 s, 20 frames, 5 a second\nPoses: toy, 5 a second" in result.output
    assert "one that pans or zooms has no fixed place" in result.output
    assert "another person from 2.0 s" in result.output


def test_an_id_and_a_file_are_the_same_video(aqa: Aqa, mine: Path) -> None:
    by_id = aqa("measure", "--dataset", "folder", HOSTILE).stdout
    assert by_id == aqa("measure", mine / f"{HOSTILE}.mp4").stdout
    assert "20 poses of 20 show both sides" in by_id


def test_a_repeated_frame_counts_once(aqa: Aqa, mine: Path) -> None:
    store_poses(mine / f"{HOSTILE}.mp4", HOSTILE, rate_fps=10.0, repeats=2)
    output = aqa("measure", HOSTILE, "--span", "0-4", "--at", "0.9").output
    assert "Poses: toy, 10 a second" in output, "of two kinds, the finer one"
    assert "20 poses of 20 show both sides" in output
    assert "left knee at 0.80 s" in output


def test_the_time_in_the_air_needs_no_dataset(aqa: Aqa, mine: Path) -> None:
    Path("alone").mkdir()
    write_noise_video(Path("alone", "jump.mp4"), seed=7)
    output = aqa("measure", "alone/jump.mp4", "--take-off", "1", "--landing", "2", "--store", "none").output
    assert "1.000" in output
    assert "Poses" not in output


def test_missing_poses_name_the_command_that_stores_them(aqa: Aqa, mine: Path) -> None:
    output = aqa("measure", "plain", code=1).output
    assert "there are no poses of 'plain' in features: run `aqa extract --dataset folder --root" in output
    assert "--streams poses --pose-rate 25 --detector blazepose --store features --videos=plain`" in output
    write_noise_video(mine / "new.mp4", seed=9)
    output = aqa("measure", mine / "new.mp4", code=1).output
    assert "is not in the table of mine" in output
    assert "unknown video of mine 'plian'. Did you mean 'plain'" in aqa("measure", "plian", code=1).output


def test_poses_of_a_scored_video_are_found_by_its_content(aqa: Aqa, mine: Path) -> None:
    for seed, name in enumerate(("new", "other"), start=20):
        write_noise_video(Path(f"{name}.mp4"), seed=seed, num_frames=STEPS)
    store_poses(Path("new.mp4"), "0123abcd", dataset=NEW_VIDEOS)
    Path("new.mp4").rename("renamed.mp4")
    output = aqa("measure", "renamed.mp4", "--store", "scored-features", "--at", "1").output
    assert "renamed: 4.00 s" in output
    assert "left knee at 1.00 s" in output
    refused = aqa("measure", "other.mp4", "--store", "scored-features", code=1).output
    assert "scored-features has no poses of 'other.mp4': score it first, by a run on poses" in refused


def test_poses_of_another_file_are_refused(aqa: Aqa, mine: Path) -> None:
    write_noise_video(mine / f"{HOSTILE}.mp4", seed=3, num_frames=30)
    output = aqa("measure", HOSTILE, code=1).output
    assert "were made of something else (another file): run `aqa extract" in output


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--take-off", "1"), 2, "--take-off and --landing go together"),
        (("--at", "soon"), 2, "expected seconds such as 6.4, or 1:06.4; got 'soon'"),
        (("--span", "3-1"), 2, "--span 3-1: the end is not after the start"),
        (("--at", "77"), 1, "no pose at 77 s"),
    ],
)
def test_wrong_words_are_explained(
    aqa: Aqa, mine: Path, words: tuple[str, ...], code: int, reason: str
) -> None:
    assert reason in aqa("measure", HOSTILE, *words, code=code).output
