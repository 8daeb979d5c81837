"""Load any folder of videos with a CSV of scores: the dataset for a user's own data.

Columns, in any order: `video`, `score` (needed for training), and optionally
    score:<name>   a further target called <name>, e.g. score:difficulty; one of these may replace `score`
    id             the name of the row, if one file holds several performances (default: `video`)
    split          train or test (empty: neither)
    split:<name>   the same for a further split called <name>
    fold           any label; each fold is the test set of a split, the other folds are its training set
    group          an athlete or an event; grouped splits keep a group's videos together (default: athlete)
    athlete        who performs: the attempts of an athlete are compared over time
    date           when, as 2026-05-08 or 08.05.2026
    element        what is performed, if the folder holds several elements
    start_frame, stop_frame   the performance is [start_frame, stop_frame) of the file
    fps            the frame rate of a folder of pictures (a video file has its own timestamps)
    boxes          a CSV of person boxes inside the folder (default: boxes/<id>.csv if it exists)
Other columns are ignored. `marks.py` says how marks may be written, `score_table.py` describes the table.
A video without a mark (empty, `DNF`, `n/a`) stays in the dataset, without that label. Without a score column,
all videos stay without labels.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.disk import boxes_beside, is_frame_folder
from aqa_pipeline.datasets.reading.field_values import calendar_date, frame_number, inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.marks import Column, is_missing
from aqa_pipeline.datasets.reading.own_videos import find_video, hints
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels, without_labels
from aqa_pipeline.datasets.reading.score_table import TableLine, read_score_table
from aqa_pipeline.datasets.reading.split_columns import (
    Places,
    read_places,
    split_columns,
    splits_of_columns,
    without_fold,
)
from aqa_pipeline.datasets.reading.video_endings import without_video_suffix
from aqa_pipeline.datasets.splits import folds
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Split, Target, Video

NAME = "folder"
USUAL_CSV_NAMES = ("scores.csv", "labels.csv")

WHERE = "Your own videos and scores: put a CSV with the columns video and score beside them."

LAYOUT = """\
ROOT/scores.csv   (or labels.csv, or the only .csv)   columns: video, score [, score:<name>, id, split,
                  split:<name>, fold, group, athlete, date, element, start_frame, stop_frame, fps, boxes]
