"""Stored records against the videos of their datasets as these lie there now."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets import DATASETS, load_dataset
from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Dataset, Source, StreamSpec, Video
from aqa_pipeline.sources.compare import ELSEWHERE, Comparison, boxes_digest, boxes_of, compare, needs_boxes
from aqa_pipeline.store import Store
from aqa_pipeline.video import Disk

OWN = "folder"  # what reads a dataset that has no known name


def find_changed(
    store: Store, dataset: Dataset, specs: Sequence[StreamSpec], video_ids: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Videos on disk whose records were made from something else, each with the reasons.

    Quick: a digest is taken only of files whose time is another. Every record must be there.
    """
    real = [spec for spec in specs if not spec.simulated and not spec.imported]
    wanted, disk, changed = set(video_ids) if real else set(), Disk(), {}
    for video in dataset.videos:
        if video.video_id not in wanted or not video.path.exists():
            continue
        compared = [
            against_disk(store.source(dataset.name, video.video_id, spec), spec, video, disk=disk)
            for spec in real
        ]
        if reasons := dict.fromkeys(reason for each in compared for reason in each.reasons):
            changed[video.video_id] = tuple(reasons)
    return changed


def against_disk(
    source: Source, spec: StreamSpec, video: Video, *, disk: Disk, thorough: bool = False
) -> Comparison:
    """As `compare`, with the boxes of the dataset; quads that a user named elsewhere are not known here."""
    elsewhere = source.boxes_digest is not None and source.boxes_digest.startswith(ELSEWHERE)
    boxes = source.boxes_digest if elsewhere else boxes_digest(boxes_of(spec, video))
    return compare(
        source, video, disk=disk, boxes=boxes, need_boxes=elsewhere or needs_boxes(spec), thorough=thorough
    )


@dataclass(frozen=True)
class Checked:
    """One record of a store. `problem` says how its source differs, or why it cannot be compared."""

    path: Path
    problem: str | None = None
    of_a_video: bool = True


def check_sources(store: Store, *, root: Path | None = None) -> Iterator[Checked]:
    """Compare every record with its source, byte for byte; videos lie under `root`, or where they were.

    Raises `AqaError` where no dataset can be read, as `load_dataset`.
    """
    datasets = {name: _dataset(store, name, root) for name in store.datasets()}
    disk = Disk()
    for name, read in store.stored():
        path = store.root.joinpath(*name)
        try:
            record = read().record
        except AqaError as error:
            yield Checked(path, f"it cannot be read: {str(error).splitlines()[0]}")
            continue
        if record.source.size is None:
            yield Checked(path, of_a_video=False)
            continue
        path, videos = store.path(record.dataset, record.video_id, record.spec), datasets[record.dataset]
        if isinstance(videos, str) or record.video_id not in videos:
            yield Checked(path, videos if isinstance(videos, str) else "its dataset has no such video now")
            continue
        found = against_disk(record.source, record.spec, videos[record.video_id], disk=disk, thorough=True)
        gone = f"no longer there: {found.gone}" if found.gone else None
        yield Checked(path, gone or ", ".join(found.reasons) or None)


def _dataset(store: Store, name: str, root: Path | None) -> dict[str, Video] | str:
    """Return the dataset's videos by id, or why there are none."""
    origin = store.origin(name)
    where = root or (origin.root if origin else None)
    if where is None:
        return "the store does not say where its videos lie: name their folder with --root"
    adapter = origin.adapter if origin else name if name in DATASETS else OWN
    try:
        return {video.video_id: video for video in load_dataset(adapter, where, called=name).videos}
    except AqaError as error:
        return str(error).splitlines()[0]
