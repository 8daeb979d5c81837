"""UI-PRMD: ten rehabilitation exercises, ten repetitions by each of ten subjects, done right and done wrong.

Vakanski et al.: "A Data Set of Human Body Movements for Physical Rehabilitation Exercises", Data 2018. The
release holds movements of joints and no videos: `aqa store import` takes its text files as a stream.

The target `correct` says how the repetition was done. For the deep squat (m01) there is a `quality` too: the
labels of Liao et al. ("A Deep Learning Framework for Assessing Physical Rehabilitation Exercises", IEEE TNSRE
2020), a likelihood under a model of the correct squats. They are of 90 correct and 90 incorrect squats.

There is no official split. Subjects are groups: the folds of `all` and of each exercise keep them whole.
The adapter was not tried on the released files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import read_label_text, scan_videos
from aqa_pipeline.datasets.reading.field_values import finite_number
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.splits import folds
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Split, Target, Video

NAME = "ui-prmd"
SENSORS, KINDS = ("Vicon", "Kinect"), ("Angles", "Positions")
FOLDERS = {"Segmented Movements": 1.0, "Incorrect Segmented Movements": 0.0}
SQUAT = "m01"
TARGETS = (Target("correct", 0.0, 1.0), Target("quality", 0.0, 1.0))

# The repetitions of the squat, counted 1 to 100 by subject and repetition. Liao et al. left out those with
# missing values and a few more (Prepare_Data_for_NN.m).
LEFT_OUT = frozenset((1, 11, 21, 31, 41, 61, 64, 71, 81, 85))
LABELED = tuple(number for number in range(1, 101) if number not in LEFT_OUT)
LABEL_FILES = {1.0: "Labels_Correct.csv", 0.0: "Labels_Incorrect.csv"}

WHERE = """\
Movements: the page "UI-PRMD" of the University of Idaho.
Quality of the squats: Prepare_Labels_for_NN.m of the repository
avakanski/A-Deep-Learning-Framework-for-Assessing-Physical-Rehabilitation-Exercises writes it (optional)."""

LAYOUT = """\
ROOT/Segmented Movements/Vicon/Angles/m01_s01_e01_angles.txt                 exercise, subject, repetition
ROOT/Incorrect Segmented Movements/Vicon/Angles/m01_s01_e01_angles_inc.txt   the same, done wrong
    one of the folders Vicon (100 Hz) and Kinect (30 Hz), Angles and Positions is enough; `aqa store import`
    takes such folders: 117 numbers a row of Vicon, 66 of Kinect
ROOT/Labels_Correct.csv, ROOT/Labels_Incorrect.csv                           optional: 90 qualities each"""

_FILE = re.compile(r"m\d\d_s\d\d_e\d\d_(angles|positions)(_inc)?\.txt", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, order=True)
class _Repetition:
    exercise: str
    subject: str
    repetition: str
    is_wrong: bool

    @property
    def video_id(self) -> str:
        return f"{self.exercise}_{self.subject}_{self.repetition}" + "_inc" * self.is_wrong


def load(root: Path) -> Dataset:
    """Load UI-PRMD from `root`. The release has no videos: `videos/<id>.mp4` is where one would lie."""
    names = FolderNames(root)
    found = sorted({each for folder in FOLDERS for each in _repetitions(names, folder)})
    if not found:
        raise DatasetError(f"no m01_s01_e01_angles.txt below {root}. Expected:\n{LAYOUT}\n{WHERE}")
    qualities, problems = _qualities(names)
    shelf = scan_videos(names, "videos")
    videos = tuple(
        Video(
            video_id=each.video_id,
            path=shelf.find(each.video_id) or names.root / "videos" / f"{each.video_id}.mp4",
            labels={"correct": float(not each.is_wrong)} | qualities.get(each.video_id, {}),
            group=each.subject,
        )
        for each in found
    )
    splits = _splits(found)
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS if qualities else TARGETS[:1],
        videos=videos,
        splits=splits,
        problems=problems,
        default_splits=[name for name in splits if name.startswith("all-")],
    )


def _repetitions(names: FolderNames, folder: str) -> list[_Repetition]:
    files = [
        _FILE.fullmatch(name)
        for sensor in SENSORS
        for kind in KINDS
        for name in names.names_in(f"{folder}/{sensor}/{kind}")
    ]
    is_wrong = FOLDERS[folder] == 0.0
    parts = [file.group().lower().split("_") for file in files if file]
    return [_Repetition(exercise, subject, number, is_wrong) for exercise, subject, number, *_ in parts]


def _qualities(names: FolderNames) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the quality by video id, as a label, and why a file of qualities cannot be used."""
    qualities: dict[str, dict[str, float]] = {}
    problems = []
    for correct, name in LABEL_FILES.items():
        path = names.find_file(name, f"Data/{name}")
        if path is None:
            continue
        try:
            qualities |= _read_qualities(path, is_wrong=correct == 0.0)
        except DatasetError as error:
            problems.append(str(error))
    return qualities, problems


def _read_qualities(path: Path, *, is_wrong: bool) -> Mapping[str, dict[str, float]]:
    lines = [line for line in read_label_text(path).splitlines() if line.strip()]
    if len(lines) != len(LABELED):
        raise DatasetError(f"{path.name} has {counted(len(lines), 'line')}, expected {len(LABELED)}")
    numbers = [finite_number(line, name=f"{path.name}: quality") for line in lines]
    ids = [
        _Repetition(SQUAT, f"s{(n - 1) // 10 + 1:02d}", f"e{(n - 1) % 10 + 1:02d}", is_wrong).video_id
        for n in LABELED
    ]
    return {video_id: {"quality": number} for video_id, number in zip(ids, numbers, strict=True)}


def _splits(found: list[_Repetition]) -> dict[str, Split]:
    kinds = {"all": found}
    for exercise in sorted({each.exercise for each in found}):
        kinds[exercise] = [each for each in found if each.exercise == exercise]
    splits: dict[str, Split] = {}
    for kind, own in kinds.items():
        splits |= folds(kind, {each.video_id: each.subject for each in own})
    return splits


ADAPTER = DatasetAdapter(
    name=NAME,
    title="UI-PRMD: ten rehabilitation exercises by ten subjects, done right and wrong (no videos)",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
