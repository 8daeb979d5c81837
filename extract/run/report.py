"""An extraction's report in words."""

from collections.abc import Iterator, Mapping

from aqa_pipeline.plurals import counted
from aqa_pipeline.sources.compare import in_words
from aqa_pipeline.store import Origin
from aqa_pipeline.text_table import format_table
from aqa_pipeline.video.plain import in_words as made_plain
from aqa_pipeline.video_names import count_of
from extract.clock import PHASES
from extract.run.stage import ExtractReport
from extract.run.write_behind import Written

MOST_SHOWN = 20


def format_extract_report(report: ExtractReport) -> str:
    """Return what was written per stream, how fast, what limited it, and every failure with its reason."""
    return "\n".join(_lines(report))


def _lines(report: ExtractReport) -> Iterator[str]:
    if report.written:
        header = ("stream", "videos", "steps", "without a person", "MB per video")
        yield format_table(header, list(_rows(report)))
        yield ""
        yield _speed(report)
    yield from _pictures(report)
    yield from _without_person(report)
    yield from _athletes(report)
    yield from _padded(report)
    yield from _looked(report)
    yield from _outside(report)
    if report.num_already_there:
        yield (
            f"{counted(report.num_already_there, 'video was', 'videos were')} in the store already "
            "(--overwrite makes them again)."
        )
    if report.changed:
        yield f"{_videos(report.changed)} changed since they were extracted: {in_words(report.changed)}."
    if report.gone:
        yield f"The records of {_videos(report.gone)} stay as they are. No longer there:"
        yield from (f"  {path}" for path in list(report.gone.values())[:MOST_SHOWN])
    if report.failures:
        yield f"{counted(len(report.failures), 'video')} failed, the others are stored:"
        for failure in report.failures:
            yield f"  {failure.video_id}: {failure.reason}"
    if not (report.written or report.failures or report.num_already_there):
        yield "No video to extract."


def _videos(named: Mapping[str, object]) -> str:
    return counted(len(named), "video")


def _pictures(report: ExtractReport) -> Iterator[str]:
    pictures = {row.video_id: row.picture for row in report.written}
    made: dict[str, list[str]] = {}
    for video_id, picture in pictures.items():
        for phrase in made_plain(picture):
            made.setdefault(phrase, []).append(video_id)
    for phrase, names in sorted(made.items(), key=lambda each: -len(each[1])):
        yield f"Pictures of {count_of(names, of=len(pictures))} were {phrase}."


def _without_person(report: ExtractReport) -> Iterator[str]:
    """Yield the videos that show nobody in some steps, and those that show nobody at all."""
    for stream, rows in _by_stream(report):
        lacking = [row for row in rows if row.num_steps_without_person]
        empty = [row.video_id for row in lacking if not row.num_steps]
        some_steps = [_missed(row) for row in lacking if row.num_steps]
        if empty:
            yield f"{stream.capitalize()}: no person at all in {count_of(empty)}."
        if some_steps:
            yield f"{stream.capitalize()}: steps without a person in {count_of(some_steps)}."


def _athletes(report: ExtractReport) -> Iterator[str]:
    events = [f"  {row.video_id} ({row.stream}): {row.athlete}" for row in report.written if row.athlete]
    if events:
        yield "The athlete was lost, or another person was followed (--preview shows where):"
        yield from events[:MOST_SHOWN]
    if len(events) > MOST_SHOWN:
        yield f"  and {len(events) - MOST_SHOWN} more"


def _missed(row: Written) -> str:
    missed = row.num_steps_without_person
    of = row.num_steps + missed if row.num_planned is None else row.num_planned
    return f"{row.video_id}: {missed} of {of}"


def _padded(report: ExtractReport) -> Iterator[str]:
    for stream, rows in _by_stream(report):
        padded = {row.video_id: row.num_repeated for row in rows if row.num_repeated}
        if padded:
            yield (
                f"{stream.capitalize()}: {count_of(list(padded), of=len(rows))} are padded, with "
                f"{sum(padded.values())} repeated frames."
            )


def _looked(report: ExtractReport) -> Iterator[str]:
    for stream, rows in _by_stream(report):
        parts = {row.video_id: row.looked for row in rows if row.looked}
        if parts:
            video_id, part = max(parts.items(), key=lambda item: item[1].num_frames)
            yield (
                f"{stream.capitalize()} look at a part of {count_of(list(parts), of=len(rows))}, such as "
                f"{part} of {video_id}: {part.option} looks at all."
            )


def _outside(report: ExtractReport) -> Iterator[str]:
    rows = [row for row in report.written if row.outside]
    if rows:
        yield "The athlete is outside the network's picture:"
        yield from (f"  {row.video_id} ({row.stream}): {row.outside}" for row in rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        yield f"  and in {len(rows) - MOST_SHOWN} more records"
    yield from (
        f"{option} shows the network the whole frame."
        for option in dict.fromkeys(row.outside.option for row in rows if row.outside and row.outside.option)
    )


def _by_stream(report: ExtractReport) -> Iterator[tuple[str, list[Written]]]:
    for stream in dict.fromkeys(row.stream for row in report.written):
        yield stream, [row for row in report.written if row.stream == stream]


def _rows(report: ExtractReport) -> Iterator[tuple[object, ...]]:
    for stream, rows in _by_stream(report):
        without = sum(row.num_steps_without_person for row in rows)
        megabytes = sum(row.num_bytes for row in rows) / len(rows) / 1e6
        yield stream, len(rows), sum(row.num_steps for row in rows), without, f"{megabytes:.2f}"


def _speed(report: ExtractReport) -> str:
    total = report.clock.total_seconds
    shares = ", ".join(
        f"{text} {report.clock.seconds[phase] / total:.0%}"
        for phase, text in PHASES.items()
        if phase in report.clock.seconds
    )
    per_minute = 60 * report.wall_seconds / report.video_seconds
    return (
        f"{counted(report.num_done, 'video')}, {report.video_seconds / 60:.1f} minutes of video in "
        f"{report.wall_seconds:.1f} s: {per_minute:.1f} s per video-minute ({shares})."
    )


def two_roots(before: Origin, now: Origin) -> str:
    """Return what to do if the changed videos are those of another folder."""
    apart = ": --name keeps two folders of one name apart" if now.adapter == "folder" else ""
    return f"They were extracted from {before.root} before, now from {now.root}{apart}."
