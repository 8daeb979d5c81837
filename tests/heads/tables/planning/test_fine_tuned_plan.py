"""What fine-tuned rows need: frames, weights to start from, time and disk."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from aqa_pipeline.weights import get_weights_file, weights_folder
from heads.tables.fine_tuned import FRAMES, with_fine_tuned
from heads.tables.planning.extraction_passes import extraction_passes
from heads.tables.planning.missing import find_lacks
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.planning.plan_text import format_plan
from heads.tables.registry import find_table
from heads.tables.settings import Settings, TrainingChoice
from heads.tables.table import StoredFrames

NUM_DIVES, NUM_TRAIN = 12, 8


@pytest.fixture
def dives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve dives of one broadcast in the release's pickles, eight to learn from; no weights are here."""
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    root = tmp_path / "mtl-aqa"
    (root / "videos").mkdir(parents=True)
    (root / "videos" / "01.mp4").touch()
    scores = np.random.default_rng(0).uniform(20, 100, NUM_DIVES).round(2).tolist()
    keys = [(1, dive) for dive in range(1, NUM_DIVES + 1)]
    labels = {
        key: {"start_frame": 200 * n, "end_frame": 200 * n + 110, "final_score": score, "difficulty": 3.0}
        for n, (key, score) in enumerate(zip(keys, scores, strict=True), start=1)
    }
    contents = {"final_annotations_dict": labels, "train_split_0": keys[:8], "test_split_0": keys[8:]}
    for name, content in contents.items():
        (root / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=3))
    return root


def settings_of(dives: Path, **training: object) -> Settings:
    place = dives.parent
    return Settings(
        place / "store",
        place / "out",
        roots={"mtl-aqa": dives},
        training=TrainingChoice(**training),  # type: ignore[arg-type]
        device="cpu",
    )


def plan_of(name: str, dives: Path, *rows: str, **training: object) -> TablePlan:
    table = with_fine_tuned(find_table(name)).part(rows=[f"{row}-fine-tuned" for row in rows])
    return plan_table(table, settings_of(dives, **training))


def write_frames(dives: Path, frames: StoredFrames, **facts: str) -> StreamSpec:
    """Write small records that say that they hold such frames."""
    spec = StreamSpec("pixels", {**frames.facts, "encoding": "uint8", "dtype": "uint8", **facts})
    for dive in range(1, NUM_DIVES + 1):
        features, pts = np.zeros((1, 2), np.uint8), np.array([[0.0, 0.04]])
        record = Record("mtl-aqa", f"01_{dive:02d}", spec, features, pts, Source("no file"))
        Store(dives.parent / "store").write(record)
    return spec


OF_8_FRAMES = ("8-frames-average", "8-frames-wd-paper", "8-frames-wd-released")


def test_missing_frames_name_one_command_for_all_rows(dives: Path) -> None:
    plan = plan_of("wd-table1b", dives, *OF_8_FRAMES)
    (need,) = plan.needs
    reason = plan.blocked[0].reason
    assert "12 of 12 videos lack pixels (171x128) in" in reason
    command = need.command(plan.settings)
    assert command.endswith("--streams pixels --picture-size 171x128 --last-frames 109")
    assert f"`{command}`" in reason
    (once,) = extraction_passes(plan)
    words = once.words(plan.settings)
    assert words[words.index("--streams") :][:6] == [*command.split()[-6:]]
    assert len(once.videos) == NUM_DIVES


def test_frames_and_frozen_features_are_separate_passes(dives: Path) -> None:
    table = with_fine_tuned(find_table("tsa-table4"))
    plan = plan_table(table, settings_of(dives))
    passes = [" ".join(each.words(plan.settings)) for each in extraction_passes(plan)]
    streams = [re.search(r"--streams (\w+) (--backbone|--picture-size) (\S+)", each) for each in passes]
    assert [found and found.groups() for found in streams] == [
        ("tubes", "--backbone", "tubes=i3d-tsa-net"),
        ("pixels", "--picture-size", "455x256"),
        ("tubes", "--backbone", "tubes=i3d-tsa-net"),  # of variant released
    ]


