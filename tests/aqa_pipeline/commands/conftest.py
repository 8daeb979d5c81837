"""A home of its own for every test, the command line in this process, and small stores of records."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the current one, with a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def aqa(here: Path) -> Callable[..., Result]:
    """Run `aqa` with these words in the current folder, and check the exit code."""

    def run(*words: object, code: int = 0) -> Result:
        result = CliRunner().invoke(cli.main, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    return run


@pytest.fixture
def make_record() -> Callable[..., Record]:
    """Make a small record: of a video, of a stream with facts, of a dataset."""

    def make(
        video_id: str = "a",
        *,
        dataset: str = "toy",
        stream: str = "segments",
        steps: int = 4,
        **facts: object,
    ) -> Record:
        start = np.arange(steps, dtype=float)
        return Record(
            dataset=dataset,
            video_id=video_id,
            spec=StreamSpec(stream, facts or {"backbone": "i3d", "rate_fps": 5.0}),  # type: ignore[arg-type]
            features=np.random.default_rng(len(video_id)).standard_normal((steps, 3)).astype(np.float32),
            pts_seconds=np.stack([start, start + 1], axis=1),
            source=Source("0" * 64),
            extras={"boxes": np.ones((steps, 4), np.float32)},
            counts={"num_steps": steps},
        )

    return make


@pytest.fixture
def features(here: Path, make_record: Callable[..., Record]) -> Store:
    """Return the usual store `features`: two datasets, two streams, ids with blanks and dots in them."""
    store = Store(Path("features"))
    for video_id in ("a", "../b", "ü c"):
        store.write(make_record(video_id))
    store.write(make_record("a", stream="crops", backbone="resnet50"))
    store.write(make_record("a", dataset="other", steps=2))
    return store


@pytest.fixture
def own_folder(here: Path) -> Callable[..., Path]:
    """Write a folder of a user's own with this table of scores; the videos themselves are not there."""

    def write(table: str, name: str = "mine", *, encoding: str = "utf-8") -> Path:
        root = here / name
        root.mkdir(exist_ok=True)
        (root / "scores.csv").write_bytes(table.encode(encoding))
        return root

    return write
