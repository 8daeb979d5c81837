"""Videos as stored pictures whose score is their brightness, and a tiny network for clips of eight frames."""

from pathlib import Path

import numpy as np

from aqa_pipeline.records import Dataset, Record, Source, Split, StreamSpec, Target, Video
from aqa_pipeline.store import Store

SIZE = (120, 130)  # height, width
PIXELS = StreamSpec(
    "pixels", {"num_frames": 20, "height": SIZE[0], "width": SIZE[1], "encoding": "uint8", "dtype": "uint8"}
)

TINY3D = """
from torch import nn
from aqa_pipeline.backbones.backbone import Backbone, Cost

def build():
    return nn.Sequential(
        nn.Conv3d(3, 8, 7, stride=7), nn.BatchNorm3d(8), nn.ReLU(), nn.Conv3d(8, 32, 1), nn.BatchNorm3d(32),
        nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
    )

PREPROCESS = {"paper": "kinetics-112", "released": "kinetics-112"}
TINY3D = Backbone("tiny3d", 32, 8, "tiny3d-mine", build, PREPROCESS, "nobody", Cost(0.01, 9000))
"""


def make_pixel_world(
    root: Path, *, num_videos: int = 12, num_frames: tuple[int, ...] = (20,)
) -> tuple[Dataset, Store]:
    """Return videos, two thirds to train on, and a store with their pictures of noise around a brightness."""
    rng = np.random.default_rng(0)
    ids = [f"v{number:02d}" for number in range(num_videos)]
    scores = rng.permutation(np.linspace(2, 8, num_videos))
    videos = tuple(
        Video(video_id, root / f"{video_id}.mp4", {"score": float(score)})
        for video_id, score in zip(ids, scores, strict=True)
    )
    store = Store(root / "store")
    for number, (video_id, score) in enumerate(zip(ids, scores, strict=True)):
        store.write(
            pixel_record(video_id, score, num_frames=num_frames[number % len(num_frames)], seed=number)
        )
    train = 2 * num_videos // 3
    splits = {"only": Split("only", tuple(ids[:train]), tuple(ids[train:]))}
    return Dataset("bright", root, videos, splits, (Target("score", 0.0, 10.0),), adapter="folder"), store


def pixel_record(video_id: str, score: float, *, num_frames: int = 20, seed: int = 0) -> Record:
    """Return the pictures of one video, brighter for a higher score; a frame takes 0.04 s."""
    noise = np.random.default_rng(seed).normal(25 * score, 20, (num_frames, *SIZE, 3))
    starts = 0.04 * np.arange(num_frames)
    return Record(
        "bright",
        video_id,
        PIXELS,
        noise.clip(0, 255).astype(np.uint8),
        np.stack([starts, starts + 0.04], axis=1),
        Source(f"file of {video_id}"),
        extras={"frame_index": np.arange(num_frames)},
    )
