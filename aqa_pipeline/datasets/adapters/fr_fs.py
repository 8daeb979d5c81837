"""FR-FS, Fall Recognition in Figure Skating: 417 jumps, 276 clean landings, 141 falls, in two halves.

Wang et al.: "TSA-Net: Tube Self-Attention Network for Action Quality Assessment", ACM MM 2021. `Train.xls`
and `Test.xls` have a header, then key and label. A label above 0.5 is a clean landing. `FRFS_Boxes.json` has
the tracked quads of the skater (`athlete.quads.read_quads` reads it and corrects the order of its first
rows).
"""

from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import boxes_beside, find_parts, scan_videos
from aqa_pipeline.datasets.reading.field_values import finite_number, inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.spreadsheets import read_sheet
from aqa_pipeline.datasets.splits import grouped_splits
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Split, Target, Video

NAME = "fr-fs"
# Every clip has 103 frames and no rate is published: 25 is nominal, as for AQA-7.
FPS = 25.0
NUM_FRAMES = 103
CLEAN_ABOVE = 0.5
SHEET = "Sheet1"
SIDES = {"train": "Train", "test": "Test"}
FOLDERS = ("FRFS", ".")
QUADS_FILE = "FRFS_Boxes.json"

TARGETS = (Target("clean", 0.0, 1.0),)

WHERE = """\
Everything: the links in the README of the repository Shunli-Wang/TSA-Net (FR-FS, about 2.5 GB). .xls files
need xlrd (the extra `xls`, or pip install xlrd). Or save each sheet as .csv beside the .xls file."""

LAYOUT = f"""\
ROOT/FRFS/Train.xls, ROOT/FRFS/Test.xls     or .csv with the same columns (taken first); also in ROOT itself
ROOT/FRFS/Images/308-1/*.jpg ...            103 pictures per clip, by the key in the sheets
ROOT/FRFS/{QUADS_FILE}                optional tracked quads
ROOT/boxes/308-1.csv                        optional person boxes"""


@dataclass(frozen=True)
class _Label:
    video_id: str
    side: str
    clean: bool

    @property
    def group(self) -> str:
        # The keys of one program seem to begin alike (308-1, 241-3). No publication says so. If it is wrong,
        # a grouped split keeps clips together without need, and does no harm.
        return self.video_id.split("-")[0]


def load(root: Path) -> Dataset:
    """Load FR-FS from `root`. An absent clip has the path at which it is expected."""
    names = FolderNames(root)
    paths = find_parts(
        names,
        [(f"{name}.csv", f"{name}.xls") for name in SIDES.values()],
        folders=FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    raw_rows = [
        (f"{path.name} row {number}", (side, fields))
        for side, path in zip(SIDES, paths, strict=True)
        for number, fields in read_sheet(path, sheet=SHEET)
    ]
    labels, problems = parse_rows(raw_rows, parse=_parse, identify=lambda label: label.video_id)
    if not labels:
        raise DatasetError(f"{paths[0]} and {paths[1]} have no usable row: {'; '.join(problems[:1])}")
    images = paths[0].parent / "Images"
    shelf = scan_videos(names, images.relative_to(root).as_posix())
    splits = _splits(labels)
    videos = [
        _video(names, label, path=shelf.find(label.video_id) or images / label.video_id) for label in labels
    ]
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=videos,
        splits=splits,
        problems=problems,
        default_splits=list(splits)[:1],
    )


def _parse(raw: tuple[str, list[str]]) -> _Label:
    side, fields = raw
    if len(fields) < 2:
        raise DatasetError("expected key and label, got one field")
    label = finite_number(fields[1], name="label")
    if not 0 <= label <= 1:
        raise DatasetError(f"label {label:g} is not within 0 (a fall) to 1 (a clean landing)")
    return _Label(inner_path(fields[0], name="key"), side, label > CLEAN_ABOVE)


def _splits(labels: list[_Label]) -> dict[str, Split]:
    train, test = (tuple(label.video_id for label in labels if label.side == side) for side in SIDES)
    if not train or not test:
        return {}
    groups = {label.video_id: label.group for label in labels}
    return {"official": Split("official", train=train, test=test)} | grouped_splits(
        groups, num_test=len(test)
    )


def _video(names: FolderNames, label: _Label, *, path: Path) -> Video:
    return Video(
        video_id=label.video_id,
        path=path,
        labels={"clean": float(label.clean)},
        group=label.group,
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, label.video_id),
        duration_seconds=NUM_FRAMES / FPS,
    )


ADAPTER = DatasetAdapter(
    name=NAME,
    title="FR-FS: 417 jumps in figure skating, clean landing or fall",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
