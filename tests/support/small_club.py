"""A user's own folder of videos with scores, and features that follow the scores."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from aqa_pipeline.records import Dataset, SpecValue, StreamSpec
from aqa_pipeline.store import Store
from small_world import make_record

CLUB_STREAMS: dict[str, tuple[dict[str, SpecValue], int]] = {  # facts and dimensions by stream
    "clips": ({"backbone": "toy-clips", "step_seconds": 2.0}, 12),
    "segments": ({"backbone": "toy-3d"}, 10),
    "crops": ({"backbone": "toy-2d"}, 8),
}


@dataclass(frozen=True)
class Club:
    """A folder dataset `club` of a user, and the store `features` beside it; `runs` holds trained runs."""

    root: Path
    ids: tuple[str, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `aqa fit` that name the dataset and the store."""
        folder, store = self.root / "club", self.root / "features"
        return "--dataset", "folder", "--root", str(folder), "--store", str(store)

    @property
    def store(self) -> Store:
        return Store(self.root / "features")

    @property
    def dataset(self) -> Dataset:
        from aqa_pipeline.datasets import load_dataset

        return load_dataset("folder", self.root / "club")

    def spec(self, stream: str) -> StreamSpec:
        return StreamSpec(stream, CLUB_STREAMS[stream][0])

    def run(self, name: str) -> Path:
        return self.root / "runs" / name


def make_club(
    root: Path,
    *,
    num_videos: int = 30,
    streams: Iterable[str] = ("clips",),
    scores: Iterable[float] | None = None,
    names: Iterable[str] | None = None,
    lacking: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Club:
    """Write a folder dataset with a given and grouped splits, and features that follow the scores.

    Half of the videos are for training. Scores are whole points, so that some are equal, and each is
    execution x difficulty. `lacking` names by stream the videos without a record.
    """
    rng = np.random.default_rng(0)
    scores = list(np.round(rng.normal(60, 10, size=num_videos)) if scores is None else scores)
    names = tuple(f"v{number:02d}" for number in range(len(scores))) if names is None else tuple(names)
    (root / "club").mkdir(parents=True)
    lines = ["video,score,score:execution,score:difficulty,split,group"]
    for number, (name, score) in enumerate(zip(names, scores, strict=True)):
        difficulty, side = 1 + number % 3 / 2, ("train", "test")[number % 2]
        lines.append(f'"{name}",{score},{score / difficulty},{difficulty},{side},athlete {number // 2 % 5}')
    (root / "club" / "scores.csv").write_text("\n".join(lines) + "\n")
    store = Store(root / "features")
    for stream in streams:
        facts, dim = CLUB_STREAMS[stream]
        mean, direction = rng.normal(size=dim), rng.normal(size=dim)
        for name, score in zip(names, scores, strict=True):
            steps = rng.normal(scale=0.3, size=(rng.integers(4, 8), dim))
            if name not in lacking.get(stream, ()):
                features = mean + steps + (score - 60) / 20 * direction
                store.write(make_record("club", name, StreamSpec(stream, facts), features))
    return Club(root, names)
