"""List the videos of a project with the rows of the table of scores that belong to each."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.reading.field_values import frame_number
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.marks import is_missing
from aqa_pipeline.datasets.reading.own_videos import find_video
from aqa_pipeline.datasets.writing.entry import SCORE, SPAN, TARGET, is_untouched
from aqa_pipeline.datasets.writing.label_table import LabelRow, LabelTable
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.project.new import video_names

Part = tuple[int, int | None]  # frames [start, stop) of the file; None is the end


@dataclass(frozen=True)
class LabeledVideo:
    """A video file of the project, and the rows of its performances in the order of the table."""

    name: str
    path: Path
    rows: tuple[LabelRow, ...]

    @property
    def num_scored(self) -> int:
        """The number of its performances that have a mark."""
        return sum(any(not is_missing(text) for text in marks_of(row).values()) for row in self.rows)

    @property
    def untouched(self) -> LabelRow | None:
        """The row of the whole file in which nobody has entered anything yet, if there is one."""
        return next((row for row in self.rows if is_untouched(row)), None)

    def row(self, video_id: str) -> LabelRow | None:
        """Return the row of that id. Raise `DatasetError` if several rows have it."""
        found = [row for row in self.rows if row.video_id == video_id]
        if len(found) > 1:
            lines = ", ".join(str(row.line) for row in found)
            raise DatasetError(
                f"id {video_id!r} is in the lines {lines} of the table: delete all but one of them"
            )
        return found[0] if found else None


def labeled_videos(root: Path, table: LabelTable) -> list[LabeledVideo]:
    """Return the videos of the folder, sorted by name, with their rows."""
    names = FolderNames(root)
    rows = defaultdict(list)
    for row in table.rows:
        if row.video_id is not None and (path := _path(names, row.fields["video"])) is not None:
            rows[path].append(row)
    found = ((name, _path(names, name)) for name in dict.fromkeys(video_names(root)))
    return [LabeledVideo(name, path, tuple(rows[path])) for name, path in found if path is not None]


def video_named(videos: list[LabeledVideo], name: str) -> LabeledVideo:
    """Return the video of that name; raise `UnknownName`."""
    for video in videos:
        if video.name == name:
            return video
    raise UnknownName("video of this project", name, [video.name for video in videos])


def marks_of(row: LabelRow) -> dict[str, str]:
    """Return the marks of a row by column, empty ones too."""
    return {column: text for column, text in row.fields.items() if is_mark(column)}


def is_mark(column: str) -> bool:
    """Return whether a column holds marks."""
    return column == SCORE or column.startswith(TARGET)


def part_of(row: LabelRow) -> Part | None:
    """Return the part of the file that the row is; None for the whole file. Raises `DatasetError`."""
    start, stop = (row.fields.get(column, "") for column in SPAN)
    if not start and not stop:
        return None
    return (
        frame_number(start, name=SPAN[0]) if start else 0,
        frame_number(stop, name=SPAN[1]) if stop else None,
    )


def named_boxes(row: LabelRow) -> str:
    """Return why nobody is pointed at in this row: its column `boxes` names a file; "" if it does not."""
    name = row.fields.get("boxes", "")
    return f"The table names the boxes {name} for this video, and these are read." if name else ""


def _path(names: FolderNames, name: str) -> Path | None:
    """Return the file of that name; None if there is none, or if the name fits several."""
    try:
        path = find_video(names, name)
    except DatasetError:
        return None
    return path if path.is_file() else None
