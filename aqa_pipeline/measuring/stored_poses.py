"""The stored poses of a video, as a series over its own frames."""

import shlex
from pathlib import Path

import numpy as np

from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.errors import StoreError
from aqa_pipeline.measuring.pose_series import PoseSeries
from aqa_pipeline.poses import joint_set
from aqa_pipeline.records import Dataset, Record, StreamSpec, Video
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import NEW_VIDEOS, Store
from aqa_pipeline.video import Disk, Timeline, source_digest

STREAM = "poses"


def stored_poses(store: Store, dataset: Dataset, video: Video, timeline: Timeline) -> PoseSeries:
    """Return the video's poses; of several kinds, those with the most poses a second.

    Raise `StoreError` if none are stored, if they hold no joints (imported features), or if the video is
    another one now.
    """
    stored = [
        spec for spec in store.specs(dataset.name, STREAM) if store.has(dataset.name, video.video_id, spec)
    ]
    if not stored:
        raise StoreError(
            f"there are no poses of {video.video_id!r} in {store.root}: {_advice(store, dataset, video)}"
        )
    spec = max(stored, key=lambda each: (typed_facts(each).rate_fps or 0, each.hash))
    changed = find_changed(store, dataset, [spec], [video.video_id]).get(video.video_id)
    if changed:
        raise StoreError(
            f"the poses of {video.video_id!r} were made of something else ({', '.join(changed)}): "
            f"{_advice(store, dataset, video)}"
        )
    return pose_series(store.read(dataset.name, video.video_id, spec), timeline)


def poses_of_file(store: Store, path: Path) -> Record | None:
    """Return the poses that `aqa score` stored of a new video, found by the file's content; None without any.

    Of several kinds, return those with the most poses a second.
    """
    size, digest = Disk().size_and_time(path)[0], None
    found = []
    for spec in store.specs(NEW_VIDEOS, STREAM):
        for stored_id in store.video_ids(NEW_VIDEOS, spec):
            source = store.source(NEW_VIDEOS, stored_id, spec)
            if source.size == size and source.digest == (digest := digest or source_digest(path)):
                found.append((typed_facts(spec).rate_fps or 0, spec.hash, stored_id, spec))
    if not found:
        return None
    _, _, stored_id, spec = max(found, key=lambda each: each[:2])
    return store.read(NEW_VIDEOS, stored_id, spec)


def pose_series(record: Record, timeline: Timeline) -> PoseSeries:
    """Return the poses of a record at the times of their frames; raise `StoreError` as `stored_poses`."""
    if "joints" not in record.extras or "frame_index" not in record.extras:
        raise StoreError(f"{record} holds no joints ({record.spec.in_words}): measure extracted poses.")
    frames = record.extras["frame_index"][:, 0].astype(np.int64)
    if len(frames) and not 0 <= frames.min() <= frames.max() < timeline.num_frames:
        raise StoreError(f"{record} is of frames that the video does not have.")
    # At more poses a second than frames, steps repeat a frame, which is still one observation.
    frames, first = np.unique(frames, return_index=True)
    last = np.append(first[1:], len(record.pts_seconds)) - 1
    return PoseSeries(
        seconds=timeline.pts_seconds[frames],
        covered=np.stack([record.pts_seconds[first, 0], record.pts_seconds[last, 1]], axis=1),
        joints=record.extras["joints"][first].astype(np.float64),
        joint_set=joint_set(str(typed_facts(record.spec).joints)),
        made_by=_made_by(record.spec),
        tracking=describe_tracking(record),
    )


def _made_by(spec: StreamSpec) -> str:
    facts = typed_facts(spec)
    return f"{facts.backbone}, {facts.rate_fps:g} a second, spec {spec.hash}"


def _advice(store: Store, dataset: Dataset, video: Video) -> str:
    words = ["aqa", "extract", "--dataset", dataset.adapter, "--root", str(dataset.root)]
    words += ["--name", dataset.name] if dataset.name != dataset.adapter else []
    words += ["--streams", STREAM, "--pose-rate", "25", "--detector", "blazepose", "--store", str(store.root)]
    if "," not in video.video_id:  # `--videos` separates ids by commas
        words.append(f"--videos={video.video_id}")
    return f"run `{shlex.join(words)}`. Fewer poses a second take less time and measure less well."
