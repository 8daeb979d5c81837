"""FS1000: 1,000 figure skating programs of singles and pairs, with seven scores.

Xia et al.: "Skating-Mixer: Long-Term Sport Audio-Visual Modeling with MLPs", AAAI 2023. A line of the label
files has no header and reads: id, TES, PCS, five components, factor. As in the released code, `pcs` is PCS by
the factor, so that the programs of all categories have one scale. The order of the columns is that of the
authors' code. The adapter was not tried on the files themselves.
"""

from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, find_parts, read_label_text, scan_videos
from aqa_pipeline.datasets.reading.field_values import inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.datasets.splits import official_split
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Target, Video

NAME = "fs1000"
# Skating skills, transitions, performance, composition, interpretation.
COMPONENTS = ("ss", "tr", "pe", "co", "in")
COLUMNS = ("tes", "factored-pcs", *COMPONENTS, "factor")
SIDES = {
    "train": ("train_fs1000_new.txt", "train_fs1000.txt", "train_fs800.txt"),
    "test": ("val_fs1000_new.txt", "val_fs1000.txt", "val_fs800.txt"),
}
LABEL_FOLDERS = (".", "FS1000", "annotations", "data")
VIDEO_FOLDERS = ("videos", "FS1000/videos", ".")

# MCMoE divides TES by 130, PCS by 60 (after the factor) and the components by 10.
TARGETS = (
    Target("tes", 0.0, 130.0),
    Target("pcs", 0.0, 60.0),
    *(Target(component, 0.0, 10.0) for component in COMPONENTS),
    Target("factored-pcs"),
)

WHERE = """\
Labels and features: the link in the README of the repository AndyFrancesco29/Audio-Visual-Figure-Skating.
Optical flow features: the link in the README of XuHuangbiao/MCMoE. Videos: on request from the authors."""

LAYOUT = """\
ROOT/train_fs1000_new.txt, ROOT/val_fs1000_new.txt   or train_fs800.txt and val_fs800.txt; also in ROOT/FS1000
ROOT/videos/<id>.mp4                                 id such as 2018_Final_MF_Junhwan; features need no videos
ROOT/boxes/<id>.csv                                  optional person boxes"""


@dataclass(frozen=True)
class _Label:
    video_id: str
    side: str
    marks: RowLabels

    @property
    def scores(self) -> dict[str, float]:
        """Return the scores by target, with PCS by the factor if both are known."""
        scores = {name: value for name, value in self.marks.values.items() if name != "factor"}
        factor = self.marks.values.get("factor", 0.0)
        if "factored-pcs" in scores and factor > 0:
            scores["pcs"] = scores["factored-pcs"] / factor
        return scores


def load(root: Path) -> Dataset:
    """Load FS1000 from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    paths = find_parts(names, [*SIDES.values()], folders=LABEL_FOLDERS, layout=f"{LAYOUT}\n{WHERE}")
    rows = [
        (f"{path.name} line {number}", (side, line))
        for side, path in zip(SIDES, paths, strict=True)
        for number, line in enumerate(read_label_text(path).splitlines(), start=1)
        if line.strip()
    ]
    labels, problems = parse_rows(
        rows, parse=_parse, identify=lambda label: label.video_id, unread=lambda label: label.marks.unread
    )
    if not labels:
        raise DatasetError(f"{paths[0]} and {paths[1]} have no usable line: {'; '.join(problems[:1])}")
    shelf = scan_videos(names, *VIDEO_FOLDERS)
    official = official_split(
        {side: [label.video_id for label in labels if label.side == side] for side in SIDES}
    )
    videos = tuple(_video(names, label, shelf=shelf) for label in labels)
    return assemble_dataset(NAME, names, targets=TARGETS, videos=videos, splits=official, problems=problems)


def _parse(raw: tuple[str, str]) -> _Label:
    side, line = raw
    fields = line.split()
    if len(fields) != 1 + len(COLUMNS):
        raise DatasetError(f"expected id TES PCS SS TR PE CO IN factor, got {counted(len(fields), 'word')}")
    marks = read_labels(dict(zip(COLUMNS, fields[1:], strict=True)))
    return _Label(inner_path(fields[0], name="id"), side, marks)


def _video(names: FolderNames, label: _Label, *, shelf: Shelf) -> Video:
    return Video(
        video_id=label.video_id,
        path=shelf.find(label.video_id) or names.root / "videos" / f"{label.video_id}.mp4",
        labels=label.scores,
        boxes=boxes_beside(names, label.video_id),
    )


ADAPTER = DatasetAdapter(
    name=NAME,
    title="FS1000: 1,000 figure skating programs, technical and component scores",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