def test_a_head_with_a_tube_takes_tracked_frames_only(dives: Path) -> None:
    rows = ("nl-net-paper", "tsa-paper")
    frames = FRAMES["tubes"]
    untracked = write_frames(dives, frames)
    weights = {"": "random:0"}
    first = plan_of("tsa-table4", dives, *rows, weights=weights)
    assert [task.specs for task in first.tasks] == [(("pixels", untracked.hash),)]
    assert "lack pixels (455x256, tracked)" in first.blocked[0].reason
    tracked = write_frames(dives, frames, tracker="siammask")
    both = plan_of("tsa-table4", dives, *rows, weights=weights)
    assert [task.specs for task in both.tasks] == [(("pixels", tracked.hash),)] * 2


def test_each_cell_is_trained_with_little_memory_if_that_is_chosen(dives: Path) -> None:
    write_frames(dives, FRAMES["clips"])
    for chosen in (False, True):
        plan = plan_of(
            "wd-table1b", dives, *OF_8_FRAMES, weights={"": "random:0"}, checkpoint_activations=chosen
        )
        tunings = [task.request().options.fine_tune for task in plan.tasks]
        assert [each and each.checkpoint_activations for each in tunings] == [chosen] * 3


def test_missing_weights_to_start_from_are_named(dives: Path) -> None:
    write_frames(dives, FRAMES["clips"])
    plan = plan_of("wd-table1b", dives, *OF_8_FRAMES)
    assert not plan.tasks
    assert not plan.needs
    assert "ig65m" in plan.blocked[0].reason
    (lack,) = find_lacks(plan, lambda streams: [])
    assert lack.command == f"aqa weights fetch {lack.weights[0]}"
    weights_folder().mkdir(parents=True)
    (weights_folder() / get_weights_file(lack.weights[0]).file_name).touch()
    assert len(plan_of("wd-table1b", dives, *OF_8_FRAMES).tasks) == 3
    elsewhere = plan_of("wd-table1b", dives, *OF_8_FRAMES, weights={"clips": "mine.pt"})
    assert [task.trained and task.trained.weights for task in elsewhere.tasks] == ["mine.pt"] * 3


def test_time_and_disk_are_counted(dives: Path) -> None:
    plan = plan_of("wd-table1b", dives, "32-frames-wd-paper", seeds=(0, 1))
    (lack,) = find_lacks(plan, lambda streams: [])
    assert lack.cost.megabytes == pytest.approx(NUM_DIVES * 109 * 128 * 171 * 3 / 1e6)
    # Three clips of 152.4 G multiply-adds; learning takes three passes, testing one; 50 epochs, two seeds.
    once = 2 * 152.4e9 * 3 * (3 * NUM_TRAIN + (NUM_DIVES - NUM_TRAIN))
    assert lack.cost.backbone_flop == pytest.approx(2 * 50 * once, rel=1e-2)
    text = format_plan(plan, [lack])
    assert "  disk      about 86 MB of features" in text
    assert re.search(r"  backbones 2\.6 PFLOP to train them: 26 s at 100 TFLOP/s", text)


def reproduce(dives: Path, *words: object) -> Result:
    place = ("--root", f"mtl-aqa={dives}", "--store", dives.parent / "store")
    arguments = ("reproduce", "wd-table1b", *place, *words, "--device", "cpu")
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_plans_the_new_rows(dives: Path) -> None:
    rows = ("--rows", "8-frames-average,8-frames-average-fine-tuned")
    result = reproduce(dives, "--plan", "--fine-tune", *rows)
    assert result.exit_code == 0, result.output
    assert "mtl-aqa: 2 of 2 cells wait" in result.output
    assert "features  clips (r2plus1d_34_ig65m_8), pixels\n" in result.output
    refused = reproduce(dives, "--plan", *rows)
    assert "8-frames-average-fine-tuned" in refused.output
    assert refused.exit_code == 1
    simulated = reproduce(dives, "--plan", "--fine-tune", "--simulated")
    assert simulated.exit_code == 2
    assert "which are not simulated" in simulated.output


def test_the_printed_extraction_of_pictures_has_no_weights(
    dives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_videos(*_: object, **__: object) -> None:
        raise RunError("not now")

    monkeypatch.setattr("aqa.tables.extract", no_videos)
    rows = ("--rows", "8-frames-average,8-frames-average-fine-tuned", "--weights", "random:0")
    result = reproduce(dives, "--fine-tune", "--out", dives.parent / "out", *rows)
    assert result.exit_code == 3, result.output
    clips, pixels = [line for line in result.output.splitlines() if line.startswith("$ aqa extract")]
    assert "--weights random:0" in clips
    assert "--streams pixels --picture-size 171x128" in pixels
    assert "--weights" not in pixels
