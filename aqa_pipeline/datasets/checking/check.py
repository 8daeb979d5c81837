"""Check a dataset on disk and summarize it: videos, hours, frame rates, sizes, scores, splits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aqa_pipeline.datasets.checking.check_boxes import BoxCheck
from aqa_pipeline.datasets.checking.picture_gaps import gap_notes
from aqa_pipeline.errors import VideoError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.video import VideoFacts, probe
from aqa_pipeline.video.clip_seconds import rate_notes
from aqa_pipeline.video.plain import in_words

NUM_BINS = 12


@dataclass(frozen=True)
class Histogram:
    """Counts of raw scores in the bins between `edges`; there is one edge more than counts."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]


@dataclass(frozen=True)
class FileReport:
    """The files of the videos. Pairs are video id and path or reason; sizes are (width, height) in pixels.

    `missing` videos have neither a file nor features. `total_seconds` counts the performances: of a
    broadcast, the windows that the labels cut out of it. `fps_counts` (rounded to 1/1000),
    `resolution_counts` and `picture_counts` (how pictures are made plain, in words) count videos that can be
    opened.
    """

    num_readable: int
    missing: tuple[tuple[str, Path], ...]
    unreadable: tuple[tuple[str, str], ...]
    total_seconds: float
    fps_counts: Mapping[float, int]
    resolution_counts: Mapping[tuple[int, int], int]
    picture_counts: Mapping[str, int]


@dataclass(frozen=True)
class LabelReport:
    """The labels. `problems` are rows that cannot be used; `split_sizes` are (train, test) by split."""

    problems: tuple[str, ...]
    histograms: Mapping[str, Histogram]
    split_sizes: Mapping[str, tuple[int, int]]
    num_groups: int


@dataclass(frozen=True)
class BoxReport:
    """The person boxes of `num_videos` videos. Pairs are video id and reason."""

    num_videos: int
    refused: tuple[tuple[str, str], ...]
    doubtful: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FeatureReport:
    """Stored features that need no video.

    `counts` counts their videos, by a description of the features. `without_video` are the videos that have
    no file.
    """

    counts: Mapping[str, int]
    without_video: tuple[str, ...]


@dataclass(frozen=True)
class DatasetReport:
    """The result of a dataset's check. `notes` are facts that are no fault."""

    name: str
    root: Path
    num_videos: int
    files: FileReport
    labels: LabelReport
    boxes: BoxReport
    features: FeatureReport
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Return whether every video opens or has features, boxes fit, and every label row is usable."""
        return not (self.files.missing or self.files.unreadable or self.labels.problems or self.boxes.refused)


def check_dataset(dataset: Dataset, *, features: Mapping[str, frozenset[str]] | None = None) -> DatasetReport:
    """Read the header of every video (once per file) and summarize the labels.

    `features` maps a description of features to the ids of the videos that need no file because of them.
    """
    features = features or {}
    featured = frozenset[str]().union(*features.values())
    absent = [video for video in dataset.videos if not video.path.exists()]
    boxes = BoxCheck()
    files = _check_files(dataset, [video for video in absent if video.video_id not in featured], boxes)
    return DatasetReport(
        name=dataset.name,
        root=dataset.root,
        num_videos=len(dataset.videos),
        files=files,
        labels=_check_labels(dataset),
        boxes=BoxReport(
            num_videos=sum(video.boxes is not None and video.boxes.is_file() for video in dataset.videos),
            refused=tuple(boxes.refused),
            doubtful=tuple(boxes.doubtful),
        ),
        features=FeatureReport(
            counts={description: len(ids) for description, ids in features.items()},
            without_video=tuple(video.video_id for video in absent if video.video_id in featured),
        ),
        notes=(*dataset.notes, *gap_notes(dataset.videos), *rate_notes(files.fps_counts)),
    )


def _check_files(dataset: Dataset, missing: Sequence[Video], boxes: BoxCheck) -> FileReport:
    """Open every file that is there, and let `boxes` take the boxes of those that can be opened."""
    seen: dict[Path, VideoFacts | VideoError] = {}
    unreadable, seconds = [], 0.0
    rates: Counter[float] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    pictures: Counter[str] = Counter()
    for video in dataset.videos:
        if not video.path.exists():
            continue
        try:
            facts = _facts(video, seen)
            seconds += _performance_seconds(video, facts)
        except VideoError as error:
            unreadable.append((video.video_id, str(error)))
            continue
        boxes.take(video, facts)
        rates[round(facts.fps, 3)] += 1
        sizes[facts.width, facts.height] += 1
        pictures.update(in_words(facts.picture))
    return FileReport(
        num_readable=rates.total(),
        missing=tuple((video.video_id, video.path) for video in missing),
        unreadable=tuple(unreadable),
        total_seconds=seconds,
        fps_counts=dict(rates.most_common()),
        resolution_counts=dict(sizes.most_common()),
        picture_counts=dict(pictures.most_common()),
    )


def _check_labels(dataset: Dataset) -> LabelReport:
    return LabelReport(
        problems=dataset.problems,
        histograms=_histograms(dataset),
        split_sizes={name: (len(split.train), len(split.test)) for name, split in dataset.splits.items()},
        num_groups=len({video.group for video in dataset.videos} - {None}),
    )


def _facts(video: Video, seen: dict[Path, VideoFacts | VideoError]) -> VideoFacts:
    """Return the facts of the file, which is opened once even for many performances. Raise `VideoError`."""
    if video.path not in seen:
        try:
            seen[video.path] = probe(video.path, fps=video.fps)
        except VideoError as error:
            seen[video.path] = error
    facts = seen[video.path]
    if isinstance(facts, VideoError):
        raise facts
    return facts


def _performance_seconds(video: Video, facts: VideoFacts) -> float:
    if video.start_frame >= facts.num_frames or (video.stop_frame or 0) > facts.num_frames:
        raise VideoError(
            f"{video.path} has {counted(facts.num_frames, 'frame')}, but the performance is "
            f"[{video.start_frame}, {video.stop_frame}): do the labels belong to another file?"
        )
    stop = facts.num_frames if video.stop_frame is None else video.stop_frame
    return (stop - video.start_frame) / facts.fps


def _histograms(dataset: Dataset) -> dict[str, Histogram]:
    histograms = {}
    for target in dataset.targets:
        scores = [video.labels[target.name] for video in dataset.videos if target.name in video.labels]
        if scores:
            counts, edges = np.histogram(scores, bins=NUM_BINS)
            histograms[target.name] = Histogram(tuple(counts.tolist()), tuple(edges.tolist()))
    return histograms
