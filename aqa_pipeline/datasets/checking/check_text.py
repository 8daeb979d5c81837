"""The report of a dataset's check as a text for the terminal."""

from collections.abc import Iterator, Mapping, Sequence

from aqa_pipeline.datasets.checking.check import DatasetReport, LabelReport
from aqa_pipeline.plurals import counted

BARS = " ▁▂▃▄▅▆▇█"
LINES_SHOWN = 10


def format_report(report: DatasetReport) -> str:
    """Return the report as a text for the terminal."""
    return "\n".join(_lines(report))


def _lines(report: DatasetReport) -> Iterator[str]:
    yield f"{report.name} in {report.root}"
    yield from (f"  {name:<8}{text}" for name, text in _facts(report))
    yield from _labels(report.labels)
    yield from _listing("no video, but features", report.features.without_video)
    yield from _listing("missing", [f"{video_id}: {path}" for video_id, path in report.files.missing])
    yield from _listing("unreadable", _reasons(report.files.unreadable))
    yield from _listing("boxes refused", _reasons(report.boxes.refused))
    yield from _listing("boxes in doubt", _reasons(report.boxes.doubtful))
    yield from _listing("labels not used", report.labels.problems)
    yield from _listing("worth knowing", report.notes)


def _facts(report: DatasetReport) -> Iterator[tuple[str, str]]:
    files = report.files
    yield "videos", f"{files.num_readable} of {report.num_videos} can be read"
    yield "length", f"{files.total_seconds / 3600:.2f} hours ({_mean_seconds(report)})"
    yield "fps", _counted({f"{fps:g}": count for fps, count in files.fps_counts.items()})
    yield "size", _counted({f"{w}x{h}": count for (w, h), count in files.resolution_counts.items()})
    if files.picture_counts:
        yield "read", _counted(files.picture_counts)
    yield "groups", str(report.labels.num_groups or "none")
    yield "boxes", f"{counted(report.boxes.num_videos, 'video comes', 'videos come')} with person boxes"
    for features, count in report.features.counts.items():
        yield "stored", f"{features} of {count} of {counted(report.num_videos, 'video')}"


def _labels(labels: LabelReport) -> Iterator[str]:
    yield from ("", "scores")
    width = max((len(name) for name in labels.histograms), default=0)
    for name, histogram in labels.histograms.items():
        low, high = histogram.edges[0], histogram.edges[-1]
        yield f"  {name:<{width}}  {low:8.2f} {_bars(histogram.counts)} {high:.2f}"
    if not labels.histograms:
        yield "  none: no head can be trained"
    yield from ("", "splits (train/test)")
    yield from (f"  {names}: {size[0]}/{size[1]}" for names, size in _grouped_sizes(labels.split_sizes))
    if not labels.split_sizes:
        yield "  none: at least two usable videos are needed"


def _mean_seconds(report: DatasetReport) -> str:
    files = report.files
    return f"mean {files.total_seconds / files.num_readable:.1f} s" if files.num_readable else "no video"


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


def _listing(title: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    rest = len(lines) - LINES_SHOWN
    return ["", f"{title} ({len(lines)})", *(f"  {line}" for line in lines[:LINES_SHOWN])] + (
        [f"  and {rest} more"] if rest > 0 else []
    )
