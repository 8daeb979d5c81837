"""Rows that train the backbone too: what they print and read, and one table that holds both."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import RunError
from aqa_pipeline.plugins import plugged_in, read_plugin
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from heads.runs.config import read_config
from heads.tables import fine_tuned
from heads.tables.fine_tuned import NOTE, with_fine_tuned
from heads.tables.output.markdown import markdown_of
from heads.tables.papers.weight_decider import SAMPLING
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.registry import TABLES, find_table
from heads.tables.results import TableResult
from heads.tables.running import is_finished, run_tasks
from heads.tables.settings import Settings, TrainingChoice
from heads.tables.table import Column, Method, Row, StoredFrames, Table
from heads.tables.tabulating import tabulate
from pixel_world import PIXELS, TINY3D, make_pixel_world

OF_WD, OF_TSA = [f"wd-table{name}" for name in ("1a", "1b", "3")], [f"tsa-table{n}" for n in range(1, 7)]


@pytest.mark.parametrize("name", OF_WD + OF_TSA)
def test_every_trained_row_gets_a_second_one_with_the_same_printed_value(name: str) -> None:
    table = find_table(name)
    tuned = with_fine_tuned(table)
    assert tuned.footnotes[-1] == NOTE
    frozen = [row for row in tuned.rows if row.method is None or row.method.trained is None]
    assert tuple(frozen) == table.rows
    for above, row in zip(tuned.rows, tuned.rows[1:], strict=False):
        if not row.name.endswith("-fine-tuned"):
            continue
        assert (row.name, row.label) == (f"{above.name}-fine-tuned", f"{above.label}, fine-tuned end to end")
        assert row.method is not None
        assert above.method is not None
        assert (row.method.head, row.method.variant) == (above.method.head, above.method.variant)
        assert row.method.trained is not None
        assert (row.method.trained.name,) == above.method.streams[row.method.trained.stream]
        trained = {c: v for c, v in above.printed.items() if tuned.source_of(above, c) is above.method}
        assert row.printed == trained
    heads = [row.method.head for row in frozen if row.method and row.name not in NO_SECOND]
    assert len(tuned.rows) - len(frozen) == len(heads) - heads.count("pose-dct")


# The cut of I3D does not matter to a head without a tube if all of I3D is trained: one training, one row.
NO_SECOND = ("plain-net-released",)


def test_frames_are_those_of_the_papers_and_tracked_for_tubes() -> None:
    def row(table: str, name: str) -> Method:
        method = with_fine_tuned(find_table(table)).row(name).method
        assert method is not None
        return method

    wd = row("wd-table1b", "8-frames-wd-released-fine-tuned")
    assert wd.extraction.words == ("--picture-size", "171x128", "--last-frames", "109")
    assert wd.streams == {"pixels": ("",)}
    tsa = row("tsa-table6", "tsa-released-in-order-fine-tuned")
    assert tsa.extraction.words[-2:] == ("--tracker", "siammask")
    assert tsa.extraction.words[1] == "455x256"
    assert tsa.trained is not None
    assert tsa.trained.needs_tube
    plain = row("tsa-table6", "plain-net-paper-fine-tuned").trained
    assert plain is not None
    assert not plain.needs_tube


def test_action_net_has_frozen_features_in_its_paper() -> None:
    with pytest.raises(RunError, match="no head of action-net-table1 is trained together with a backbone"):
        with_fine_tuned(find_table("action-net-table1"))


BRIGHT = Table(
    name="bright-table1",
    title="Table 1: brightness",
    source="Nobody, 2020",
    columns=(Column("bright", "Bright", "folder", ("only",)),),
    rows=(
        Row(
            "average",
            "Tiny",
            "average",
            {"bright": 0.9},
            Method("wd-average", {"clips": ("tiny3d",)}, facts=SAMPLING),
        ),
    ),
)


@pytest.fixture
def bright(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Yield the settings of a small table whose row and whose fine-tuned row can be run."""
    root = tmp_path / "bright"
    root.mkdir()
    dataset, store = make_pixel_world(root)
    with (root / "scores.csv").open("w", newline="") as file:
        train = set(dataset.split("only").train)
        rows = [
            (f"{video.video_id}.mp4", video.labels["score"], "train" if video.video_id in train else "test")
            for video in dataset.videos
        ]
        csv.writer(file).writerows([("video", "score", "split:only"), *rows])
    spec = StreamSpec("clips", {"backbone": "tiny3d", **SAMPLING})
    for video in dataset.videos:
        features = np.full((1, len(spec.views), 32), video.labels["score"], np.float32)
        pts = np.array([[0.0, 0.8]])
        store.write(Record("bright", video.video_id, spec, features, pts, Source("no file")))
    monkeypatch.setitem(fine_tuned.FRAMES, "clips", StoredFrames(130, 120, 20))  # type: ignore[arg-type]
    (tmp_path / "tiny3d.py").write_text(TINY3D)
    training = TrainingChoice(seeds=(0,), epochs=1, weights={"": "random:0"})
    settings = Settings(store.root, tmp_path / "out", roots={"folder": root}, training=training, device="cpu")
    with plugged_in([read_plugin(tmp_path / "tiny3d.py")]):
        yield settings


