"""Check a dataset on disk and summarize it: videos, hours, frame rates, sizes, scores, splits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from aqa_pipeline.datasets.checking.check_boxes import BoxCheck
from aqa_pipeline.datasets.checking.picture_gaps import gap_notes
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.video import VideoFacts, probe
from aqa_pipeline.video.clip_seconds import rate_notes
from aqa_pipeline.video.plain import in_words

NUM_BINS = 12
BARS = " ▁▂▃▄▅▆▇█"
LINES_SHOWN = 10


@dataclass(frozen=True)
class Histogram:
    """Counts of raw scores in the bins between `edges`; there is one edge more than counts."""

    counts: tuple[int, ...]
    edges: tuple[float, ...]


@dataclass(frozen=True)
class DatasetReport:
    """What was found. Pairs are video id and path or reason; sizes are (width, height) in pixels.

    `total_seconds` counts the performances: of a broadcast, the windows that the labels cut out of it.
    `missing` has neither video nor features. `features` counts the videos whose features need no video, by
    what these are, and `without_video` names those of them that have none.
    `fps_counts` (rounded to 1/1000), `resolution_counts` and `picture_counts` (how pictures are made plain,
    in words) count videos that can be opened.
    """

    name: str
    root: Path
    num_videos: int
    num_readable: int
    missing: tuple[tuple[str, Path], ...]
    unreadable: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    total_seconds: float
    fps_counts: Mapping[float, int]
    resolution_counts: Mapping[tuple[int, int], int]
    picture_counts: Mapping[str, int]
    histograms: Mapping[str, Histogram]
    split_sizes: Mapping[str, tuple[int, int]]
    num_groups: int
    num_with_boxes: int
    boxes_refused: tuple[tuple[str, str], ...]
    boxes_doubtful: tuple[tuple[str, str], ...]
    features: Mapping[str, int] = field(default_factory=dict)
    without_video: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Return whether every video opens or has features, boxes fit, and every label row is usable."""
        return not (self.missing or self.unreadable or self.problems or self.boxes_refused)


def check_dataset(dataset: Dataset, *, features: Mapping[str, frozenset[str]] | None = None) -> DatasetReport:
    """Read the header of every video (once per file) and summarize the labels.

    `features` maps a description of features to the ids of the videos that need no file because of them.
    """
    features = features or {}
    featured = frozenset[str]().union(*features.values())
    without_video: list[str] = []
    seen: dict[Path, VideoFacts | VideoError] = {}
    missing, unreadable, seconds, boxes = [], [], 0.0, BoxCheck()
    rates: Counter[float] = Counter()
    sizes: Counter[tuple[int, int]] = Counter()
    pictures: Counter[str] = Counter()
    for video in dataset.videos:
        if not video.path.exists():
            if video.video_id in featured:
                without_video.append(video.video_id)
            else:
                missing.append((video.video_id, video.path))
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
    return DatasetReport(
        name=dataset.name,
        root=dataset.root,
        num_videos=len(dataset.videos),
        num_readable=rates.total(),
        missing=tuple(missing),
        unreadable=tuple(unreadable),
        problems=dataset.problems,
        notes=(*dataset.notes, *gap_notes(dataset.videos), *rate_notes(rates)),
        total_seconds=seconds,
        fps_counts=dict(rates.most_common()),
        resolution_counts=dict(sizes.most_common()),
        picture_counts=dict(pictures.most_common()),
        histograms=_histograms(dataset),
        split_sizes={name: (len(split.train), len(split.test)) for name, split in dataset.splits.items()},
        num_groups=len({video.group for video in dataset.videos} - {None}),
        num_with_boxes=sum(video.boxes is not None and video.boxes.is_file() for video in dataset.videos),
        boxes_refused=tuple(boxes.refused),
        boxes_doubtful=tuple(boxes.doubtful),
        features={what: len(ids) for what, ids in features.items()},
        without_video=tuple(without_video),
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
            f"{video.path} has {facts.num_frames} frames, but the performance is "
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


def format_report(report: DatasetReport) -> str:
    """Return the report as a text for the terminal."""
    facts = [
        ("videos", f"{report.num_readable} of {report.num_videos} can be read"),
        ("length", f"{report.total_seconds / 3600:.2f} hours ({_mean_seconds(report)})"),
        ("fps", _counted({f"{fps:g}": count for fps, count in report.fps_counts.items()})),
        ("size", _counted({f"{w}x{h}": count for (w, h), count in report.resolution_counts.items()})),
        *([("read", _counted(report.picture_counts))] if report.picture_counts else []),
        ("groups", str(report.num_groups or "none")),
        ("boxes", f"{report.num_with_boxes} videos come with person boxes"),
        *(
            ("stored", f"{what} of {count} of {report.num_videos} videos")
            for what, count in report.features.items()
        ),
    ]
    lines = [f"{report.name} in {report.root}", *(f"  {name:<8}{text}" for name, text in facts)]
    lines += ["", "scores"]
    width = max((len(name) for name in report.histograms), default=0)
    for name, histogram in report.histograms.items():
        low, high = histogram.edges[0], histogram.edges[-1]
        lines.append(f"  {name:<{width}}  {low:8.2f} {_bars(histogram.counts)} {high:.2f}")
    if not report.histograms:
        lines.append("  none: no head can be trained")
    lines += ["", "splits (train/test)"]
    lines += [f"  {names}: {size[0]}/{size[1]}" for names, size in _grouped_sizes(report.split_sizes)]
    if not report.split_sizes:
        lines.append("  none: at least two usable videos are needed")
    lines += _listing("no video, but features", list(report.without_video))
    lines += _listing("missing", [f"{video_id}: {path}" for video_id, path in report.missing])
    lines += _listing("unreadable", _reasons(report.unreadable))
    lines += _listing("boxes refused", _reasons(report.boxes_refused))
    lines += _listing("boxes in doubt", _reasons(report.boxes_doubtful))
    lines += _listing("labels not used", list(report.problems))
    lines += _listing("worth knowing", list(report.notes))
    return "\n".join(lines)


def _mean_seconds(report: DatasetReport) -> str:
    return f"mean {report.total_seconds / report.num_readable:.1f} s" if report.num_readable else "no video"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name} ({count})" for name, count in list(counts.items())[:LINES_SHOWN]]
    rest = len(counts) - len(shown)
    return ", ".join(shown + ([f"{rest} more"] if rest else [])) or "unknown"


def _bars(counts: tuple[int, ...]) -> str:
    """Return one bar per bin. A bin that is not empty has a visible bar."""
    tallest = max(counts)
    return "".join(BARS[-(-count * (len(BARS) - 1) // tallest)] for count in counts)


def _grouped_sizes(sizes: Mapping[str, tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    """Return successive splits of equal sizes as one line: random-0 ... random-4."""
    runs: list[tuple[list[str], tuple[int, int]]] = []
    for name, size in sizes.items():
        if runs and runs[-1][1] == size and runs[-1][0][0].split("-")[0] == name.split("-")[0]:
            runs[-1][0].append(name)
        else:
            runs.append(([name], size))
    return [(names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}", size) for names, size in runs]


def _reasons(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{video_id}: {reason}" for video_id, reason in pairs]


def _listing(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    rest = len(lines) - LINES_SHOWN
    return ["", f"{title} ({len(lines)})", *(f"  {line}" for line in lines[:LINES_SHOWN])] + (
        [f"  and {rest} more"] if rest > 0 else []
    )
