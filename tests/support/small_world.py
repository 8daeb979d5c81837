"""A small simulated dataset with a planted signal, in a real store."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.records import Dataset, Record, Source, Split, StreamSpec, Target, Video
from aqa_pipeline.store import Store
from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

SPECS = {
    "segments": StreamSpec("segments", {"backbone": "toy-3d", "fps": 5.0}),
    "crops": StreamSpec("crops", {"backbone": "toy-2d", "fps": 1.0}),
}
DIMS = {"segments": 24, "crops": 40}
STEPS = {"segments": (6, 10), "crops": (9, 14)}
EMPTY_CROPS = "routine-03"


@dataclass(frozen=True)
class World:
    """A dataset, the store that holds its features, and what they are made of."""

    dataset: Dataset
    store: Store
    specs = SPECS
    dims = DIMS
    empty_crops = EMPTY_CROPS

    def request(self, out: Path, **changes: object) -> FitRequest:
        """Return the request of a short fit, with any of its options changed by name."""
        defaults: dict[str, object] = {
            "variant": "paper",
            "seeds": (0,),
            "epochs": 3,
            "threads": 1,
            "device": "cpu",
        }
        values = defaults | changes
        features, training = (
            {name: values.pop(name) for name in part.model_fields if name in values}
            for part in (FeatureOptions, TrainingOptions)
        )
        training["seeds"] = tuple(training["seeds"])
        options = FitOptions(
            **values, features=FeatureOptions(**features), training=TrainingOptions(**training)
        )
        return FitRequest(options, self.dataset, self.store, out)

    def record(self, video_id: str, spec: StreamSpec, features: np.ndarray) -> Record:
        """Those features as a record of this dataset."""
        return make_record(self.dataset.name, video_id, spec, features)


def make_dataset(root: Path, *, num_videos: int = 40) -> Dataset:
    """Videos whose `score` is 60 + 10 x quality, quality being normally distributed; two random splits."""
    qualities = np.random.default_rng(0).normal(size=num_videos)
    videos = tuple(
        Video(f"routine-{number:02d}", root / f"{number}.mp4", {"score": 60 + 10 * quality, "bonus": quality})
        for number, quality in enumerate(qualities)
    )
    ids = [video.video_id for video in videos]
    cut = num_videos * 2 // 3
    splits = {
        "first": Split("first", tuple(ids[:cut]), tuple(ids[cut:])),
        "second": Split("second", tuple(ids[-cut:]), tuple(ids[:-cut])),
    }
    targets = (Target("score"), Target("bonus", -5.0, 5.0))
    return Dataset("synthetic", root, videos, splits, targets, default_splits=("first",))


def make_world(root: Path) -> World:
    """Features of noise around a large mean, shifted along one direction by the video's quality."""
    rng = np.random.default_rng(1)
    dataset, store = make_dataset(root), Store(root / "store")
    means = {stream: 3 * rng.random(dim) for stream, dim in DIMS.items()}
    directions = {stream: 0.3 * rng.normal(size=dim) for stream, dim in DIMS.items()}
    for video in dataset.videos:
        for stream, spec in SPECS.items():
            steps = 0 if (stream, video.video_id) == ("crops", EMPTY_CROPS) else rng.integers(*STEPS[stream])
            noise = 0.3 * rng.normal(size=(steps, DIMS[stream]))
            features = means[stream] + noise + video.labels["bonus"] * directions[stream]
            store.write(make_record(dataset.name, video.video_id, spec, features))
    return World(dataset, store)


def make_record(dataset: str, video_id: str, spec: StreamSpec, features: np.ndarray) -> Record:
    starts = np.arange(len(features), dtype=np.float64)
    return Record(
        dataset,
        video_id,
        spec,
        features.astype(np.float32),
        np.stack([starts, starts + 1], axis=1),
        Source("no file"),
    )