ROOT/*.mp4 or ROOT/videos/*.mp4   any video format, or folders of pictures (these need the column fps)
ROOT/boxes/<id>.csv               optional person boxes: frame_index,x1,y1,x2,y2"""


@dataclass(frozen=True)
class _Row:
    """A usable line: its video, its set in each split, its marks, and the video's name in the CSV."""

    video: Video
    places: Places
    labels: RowLabels
    name: str = field(compare=False)


@dataclass(frozen=True)
class _Columns:
    """The columns of marks, each with the number format of all its fields, and the columns of splits.

    `names` are the names in the folder.
    """

    names: FolderNames
    marks: Mapping[str, Column]
    splits: Sequence[str]


def load(root: Path) -> Dataset:
    """Load the videos and scores of a folder. `problems` lists the rows that cannot be used.

    Raises `DatasetError` if there is no CSV, more than one, or one that is not a table of scores.
    """
    path, names = find_csv(root), FolderNames(root)
    header, lines = read_score_table(path)
    target_names = names_of_targets(path, header)
    marks = {name: Column(line.fields[name] for line in lines) for name in header if _is_score(name)}
    columns = _Columns(names, marks, split_columns(header))
    rows, problems = parse_rows(
        ((f"{path.name} line {line.number}", line) for line in lines),
        parse=lambda line: _parse(columns, line),
        identify=lambda row: row.video.video_id,
        unread=lambda row: row.labels.unread,
    )
    rows, contested = _without_contested(rows, names)
    splits, default_splits, split_problems = _splits(columns, [row for row in rows if row.video.labels])
    videos, targets = tuple(row.video for row in rows), tuple(Target(name) for name in target_names)
    absent = [row.name for row in rows if not row.video.path.exists()]
    return Dataset(
        name=NAME,
        root=root,
        videos=videos,
        splits=splits,
        targets=targets,
        problems=(*problems, *contested, *names.spellings.problems, *split_problems),
        notes=(
            *names.spellings.notes,
            *_without_scores(path, header, target_names),
            *without_labels(targets, videos),
            *without_fold(columns.splits, {row.video.video_id: row.places for row in rows}),
            *hints(names, absent),
        ),
        default_splits=default_splits,
    )


def find_csv(root: Path) -> Path:
    """Return the CSV of scores in `root`. Raise `DatasetError` if there is none, or more than one."""
    present = sorted(p for p in root.iterdir() if p.suffix.lower() == ".csv" and p.is_file())
    usual = [p for p in present if p.name.lower() in USUAL_CSV_NAMES]
    candidates = usual or present
    if not candidates:
        raise DatasetError(f"no CSV in {root}. Expected:\n{LAYOUT}\n{WHERE}")
    if len(candidates) > 1:
        names = ", ".join(p.name for p in candidates)
        raise DatasetError(f"several CSVs in {root}: {names}. Name the one to use {USUAL_CSV_NAMES[0]}.")
    return candidates[0]


def _is_score(column: str) -> bool:
    return column == "score" or column.startswith("score:")


def names_of_targets(path: Path, header: Sequence[str]) -> list[str]:
    """Return the targets of a table with these columns. Raise `DatasetError` without a column `video`."""
    names = [name.removeprefix("score:") for name in sorted(filter(_is_score, header), key="score".__ne__)]
    if "video" not in header:
        raise DatasetError(
            f"{path} has no column video. Its columns: {', '.join(header)}. "
            "Expected: video and score, further targets as score:<name>."
        )
    if "" in names or len(set(names)) < len(names):
        raise DatasetError(f"{path}: score columns need different names, got {', '.join(header)}")
    return names


def _without_scores(path: Path, header: list[str], target_names: list[str]) -> list[str]:
    if target_names:
        return []
    return [
        f"{path.name} has no column score, but {', '.join(header)}: its videos can be extracted, but no head "
        "can be trained on them."
    ]


def _parse(columns: _Columns, line: TableLine) -> _Row:
    if line.problem:
        raise DatasetError(line.problem)
    row = line.fields
    name = inner_path(row["video"], name="video")
    video_id = inner_path(row["id"], name="id") if row.get("id") else without_video_suffix(name)
    places = read_places(columns.splits, row)
    labels = read_labels(
        {column: row[column] for column in columns.marks},
        read=lambda text, name: columns.marks[name].number(text, name=name),
    )
    performed_on, labels = _performed_on(row.get("date", ""), labels)
    path = find_video(columns.names, name)
    video = Video(
        video_id=video_id,
        path=path,
        labels={column.removeprefix("score:"): mark for column, mark in labels.values.items()},
        group=row.get("group") or row.get("athlete") or None,
        athlete=row.get("athlete") or None,
        performed_on=performed_on,
        element=row.get("element") or None,
        **_window(row),
        fps=_picture_fps(row) if is_frame_folder(path) else None,
        boxes=_boxes(columns.names, row.get("boxes", ""), video_id),
    )
    return _Row(video, places, labels, name)


def _performed_on(text: str, labels: RowLabels) -> tuple[date | None, RowLabels]:
    """Return the date, and the labels with the reason where the date could not be read."""
    if is_missing(text):
        return None, labels
    try:
        return calendar_date(text, name="date"), labels
    except DatasetError as error:
        return None, replace(labels, unread=(*labels.unread, str(error)))


def _boxes(names: FolderNames, value: str, video_id: str) -> Path | None:
    if not value:
        return boxes_beside(names, video_id)
    name = inner_path(value, name="boxes")
    return names.find_file(name) or names.root / name


def _window(row: Mapping[str, str]) -> dict[str, int]:
    window = {
        name: frame_number(row[name], name=name) for name in ("start_frame", "stop_frame") if row.get(name)
    }
    start, stop = window.get("start_frame", 0), window.get("stop_frame")
    if stop is not None and start >= stop:
        raise DatasetError(f"start_frame {start} is not before stop_frame {stop}")
    return window


def _picture_fps(row: Mapping[str, str]) -> float:
    if not row.get("fps"):
        raise DatasetError("a folder of pictures needs its frame rate: a number in the column fps")
    fps = Column([row["fps"]]).number(row["fps"], name="fps")
    if fps <= 0:
        raise DatasetError(f"fps {row['fps']!r} is not above 0")
    return fps


def _without_contested(rows: list[_Row], names: FolderNames) -> tuple[list[_Row], list[str]]:
    """Leave out rows whose video was found under another spelling, if another row has its exact spelling."""
    by_part: dict[object, list[_Row]] = defaultdict(list)
    for row in rows:
        by_part[row.video.path, row.video.start_frame, row.video.stop_frame].append(row)
    respelled = names.spellings.respelled
    left_out = {
        row.video.video_id: f"video {row.name!r}: another row names the same file {row.video.path.name} in "
        "another spelling; expected one row per video"
        for sharing in by_part.values()
        if len({row.name for row in sharing}) > 1
        for row in sharing
        if row.name in respelled
    }
    return [row for row in rows if row.video.video_id not in left_out], list(left_out.values())


def _splits(columns: _Columns, rows: Sequence[_Row]) -> tuple[dict[str, Split], tuple[str, ...], list[str]]:
    """Return all splits, the names of the default ones, and the problems of the columns.

    The splits are those of the columns, else random folds; with two groups or more also grouped folds. The
    default is the first there is: `split`, all `split:<name>`, `fold`, grouped folds, random folds.
    """
    ids = [row.video.video_id for row in rows]
    if len(ids) < 2:
        return {}, (), []
    of_columns, problems = splits_of_columns(columns.splits, {row.video.video_id: row.places for row in rows})
    at_random = {} if any(of_columns) else folds("random", {video_id: video_id for video_id in ids})
    kinds = [*of_columns, _grouped_folds(rows), at_random]
    splits = {name: split for kind in kinds for name, split in kind.items()}
    return splits, tuple(next(filter(None, kinds), ())), problems


def _grouped_folds(rows: Sequence[_Row]) -> dict[str, Split]:
    if len({row.video.group for row in rows} - {None}) < 2:
        return {}
    # A video without a group is a group of its own.
    return folds("grouped", {r.video.video_id: r.video.group or f"(only {r.video.video_id})" for r in rows})


ADAPTER = DatasetAdapter(
    name=NAME,
    title="Any folder of videos with a CSV of scores: your own data",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
