"""Read label files of videos that are numbered within events: pickles with the keys (event, number).

FineDiving and LOGO are released so. A video lies in `<event>/<number>`, as a folder of pictures or a file.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, scan_videos
from aqa_pipeline.datasets.reading.field_values import frame_number, inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Split, Video
from aqa_pipeline.untrusted.pickles import read_pickle


@dataclass(frozen=True)
class EventLabel:
    """The marks of one video of an event, by column."""

    event: str
    number: int
    marks: RowLabels

    @property
    def video_id(self) -> str:
        """Return the video id, such as `WorldCup2021_final_0`. Names of feature files are the same."""
        return f"{self.event}_{self.number}"


Columns = Callable[[Sequence[object]], dict[str, str]]


def read_event_labels(path: Path, columns: Columns) -> tuple[list[EventLabel], list[str]]:
    """Return the usable labels of `{(event, number): entry}` in the file's order, and the problems.

    `columns` returns the fields of an entry, a list, by the name of the column. Raises `DatasetError` for
    another file.
    """
    entries = read_pickle(path)
    if not isinstance(entries, dict) or not entries:
        raise DatasetError(f"{path} holds no dict {{(event, number): labels}}: expected the release's file")
    labels, problems = parse_rows(
        ((f"{path.name} {key}", (key, entry)) for key, entry in entries.items()),
        parse=lambda raw: _parse(*raw, columns=columns),
        identify=lambda label: label.video_id,
        unread=lambda label: label.marks.unread,
    )
    if not labels:
        raise DatasetError(f"{path} has no usable entry; the first says {problems[0]}")
    return labels, problems


def read_event_split(
    name: str, train: Path, test: Path, labels: Iterable[EventLabel]
) -> tuple[Split, list[str]]:
    """Return the split of two files, each a list of (event, number), and a problem for each other entry."""
    known = {label.video_id for label in labels}
    sides, problems = [], []
    for path in (train, test):
        entries = read_pickle(path)
        if not isinstance(entries, list | tuple) or not entries:
            raise DatasetError(f"{path} holds no list of (event, number): expected the release's file")
        ids, bad = parse_rows(
            ((f"{path.name} entry {number}", entry) for number, entry in enumerate(entries, start=1)),
            parse=lambda entry: _known_id(entry, known),
            identify=str,
        )
        if not ids:
            raise DatasetError(f"{path} names no labeled video; the first entry says {bad[0]}")
        sides.append(tuple(ids))
        problems += bad
    return Split(name, train=sides[0], test=sides[1]), problems


def event_videos(
    names: FolderNames,
    labels: Iterable[EventLabel],
    *,
    folders: Sequence[str],
    fps: float,
    scores: Callable[[EventLabel], dict[str, float]],
) -> tuple[Video, ...]:
    """Return the videos, each found as `<event>/<number>` in one of `folders`, with the event as its group.

    An absent video is expected in the first folder. `fps` is the rate of folders of pictures.
    """
    shelves: dict[str, Shelf] = {}
    videos = []
    for label in labels:
        if label.event not in shelves:
            shelves[label.event] = scan_videos(names, *(f"{at}/{label.event}" for at in folders))
        path = shelves[label.event].find(str(label.number))
        path = path or names.root / folders[0] / label.event / str(label.number)
        videos.append(
            Video(
                video_id=label.video_id,
                path=path,
                labels=scores(label),
                group=label.event,
                fps=fps if path.is_dir() else None,
                boxes=boxes_beside(names, label.video_id),
            )
        )
    return tuple(videos)


def _parse(key: object, entry: object, *, columns: Columns) -> EventLabel:
    event, number = _parse_key(key)
    if not isinstance(entry, list | tuple):
        raise DatasetError(f"expected a list of labels, got {type(entry).__name__}")
    return EventLabel(event, number, read_labels(columns(entry)))


def _parse_key(key: object) -> tuple[str, int]:
    if not isinstance(key, list | tuple) or len(key) != 2:
        raise DatasetError(f"{key!r} is not (event, number)")
    event = inner_path(str(key[0]), name="event")
    if "/" in event:
        raise DatasetError(f"event {event!r} is a path: expected the name of a folder")
    return event, frame_number(str(key[1]), name="number")


def _known_id(entry: object, known: set[str]) -> str:
    event, number = _parse_key(entry)
    if f"{event}_{number}" not in known:
        raise DatasetError(f"video {event}_{number} has no usable labels")
    return f"{event}_{number}"
