"""Rhythmic Gymnastics: 1,000 routines with ball, clubs, hoop and ribbon.

Zeng et al.: "Hybrid Dynamic-static Context-aware Attention Network for Action Assessment in Long
Videos" (ACTION-NET), ACM MM 2020. `train.txt` and `test.txt` have one header line and columns separated
by tabs and spaces: name, difficulty, execution, total, penalty, seconds. One model is trained per
apparatus, so there is one split per apparatus, and there are no groups.
"""

from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import (
    Shelf,
    boxes_beside,
    is_frame_folder,
    read_label_text,
    scan_videos,
)
from aqa_pipeline.datasets.reading.field_values import finite_number, inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Split, Target, Video

NAME = "rhythmic-gymnastics"
FPS = 25.0
APPARATUS = ("ball", "clubs", "hoop", "ribbon")
LABEL_FOLDERS = (".", "data", "annotations")
VIDEO_FOLDERS = ("videos", "RG_public/videos", "RG_public", ".")

# The released code divides every score by 25 for training, so every target has that scale.
TARGETS = (Target("total", 0.0, 25.0), Target("difficulty", 0.0, 25.0), Target("execution", 0.0, 25.0))

WHERE = """\
Labels and videos: the links in the README of the repository qinghuannn/ACTION-NET
(labels: data/train.txt and data/test.txt; videos: RG_public/videos/*.mp4)."""

LAYOUT = """\
ROOT/train.txt, ROOT/test.txt              also in ROOT/data or ROOT/annotations
ROOT/videos/Ball_001.mp4 ... Ribbon_250.mp4   or ROOT/RG_public/videos; folders of pictures at 25 fps too
ROOT/boxes/Ball_001.csv                    optional person boxes"""


@dataclass(frozen=True)
class _Label:
    video_id: str
    side: str
    marks: RowLabels
    seconds: float | None

    @property
    def apparatus(self) -> str:
        return self.video_id.split("_")[0].lower()


def load(root: Path) -> Dataset:
    """Load Rhythmic Gymnastics from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    raw_rows = [row for side in ("train", "test") for row in _raw_rows(names, side)]
    labels, problems = parse_rows(
        raw_rows, parse=_parse, identify=lambda label: label.video_id, unread=lambda label: label.marks.unread
    )
    if not labels:
        raise DatasetError(f"no usable line in train.txt and test.txt under {root}: {problems[:1]}")
    shelf = scan_videos(names, *VIDEO_FOLDERS)
    splits = _splits(labels)
    videos = tuple(_video(names, label, shelf=shelf) for label in labels)
    return assemble_dataset(NAME, names, targets=TARGETS, videos=videos, splits=splits, problems=problems)


def _raw_rows(names: FolderNames, side: str) -> list[tuple[str, tuple[str, str]]]:
    name = f"{side}.txt"
    path = names.find_file(*(f"{at}/{name}" for at in LABEL_FOLDERS))
    if path is None:
        raise DatasetError(
            f"no {name} in {names.root} (nor its data/ or annotations/). Expected:\n{LAYOUT}\n{WHERE}"
        )
    lines = enumerate(read_label_text(path).splitlines(), start=1)
    next(lines)
    return [(f"{name} line {number}", (side, line)) for number, line in lines if line.strip()]


def _parse(raw: tuple[str, str]) -> _Label:
    side, line = raw
    fields = line.split()
    if len(fields) != 6:
        raise DatasetError(
            f"expected name difficulty execution total penalty seconds, got {counted(len(fields), 'word')}"
        )
    name, difficulty, execution, total, _penalty, seconds = fields
    marks = read_labels({"total": total, "difficulty": difficulty, "execution": execution})
    label = _Label(inner_path(name, name="name"), side, marks, _seconds(seconds))
    if label.apparatus not in APPARATUS:
        raise DatasetError(f"name {label.video_id!r} does not begin with one of {', '.join(APPARATUS)}")
    return label


def _seconds(text: str) -> float | None:
    """Return the duration in seconds; None if the field has none, because training does not need it."""
    try:
        return finite_number(text, name="seconds")
    except DatasetError:
        return None


def _video(names: FolderNames, label: _Label, *, shelf: Shelf) -> Video:
    path = shelf.find(label.video_id) or names.root / "videos" / f"{label.video_id}.mp4"
    return Video(
        video_id=label.video_id,
        path=path,
        labels=label.marks.values,
        fps=FPS if is_frame_folder(path) else None,
        boxes=boxes_beside(names, label.video_id),
        duration_seconds=label.seconds,
    )


def _splits(labels: list[_Label]) -> dict[str, Split]:
    """Return one split for each apparatus that has videos in both sets."""
    splits = {}
    for apparatus in APPARATUS:
        ids: dict[str, list[str]] = {"train": [], "test": []}
        for label in labels:
            if label.apparatus == apparatus:
                ids[label.side].append(label.video_id)
        if ids["train"] and ids["test"]:
            splits[apparatus] = Split(apparatus, train=tuple(ids["train"]), test=tuple(ids["test"]))
    return splits


ADAPTER = DatasetAdapter(
    name=NAME,
    title="Rhythmic Gymnastics: 1,000 routines, four apparatus, total, difficulty or execution score",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
