"""Videos with tubes: maps of two views and the athlete's quads, in a real store."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from aqa_pipeline.athlete.tube_masks import PictureGeometry
from aqa_pipeline.records import Dataset, Record, Source, Split, StreamSpec, Target, Video
from aqa_pipeline.store import Store

TUBE_SPEC = StreamSpec("tubes", {"views": "end-0,end-0-flip", "weights": "random:3", "endpoint": "Mixed_4e"})
FRAME = (640, 360)


def wandering_quads(num_clips: int, *, seed: int = 0) -> np.ndarray:
    """Return upright boxes that wander over the middle of the frame: (clip, 2, 16, 4, 2), views alike."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(230, 300, (num_clips, 16)), rng.uniform(80, 160, (num_clips, 16))
    right, bottom = x + rng.uniform(60, 100, x.shape), y + rng.uniform(60, 120, x.shape)
    corners = [np.stack(point, axis=-1) for point in ((x, y), (right, y), (right, bottom), (x, bottom))]
    return np.repeat(np.stack(corners, axis=-2)[:, None], 2, axis=1)


def make_tube_record(
    video_id: str, *, num_clips: int = 2, channels: int = 3, seed: int = 0, spec: StreamSpec = TUBE_SPEC
) -> Record:
    """Return a record of random maps, whose first grid position holds 100 x view.

    The second step of the first clip has no athlete.
    """
    quads = wandering_quads(num_clips, seed=seed)
    quads[:1, :, 4:8] = np.nan
    geometry = PictureGeometry(FRAME)
    in_crop = [geometry.in_picture(quads[:, view], flipped=bool(view)) for view in (0, 1)]
    maps = np.random.default_rng(seed).normal(size=(num_clips, 2, channels, 4, 14, 14))
    maps[:, :, 0, 0, 0, 0] = [0, 100]
    starts = np.arange(num_clips, dtype=np.float64)
    return Record(
        "jumps",
        video_id,
        spec,
        maps.astype(np.float16),
        np.stack([starts, starts + 0.64], axis=1),
        Source("no file"),
        extras={
            "quads": np.stack(in_crop, axis=1).astype(np.float32),
            "frame_quads": quads.astype(np.float32),
            "frame_size": np.repeat(np.array([FRAME], np.int32), num_clips, axis=0),
        },
    )


def make_tube_world(
    root: Path,
    *,
    name: str = "jumps",
    num_videos: int = 4,
    channels: int = 3,
    num_clips: tuple[int, ...] = (2,),
    spec: StreamSpec = TUBE_SPEC,
) -> tuple[Dataset, Store]:
    """Return videos whose `clean` label is 1 for every other one, and a store with their tubes."""
    ids = [f"{number}-1" for number in range(num_videos)]
    videos = tuple(
        Video(video_id, root / f"{video_id}.mp4", {"clean": float(n % 2)}) for n, video_id in enumerate(ids)
    )
    splits = {"official": Split("official", tuple(ids[: num_videos // 2]), tuple(ids[num_videos // 2 :]))}
    store = Store(root / "store")
    for number, video_id in enumerate(ids):
        clips = num_clips[number % len(num_clips)]
        record = make_tube_record(video_id, num_clips=clips, channels=channels, seed=number, spec=spec)
        store.write(replace(record, dataset=name))
    return Dataset(name, root, videos, splits, (Target("clean", 0.0, 1.0),)), store
