"""A small table over a small dataset: two columns of the same folder, one of a dataset that is not there."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.results import TableResult
from heads.tables.running import run_tasks
from heads.tables.settings import Settings, TrainingChoice
from heads.tables.table import Average, Column, Method, Row, Table
from heads.tables.tabulating import tabulate

SEGMENTS = {"segments": ("toy-3d", "toy-3d-port")}
BOTH = {**SEGMENTS, "crops": ("toy-2d",)}
NUM_VIDEOS = 60

TABLE = Table(
    name="toy-table1",
    title="Table 1: toys",
    source="Nobody, 2020",
    columns=(
        Column("first", "First", "folder", ("random-0",)),
        Column("two", "Two draws", "folder", ("random-1", "random-2"), "score"),
        Column("far", "Far away", "mit-skating", ("random-0",)),
    ),
    rows=(
        Row("cited", "", "Cited", {"first": 0.5}),
        Row("svr", "Group", "SVR", {"first": 0.9, "two": 0.1, "far": 0.3}, Method("svr-average", SEGMENTS)),
        Row("net", "Group", "net", {"first": 0.2, "two": 0.3}, Method("action-net", BOTH, "released")),
    ),
    averages=(Average("both", "Both", ("first", "two")),),
    footnotes=("A note.",),
)


QUICK_TRAINING = TrainingChoice(seeds=(0, 1), epochs=2)


@dataclass(frozen=True)
class Scene:
    """The table, a store with its features, and settings that run it in seconds."""

    table: Table
    settings: Settings

    @property
    def store(self) -> Store:
        return Store(self.settings.store)

    def with_settings(self, **changes: object) -> "Scene":
        """Return the scene with other settings, or with other fields of their features or training."""
        parts: dict[str, object] = {}
        for name in ("features", "training"):
            part = getattr(self.settings, name)
            own = {field: changes.pop(field) for field in list(changes) if hasattr(part, field)}
            parts[name] = replace(part, **own)
        return replace(self, settings=replace(self.settings, **parts, **changes))  # type: ignore[arg-type]

    def spec(self, stream: str, **facts: object) -> StreamSpec:
        return StreamSpec(stream, {"backbone": {"segments": "toy-3d", "crops": "toy-2d"}[stream], **facts})


def write_features(store: Store, root: Path, spec: StreamSpec, *, videos: slice = slice(None)) -> None:
    """Noise around a mean, shifted by the video's score."""
    rng = np.random.default_rng(2)
    dataset = load_dataset("folder", root)
    direction = rng.normal(size=8)
    for video in dataset.videos[videos]:
        steps = rng.integers(5, 8)
        features = rng.normal(size=(steps, 8)) + 0.1 * (video.labels["score"] - 50) * direction
        starts = np.arange(steps, dtype=np.float64)
        pts = np.stack([starts, starts + 1], axis=1)
        store.write(
            Record(dataset.name, video.video_id, spec, features.astype(np.float32), pts, Source("no file"))
        )


def make_scene(folder: Path) -> Scene:
    root = folder / "videos"
    root.mkdir()
    scores = np.random.default_rng(0).normal(50, 10, size=NUM_VIDEOS)
    with (root / "scores.csv").open("w", newline="") as file:
        rows = [("video", "score"), *((f"v{n:02d}.mp4", f"{score:.3f}") for n, score in enumerate(scores))]
        csv.writer(file).writerows(rows)
    roots = {"folder": root, "mit-skating": folder / "nowhere"}
    settings = Settings(
        store=folder / "store", out=folder / "out", roots=roots, training=QUICK_TRAINING, device="cpu"
    )
    scene = Scene(TABLE, settings)
    for stream in ("segments", "crops"):
        write_features(scene.store, root, scene.spec(stream))
    return scene


@pytest.fixture(scope="session")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    make_scene(folder)
    return folder


@pytest.fixture
def scene(_pristine: Path, tmp_path: Path) -> Scene:
    """Make a copy of videos and store in which nothing has been run."""
    for name in ("videos", "store"):
        shutil.copytree(_pristine / name, tmp_path / name)
    roots = {"folder": tmp_path / "videos", "mit-skating": tmp_path / "nowhere"}
    return Scene(
        TABLE,
        Settings(
            store=tmp_path / "store", out=tmp_path / "out", roots=roots, training=QUICK_TRAINING, device="cpu"
        ),
    )


@pytest.fixture(scope="session")
def build_scene() -> Callable[[Path], Scene]:
    """Return a function that makes a scene in a folder, for tests that share one run."""
    return make_scene


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[TablePlan, TableResult]:
    """Return the table, run once; leave its folder as it is."""
    scene = make_scene(tmp_path_factory.mktemp("finished"))
    plan = plan_table(scene.table, scene.settings)
    scene.settings.out.mkdir()
    return plan, run_table(plan)


def run_table(plan: TablePlan) -> TableResult:
    outcomes = run_tasks(plan.tasks, jobs=1)
    return tabulate(plan, {o.place: o.error for o in outcomes if o.error is not None})


@pytest.fixture
def write_more() -> Callable[[Scene, StreamSpec], None]:
    """Write features of one more spec into the scene's store."""

    def write(scene: Scene, spec: StreamSpec) -> None:
        write_features(scene.store, scene.settings.roots["folder"], spec)

    return write
