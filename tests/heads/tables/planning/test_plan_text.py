"""`aqa reproduce --plan`: once per dataset what is missing, what it takes, and the command to begin with."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from heads.tables.planning.missing import find_lacks
from heads.tables.planning.plan import plan_table
from heads.tables.planning.plan_text import format_plan
from heads.tables.registry import find_table
from heads.tables.settings import Settings, TrainingChoice
from heads.training.pool.workload import SECONDS_PER_EPOCH

NUM_TRAIN, NUM_TEST, SECONDS = 8, 4, 20


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Twelve routines with the ball; no video."""
    root = tmp_path / "gymnastics"
    root.mkdir()
    scores = np.random.default_rng(0).uniform(5, 20, size=NUM_TRAIN + NUM_TEST).round(2)
    for side, numbers in (("train", range(NUM_TRAIN)), ("test", range(NUM_TRAIN, NUM_TRAIN + NUM_TEST))):
        lines = [f"Ball_{n:03d}\t5.0 {scores[n] - 5:.2f}\t{scores[n]:.2f} 0.0\t{SECONDS}.0" for n in numbers]
        (root / f"{side}.txt").write_text("\n".join(["a header line", *lines]) + "\n")
    return root


@pytest.fixture
def settings(labels: Path, tmp_path: Path) -> Settings:
    roots = {"rhythmic-gymnastics": labels, "mit-skating": tmp_path / "no"}
    return Settings(
        tmp_path / "store", tmp_path / "out", roots=roots, training=TrainingChoice(seeds=(0, 1)), device="cpu"
    )


TABLE = find_table("action-net-table1").part(rows=["i3d-lstm", "li"], columns=["mit-skating", "ball"])


def no_weights(streams):
    """Nothing is here: one file for each network."""
    names = {"i3d": "i3d-kinetics-hassony2", "resnet50": "resnet50-imagenet-v1"}
    return [names[backbone] for _, backbone in streams]


def text_of(settings: Settings, weights=no_weights, table=TABLE) -> str:
    plan = plan_table(table, settings)
    return format_plan(plan, find_lacks(plan, weights))


def test_every_dataset_is_reported_once_with_its_first_command(settings: Settings, tmp_path: Path) -> None:
    text = text_of(settings)
    assert "0 of 2 cells can be run now." in text
    skating, gymnastics = text.split("\n\n")[1:3]
    assert skating.startswith(
        f"mit-skating: 1 of 1 cell waits\n  dataset   {tmp_path / 'no'} is not a folder.\n"
    )
    assert "the 13 broadcasts on YouTube" in skating
    assert "training  unknown until its labels tell" in skating
    assert skating.endswith(f"first     aqa datasets check mit-skating --root {tmp_path / 'no'}")
    assert "12 of its videos are not in" in gymnastics
    assert "features  segments (i3d)" in gymnastics
    assert "weights   i3d-kinetics-hassony2: about 51 MB to fetch" in gymnastics
    assert gymnastics.endswith(
        f"first     aqa datasets check rhythmic-gymnastics --root {tmp_path / 'gymnastics'}"
    )


def test_then_weights_then_features_come_first(settings: Settings, labels: Path) -> None:
    (labels / "videos").mkdir()
    for number in range(NUM_TRAIN + NUM_TEST):
        (labels / "videos" / f"Ball_{number:03d}.mp4").touch()
    with_videos = text_of(settings).split("\n\n")[2]
    assert "dataset" not in with_videos
    assert with_videos.endswith("first     aqa weights fetch i3d-kinetics-hassony2")
    with_weights = text_of(settings, lambda streams: []).split("\n\n")[2]
    assert "  weights" not in with_weights
    assert f"first     aqa extract --dataset rhythmic-gymnastics --root {labels}" in with_weights


def test_time_and_disk_are_counted_from_labels_and_measured_epochs(settings: Settings) -> None:
    plan = plan_table(TABLE, settings)
    skating, gymnastics = find_lacks(plan, no_weights)
    assert (skating.cost.megabytes, skating.cost.core_seconds) == (None, None)
    epochs = 400  # ACTION-NET's of the ball
    expected = 2 * epochs * SECONDS_PER_EPOCH["lstm"] * NUM_TRAIN / 100
    assert gymnastics.cost.core_seconds == pytest.approx(expected)
    # 1024 numbers of 4 bytes for every 16 frames at 5 fps
    assert gymnastics.cost.megabytes == pytest.approx(12 * 1024 * 4 * (SECONDS * 5 // 16) / 1e6)
    tubes = find_table("tsa-table1")
    assert all(
        each.cost.core_seconds is None for each in find_lacks(plan_table(tubes, settings), lambda streams: [])
    )


def test_nothing_missing_is_said(settings: Settings) -> None:
    store = Store(settings.store)
    dataset = load_dataset("rhythmic-gymnastics", settings.roots["rhythmic-gymnastics"])
    spec = StreamSpec("segments", {"backbone": "i3d", "imported": "npy"})
    for video in dataset.videos:
        features = np.ones((3, 4), np.float32)
        pts = np.stack([np.arange(3.0), np.arange(1, 4.0)], axis=1)
        store.write(Record(dataset.name, video.video_id, spec, features, pts, Source("no file")))
    text = text_of(settings, table=TABLE.part(columns=["ball"]))
    assert "1 of 1 cell can be run now." in text
    assert "rhythmic-gymnastics: nothing is missing" in text
    assert "first" not in text


def aqa(settings: Settings, *words: str):
    roots = [f"--root={name}={root}" for name, root in settings.roots.items()]
    common = ["reproduce", "action-net-table1", "--store", str(settings.store), "--out", str(settings.out)]
    part = ["--columns", "mit-skating,ball", "--rows", "i3d-lstm,li"]
    return CliRunner().invoke(
        cli.main, [*common, *roots, *part, *words], env={"AQA_HOME": str(settings.store)}
    )


def test_the_command_prints_the_plan_alone_and_first_where_nothing_can_be_run(settings: Settings) -> None:
    alone = aqa(settings, "--plan")
    assert alone.exit_code == 0, alone.output
    assert not settings.out.exists()
    assert "i3d-kinetics-hassony2" in alone.stdout
    whole = aqa(settings)
    assert whole.exit_code == 3
    assert whole.stdout.startswith(alone.stdout)
    assert whole.stdout.count("rhythmic-gymnastics: 1 of 1 cell waits") == 1
    assert "Each cell: the paper's value and ours" in whole.stdout
