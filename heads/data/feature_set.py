"""A dataset's stored streams as padded tensors in memory, read once: batches are index selections."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.errors import RunError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Record, StreamSpec, Target
from aqa_pipeline.sources.compare import in_words
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from heads.data.large_streams import LargeStream, Reading
from heads.data.stored_specs import extract_command, making_command
from heads.data.streams import LARGE_STREAMS
from heads.data.tube_maps import OpenedRecord


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """Features and raw labels of some videos of one dataset.

    Per stream: `streams` holds float32 `video time dim` (or `video time view dim`: the same steps seen with
    other offsets or flipped, view 0 being the reference), zero beyond each video's `lengths` (int64 `video`),
    and `pts_seconds` one `[start, stop)` array `time 2` per video. `labels` are raw judge scores, float64.
    Streams of maps and of pictures are not in memory: `maps` reads them where they are cut. `difficulties`
    `(video)` are given where the target is an execution times a difficulty.
    """

    video_ids: tuple[str, ...]
    streams: Mapping[str, Tensor]
    lengths: Mapping[str, Tensor]
    pts_seconds: Mapping[str, tuple[NDArray[np.float64], ...]]
    labels: NDArray[np.float64]
    maps: Mapping[str, LargeStream] = field(default_factory=dict)
    difficulties: NDArray[np.float64] | None = None

    @property
    def dims(self) -> dict[str, int]:
        """Feature size per stream; of maps their channels, of pictures their colors."""
        dims = {name: padded.shape[-1] for name, padded in self.streams.items()}
        return dims | {name: maps.num_channels for name, maps in self.maps.items()}

    @property
    def without_steps(self) -> dict[str, list[str]]:
        """Per stream, the videos that have no step at all (no athlete found): their stream is masked out."""
        return {
            name: [self.video_ids[index] for index in (lengths == 0).nonzero().flatten().tolist()]
            for name, lengths in self.lengths.items()
        }

    @property
    def digest(self) -> str:
        """SHA-256 of ids, labels, features and lengths, in 16 hex digits: same data, same digest.

        Records of maps are too large to be read for it: their own checksums stand for them.
        """
        content = hashlib.sha256("\n".join(self.video_ids).encode())
        content.update(self.labels.tobytes())
        for name in sorted(self.streams):
            content.update(f"{name}{tuple(self.streams[name].shape)}".encode())
            content.update(self.lengths[name].numpy().tobytes())
            content.update(self.streams[name].numpy().data)
        for name in sorted(self.maps):
            content.update("\n".join([name, *self.maps[name].checksums]).encode())
        return content.hexdigest()[:16]

    def rows(self, stream: str, video: int) -> NDArray[np.floating]:
        """Return the steps of one video: `(time, dim)` or `(time, view, dim)`; of maps the reference view."""
        if stream in self.maps:
            return self.maps[stream].reference(video)
        rows: NDArray[np.floating] = (
            self.streams[stream][video, : int(self.lengths[stream][video])].cpu().numpy()
        )
        return rows

    def indices(self, video_ids: Iterable[str]) -> NDArray[np.int64]:
        """Where these videos are; those that are not here are left out."""
        place = {video_id: index for index, video_id in enumerate(self.video_ids)}
        return np.array([place[v] for v in video_ids if v in place], dtype=np.int64)


def find_missing(
    store: Store, dataset: Dataset, specs: Mapping[str, StreamSpec], *, video_ids: Iterable[str]
) -> dict[str, list[str]]:
    """Videos that lack a record, each with the streams it lacks."""
    stored = {stream: set(store.video_ids(dataset.name, spec)) for stream, spec in specs.items()}
    lacking = {v: [stream for stream in specs if v not in stored[stream]] for v in video_ids}
    return {video_id: streams for video_id, streams in lacking.items() if streams}


def check_complete(
    missing: Mapping[str, Sequence[str]], *, store: Store, dataset: Dataset, num_videos: int
) -> None:
    """Raise one `RunError` that names every missing record and the command that makes them."""
    if not missing:
        return
    streams = sorted({stream for lacking in missing.values() for stream in lacking})
    shown = [f"  {video_id}: no {', '.join(lacking)}" for video_id, lacking in list(missing.items())[:20]]
    if len(missing) > len(shown):
        shown.append(f"  ... and {len(missing) - len(shown)} more")
    lines = "\n".join(shown)
    videos = counted(num_videos, "video lacks", "videos lack")
    raise RunError(
        f"{len(missing)} of {videos} features in {store.root}:\n{lines}\n"
        f"Make them with `{making_command(store, dataset, streams)}`, "
        "or go on without these videos with --allow-missing."
    )


def check_current(
    store: Store, dataset: Dataset, specs: Mapping[str, StreamSpec], *, video_ids: Iterable[str]
) -> None:
    """Raise `RunError` if a video differs from the one that its features were made of.

    Videos that are not on this machine are not compared.
    """
    changed = find_changed(store, dataset, list(specs.values()), video_ids)
    if changed:
        number = counted(len(changed), "video")
        raise RunError(
            f"{number} changed since {store.root} was extracted: {in_words(changed)}.\n"
            f"Make their features anew with `{extract_command(store, dataset, list(specs))}` "
            "and the options that were given then; all others stay. Another folder of the same name is kept "
            "apart with --name."
        )


AS_THE_PAPER = Reading()


def load_features(
    store: Store,
    dataset: Dataset,
    specs: Mapping[str, StreamSpec],
    *,
    target: Target,
    video_ids: Sequence[str],
    reading: Reading = AS_THE_PAPER,
) -> FeatureSet:
    """Read the streams of the videos into memory, except maps and pictures.

    Every record must exist (see `find_missing`). `reading` says how maps and pictures are read. Raises
    `RunError` for a video without the target's label, or streams of unequal feature size.
    """
    labels = raw_labels(dataset, target, video_ids)
    streams, maps, seconds = {}, {}, {}
    for stream, spec in specs.items():
        if stream in LARGE_STREAMS:
            mapped = [store.map(dataset.name, video_id, spec) for video_id in video_ids]
            opened = [OpenedRecord(each.spec, each.features, each.extras, each.checksum) for each in mapped]
            maps[stream] = reading.open(stream, opened)
            seconds[stream] = maps[stream].clip_seconds([record.pts_seconds for record in mapped])
        else:
            read = [store.read(dataset.name, video_id, spec) for video_id in video_ids]
            streams[stream] = _padded(stream, read)
            seconds[stream] = tuple(record.pts_seconds for record in read)
    return FeatureSet(
        video_ids=tuple(video_ids),
        streams=streams,
        lengths={stream: torch.tensor(list(map(len, each))) for stream, each in seconds.items()},
        pts_seconds=seconds,
        labels=labels,
        maps=maps,
    )


def raw_labels(dataset: Dataset, target: Target, video_ids: Sequence[str]) -> NDArray[np.float64]:
    """Return the judges' scores `(video)`; raise `RunError` listing the videos that lack one."""
    labels = {video.video_id: video.labels for video in dataset.videos}
    lacking = [v for v in video_ids if not np.isfinite(labels.get(v, {}).get(target.name, np.nan))]
    if lacking:
        of = f"of {dataset.name}"
        videos = counted(len(video_ids), f"video {of} has", f"videos {of} have")
        raise RunError(
            f"{len(lacking)} of {videos} no {target.name!r} score, "
            f"such as {lacking[:5]}: choose another target, or complete the label file."
        )
    return np.array([labels[video_id][target.name] for video_id in video_ids], dtype=np.float64)


def _padded(stream: str, records: Sequence[Record]) -> Tensor:
    # A record without steps may not know its feature size, so only the others are asked.
    shapes = {record.features.shape[1:] for record in records if len(record.features)}
    sizes = sorted(" x ".join(map(str, shape)) for shape in shapes)
    if len(shapes) != 1:
        raise RunError(
            f"no video has a step in stream {stream!r}: there is nothing to learn from."
            if not shapes
            else f"the {stream!r} features have several sizes, {sizes}: extract them again."
        )
    padded = torch.zeros(len(records), max(len(record.features) for record in records), *shapes.pop())
    for row, record in zip(padded, records, strict=True):
        row[: len(record.features)] = torch.from_numpy(np.asarray(record.features, dtype=np.float32))
    return padded
