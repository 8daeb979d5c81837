"""Fis-V: 500 short programs of figure skating, technical and component score.

Xu et al.: "Learning to Score Figure Skating Sport Videos", IEEE TCSVT 2019. The two text files are the split.
Their rows read `id TES PCS deduction`. There is no header, so loaders that skip the first line lose a video.
The total is computed as TES + PCS - deduction, because the published table of totals has typing errors.
"""

from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, find_parts, read_label_text, scan_videos
from aqa_pipeline.datasets.reading.field_values import frame_number
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.datasets.splits import official_split
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Target, Video

NAME = "fis-v"
# The frame rate of the released features. Used for folders of pictures only.
FPS = 25.0
SIDES = ("train", "test")
COLUMNS = ("TES", "PCS", "deduction")
LABEL_FOLDERS = (".", "data", "annotations")
VIDEO_FOLDERS = ("videos", "mp4_videos", "video", ".")

# PCS: five marks of at most 10, times 0.8 for women. TES has no bound: the largest is 42.81, and MLAVL
# divides by 45. The largest deduction is 4.
TARGETS = (
    Target("tes", 0.0, 45.0),
    Target("pcs", 0.0, 40.0),
    Target("total", 0.0, 85.0),
    Target("deduction", 0.0, 5.0),
)

WHERE = """\
Labels: data/train_dataset.txt and data/test_dataset.txt of the repository chmxu/MS_LSTM.
Videos: the link in its README (<id>.mp4, 1 to 500)."""

LAYOUT = """\
ROOT/train_dataset.txt, ROOT/test_dataset.txt   also in ROOT/data or ROOT/annotations
ROOT/videos/1.mp4 ... 500.mp4                   or in ROOT; folders of pictures at 25 fps too
ROOT/boxes/1.csv                                optional person boxes"""


@dataclass(frozen=True)
class _Label:
    video_id: str
    side: str
    marks: RowLabels

    @property
    def scores(self) -> dict[str, float]:
        """Return the scores by target, with the total if all its parts are present."""
        scores = {column.lower(): value for column, value in self.marks.values.items()}
        if len(scores) == len(COLUMNS):
            scores["total"] = scores["tes"] + scores["pcs"] - scores["deduction"]
        return scores


def load(root: Path) -> Dataset:
    """Load Fis-V from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    paths = find_parts(
        names,
        [(f"{side}_dataset.txt",) for side in SIDES],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    raw_rows = [row for side, path in zip(SIDES, paths, strict=True) for row in _raw_rows(path, side)]
    labels, problems = parse_rows(
        raw_rows, parse=_parse, identify=lambda label: label.video_id, unread=lambda label: label.marks.unread
    )
    if not labels:
        raise DatasetError(f"{paths[0]} and {paths[1]} have no usable line: {'; '.join(problems[:1])}")
    shelf = scan_videos(names, *VIDEO_FOLDERS)
    official = official_split(
        {side: [label.video_id for label in labels if label.side == side] for side in SIDES}
    )
    videos = tuple(_video(names, label, shelf=shelf) for label in labels)
    return assemble_dataset(NAME, names, targets=TARGETS, videos=videos, splits=official, problems=problems)


def _raw_rows(path: Path, side: str) -> list[tuple[str, tuple[str, list[str]]]]:
    lines = [
        (f"{path.name} line {number}", (side, line.replace(",", " ").split()))
        for number, line in enumerate(read_label_text(path).splitlines(), start=1)
        if line.strip()
    ]
    _, (_, first) = lines[0]
    return lines[1:] if not any(map(_is_number, first)) else lines


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(raw: tuple[str, list[str]]) -> _Label:
    side, fields = raw
    if len(fields) != 4:
        raise DatasetError(f"expected id TES PCS deduction, got {counted(len(fields), 'word')}")
    marks = read_labels(dict(zip(COLUMNS, fields[1:], strict=True)))
    return _Label(str(frame_number(fields[0], name="id")), side, marks)


def _video(names: FolderNames, label: _Label, *, shelf: Shelf) -> Video:
    path = shelf.find(label.video_id) or names.root / "videos" / f"{label.video_id}.mp4"
    return Video(
        video_id=label.video_id,
        path=path,
        labels=label.scores,
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, label.video_id),
    )


ADAPTER = DatasetAdapter(
    name=NAME,
    title="Fis-V: 500 short programs of figure skating, technical and component score",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