def run(plan: TablePlan) -> TableResult:
    outcomes = run_tasks(plan.tasks, jobs=1)
    return tabulate(plan, {each.place: each.error for each in outcomes if each.error is not None})


def test_a_table_shows_both_rows(bright: Settings) -> None:
    plan = plan_table(with_fine_tuned(BRIGHT), bright)
    assert [task.place[0] for task in plan.tasks] == ["average", "average-fine-tuned"]
    result = run(plan)
    statuses = {row: cell.status for (row, _), cell in result.cells.items()}
    assert statuses == {"average": "run", "average-fine-tuned": "run"}
    assert "BACKBONES TRAINED FROM RANDOM WEIGHTS" in result.flags
    text = markdown_of(result)
    for label in ("Tiny, average |", "Tiny, average, fine-tuned end to end |"):
        assert re.search(rf"{re.escape(label)} 0.900 / \*\*-?\d", text)
    config = read_config(plan.tasks[1].out)
    assert config.head.backbone is not None
    assert (config.head.backbone.name, list(config.streams)) == ("tiny3d", ["pixels"])
    assert all(map(is_finished, plan_table(with_fine_tuned(BRIGHT), bright).tasks))

    from_others = replace(bright, training=replace(bright.training, weights={"clips": "random:1"}))
    frozen, tuned = plan_table(with_fine_tuned(BRIGHT), from_others).tasks
    assert (is_finished(frozen), is_finished(tuned)) == (True, False)


def test_frames_are_extracted_where_videos_are(bright: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command makes the frames that it lacks, then trains on them."""
    store, root = Store(bright.store), bright.roots["folder"]
    for video_id in store.video_ids("bright", PIXELS):
        store.path("bright", video_id, PIXELS).unlink()
        write_video(root / f"{video_id}.mp4", level=int(video_id[1:]) * 20)
    monkeypatch.setitem(TABLES, "bright-table1", BRIGHT)
    rows = ("--rows", "average-fine-tuned", "--epochs", 1, "--seeds", 0, "--jobs", 1, "--device", "cpu")
    place = ("--root", f"folder={root}", "--store", store.root, "--out", bright.out)
    words = ("reproduce", "bright-table1", "--fine-tune", *place, *rows, "--weights", "random:0")
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "--streams pixels --picture-size 130x120 --last-frames 20" in result.output
    (spec,) = Store(bright.store).specs("bright", "pixels")
    assert store.read("bright", "v03", spec).features.shape == (20, 120, 130, 3)
    assert "average, fine-tuned end to end" in result.output


def write_video(path: Path, *, level: int) -> None:
    """Write 24 gray frames."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(24):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
