"""AQA-7: 1,106 short clips of six sports. The seventh, trampoline, is left out, as in all later work.

Parmar, Morris: "Action Quality Assessment Across Multiple Actions", WACV 2019. `Split_4` is the split that
all later work uses. One model is trained per sport, so there is one split per sport.

Every sport has its own scale of points, so the target has no bounds: a head uses the bounds of the training
labels of its split. `SCORE_RANGES` are the published ranges. They serve only to find scores of another scale.
"""

from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import boxes_beside, find_parts, scan_videos
from aqa_pipeline.datasets.reading.field_values import finite_number, frame_number
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.matlab import read_table
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Split, Target, Video

NAME = "aqa7"
# All clips were resampled to 103 frames, and no frame rate is published. 25 is nominal: a clip is then 4.12
# seconds long, and a stream of 25 frames per second takes every picture once. Used for folders only.
FPS = 25.0
NUM_FRAMES = 103

# In the order of the numbers in the split files. Ranges: the released code of CoRe and TSA-Net.
SCORE_RANGES = {
    "diving": (21.6, 102.6),
    "gym_vault": (12.3, 16.87),
    "ski_big_air": (8.0, 50.0),
    "snowboard_big_air": (8.0, 50.0),
    "sync_diving_3m": (46.2, 104.88),
    "sync_diving_10m": (49.8, 99.36),
}
SPORTS = tuple(SCORE_RANGES)
TRAMPOLINE = 7
# The published ranges are rounded. A score of another scale is wrong by a factor of a hundred.
TOLERATED_FACTOR = 2.0

LABEL_FOLDERS = ("Split_4", "info", "annotations", ".")
PICTURE_FOLDERS = (
    "{sport}-out",
    "frames/{sport}-out",
    "Actions/{sport}/frames",
    "{sport}_samples_lstm_103/frames",
    "diving_v1_samples_lstm_103/frames",
    "{sport}",
)

TARGETS = (Target("score"),)

WHERE = """\
Labels and frames: http://rtis.oit.unlv.edu/datasets/AQA-7.zip (Split_4/*.mat); frames in CoRe's layout are
linked in the README of the repository yuxumin/CoRe."""

LAYOUT = """\
ROOT/Split_4/split_4_train_list.mat, split_4_test_list.mat     also in ROOT, info/ or annotations/
one of these per sport (diving, gym_vault, ski_big_air, snowboard_big_air, sync_diving_3m, sync_diving_10m)
    ROOT/diving-out/001/img_00001.jpg ...                      103 pictures per clip (frames/ too)
    ROOT/Actions/diving/frames/001/*.jpg
    ROOT/diving_v1_samples_lstm_103/frames/001/*.jpg           gym_vault_samples_lstm_103/ and so on
    ROOT/diving/001.avi                                        video files
ROOT/boxes/diving_001.csv                                      optional person boxes"""


@dataclass(frozen=True)
class _Label:
    sport: str
    sample: int
    side: str
    score: float

    @property
    def video_id(self) -> str:
        return f"{self.sport}_{self.sample:03d}"


def load(root: Path) -> Dataset:
    """Load AQA-7 from `root`. An absent video has the path at which it is expected."""
    sides = ("train", "test")
    names = FolderNames(root)
    paths = find_parts(
        names,
        [(f"split_4_{side}_list.mat",) for side in sides],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    raw_rows = [row for side, path in zip(sides, paths, strict=True) for row in _raw_rows(path, side)]
    labels, problems = parse_rows(raw_rows, parse=_parse, identify=lambda label: label.video_id)
    if not labels:
        raise DatasetError(f"{paths[0]} and {paths[1]} have no usable row: {'; '.join(problems[:1])}")
    shelves = {sport: _shelf(names, sport) for sport in SPORTS}
    videos = [_video(names, label, shelf=shelves[label.sport]) for label in labels]
    return assemble_dataset(
        NAME, names, targets=TARGETS, videos=videos, splits=_splits(labels), problems=problems
    )


def _raw_rows(path: Path, side: str) -> list[tuple[str, tuple[str, list[float]]]]:
    table = read_table(path, variable=f"consolidated_{side}_list", num_columns=3)
    rows = enumerate(table.tolist(), start=1)
    return [(f"{path.name} row {number}", (side, row)) for number, row in rows if row[0] != TRAMPOLINE]


def _parse(raw: tuple[str, list[float]]) -> _Label:
    side, (sport_value, sample_value, score_value) = raw
    number = frame_number(str(sport_value), name="sport number")
    if not 1 <= number <= len(SPORTS):
        raise DatasetError(f"sport number {number} is not within 1 to {TRAMPOLINE}")
    sport = SPORTS[number - 1]
    score = finite_number(str(score_value), name="score")
    low, high = SCORE_RANGES[sport]
    if not low / TOLERATED_FACTOR <= score <= high * TOLERATED_FACTOR:
        raise DatasetError(
            f"score {score:g} of {sport} is far from {low:g} to {high:g}{_advice(score, low, high)}"
        )
    return _Label(sport, frame_number(str(sample_value), name="sample number"), side, score)


def _advice(score: float, low: float, high: float) -> str:
    if low / TOLERATED_FACTOR <= score / 100 <= high * TOLERATED_FACTOR:
        return (
            ", but a hundredth of it is not: the lists of the C3D-LSTM release hold scores times 100. "
            "Use those of Split_4"
        )
    return ": is this the list of Split_4?"


def _shelf(names: FolderNames, sport: str) -> dict[int, Path]:
    """Return the clips of a sport by sample number: `001` and `1` are the same."""
    folders = [folder for folder in PICTURE_FOLDERS if sport == "diving" or not folder.startswith("diving")]
    shelf: dict[int, Path] = {}
    for folder in folders:
        named = scan_videos(names, folder.format(sport=sport))
        shelf = {int(name): path for name, path in named.items() if name.isdecimal()} | shelf
    return shelf


def _video(names: FolderNames, label: _Label, *, shelf: dict[int, Path]) -> Video:
    path = shelf.get(label.sample, names.root / f"{label.sport}-out" / f"{label.sample:03d}")
    return Video(
        video_id=label.video_id,
        path=path,
        labels={"score": label.score},
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, label.video_id),
        duration_seconds=NUM_FRAMES / FPS,
    )


def _splits(labels: list[_Label]) -> dict[str, Split]:
    """Return one split for each sport that has clips in both sets."""
    splits = {}
    for sport in SPORTS:
        train, test = (
            tuple(label.video_id for label in labels if (label.sport, label.side) == (sport, side))
            for side in ("train", "test")
        )
        if train and test:
            splits[sport] = Split(sport, train=train, test=test)
    return splits


ADAPTER = DatasetAdapter(
    name=NAME,
    title="AQA-7: 1,106 clips of six sports, one split each, final score",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
