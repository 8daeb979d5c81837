"""JIGSAWS: 103 trials of three surgical tasks on a robot, scored by six items and their sum.

Gao et al.: "JHU-ISI Gesture and Skill Assessment Working Set (JIGSAWS): A Surgical Activity Dataset for
Human Motion Modeling", M2CAI workshop of MICCAI 2014. Eight surgeons (B to I) did each task up to five
times. A line of a label file has the name of the trial, the skill that the surgeon claims (N, I, E), the sum
and six marks of 1 to 5.

Splits: `louo` leaves one user (surgeon) out, `loso` one supertrial (the trials of one number), in each task
and in all of them. MUSDL's four folds are random: they exist only in its file `splits.pkl`, which is read if
it is there.
Of the released files the adapter was tried on none; the meta file of Suturing was compared by eye.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, read_label_text, scan_videos
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.datasets.splits import split_of
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Split, Target, Video
from aqa_pipeline.untrusted.pickles import read_pickle

NAME = "jigsaws"
FPS = 30.0
TASKS = ("Suturing", "Needle_Passing", "Knot_Tying")
FOLDERS = (".", "JIGSAWS")
FOLD_FILES = ("splits.pkl", "info/splits.pkl", "data/info/splits.pkl", "JIGSAWS/data/info/splits.pkl")
VIEW = "_capture1"  # the left camera, which MUSDL and CoRe use
FEWEST_TESTED = 2  # a single trial has no rank

# In the order of the columns. The README of the release calls them: respect for tissue, suture and needle
# handling, time and motion, flow of operation, overall performance, quality of final product.
ITEMS = ("tissue", "needle", "motion", "flow", "overall", "quality")
COLUMNS = ("total", *ITEMS)
TARGETS = (Target("total", 6.0, 30.0), *(Target(item, 1.0, 5.0) for item in ITEMS))

WHERE = """\
Labels, videos and kinematics: the form on the page "JIGSAWS" of the laboratory CIRL, Johns Hopkins
University.
MUSDL's folds: JIGSAWS/data/info/splits.pkl of the repository nzl-thu/MUSDL (optional)."""

LAYOUT = """\
for each TASK of Suturing, Needle_Passing, Knot_Tying (one is enough); also in ROOT/JIGSAWS
    ROOT/TASK/meta_file_TASK.txt
    ROOT/TASK/video/TASK_B001_capture1.avi         left camera; the right one is not read
    ROOT/frames/TASK_B001_capture1/*.jpg           or folders of pictures at 30 fps, as MUSDL has them
    ROOT/TASK/kinematics/AllGestures/TASK_B001.txt 76 columns at 30 Hz: `aqa store import` takes these folders
ROOT/splits.pkl                                    optional: MUSDL's folds {TASK: four lists of trials}
ROOT/boxes/TASK_B001.csv                           optional person boxes"""

_TRIAL = re.compile(rf"({'|'.join(TASKS)})_([A-Z])(\d{{3}})", re.ASCII)


@dataclass(frozen=True)
class _Trial:
    video_id: str
    marks: RowLabels

    @property
    def task(self) -> str:
        return _parts(self.video_id)[0]

    @property
    def user(self) -> str:
        return _parts(self.video_id)[1]

    @property
    def supertrial(self) -> str:
        return str(int(_parts(self.video_id)[2]))


def load(root: Path) -> Dataset:
    """Load JIGSAWS from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    trials, problems = parse_rows(
        _raw_rows(names),
        parse=_parse,
        identify=lambda trial: trial.video_id,
        unread=lambda trial: trial.marks.unread,
    )
    if not trials:
        raise DatasetError(f"no usable line in the label files under {root}: {problems[:1]}")
    splits, notes = _splits(trials)
    folds, fold_problems = _musdl_folds(names, {trial.video_id for trial in trials})
    shelf = scan_videos(
        names, *(f"{at}/{task}/video" for at in FOLDERS for task in TASKS), "frames", "videos"
    )
    dataset = assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=tuple(_video(names, trial, shelf=shelf) for trial in trials),
        splits=splits | folds,
        problems=[*problems, *fold_problems],
        default_splits=[name for name in splits if name.startswith("louo-all-")],
    )
    return replace(dataset, notes=(*dataset.notes, *notes))


def _raw_rows(names: FolderNames) -> list[tuple[str, tuple[str, str]]]:
    rows = []
    for task in TASKS:
        name = f"meta_file_{task}.txt"
        path = names.find_file(
            *(f"{at}/{task}/{name}" for at in FOLDERS), *(f"{at}/{name}" for at in FOLDERS)
        )
        if path is not None:
            lines = enumerate(read_label_text(path).splitlines(), start=1)
            rows += [(f"{name} line {number}", (task, line)) for number, line in lines if line.strip()]
    if not rows:
        raise DatasetError(f"no meta_file_TASK.txt in {names.root}. Expected:\n{LAYOUT}\n{WHERE}")
    return rows


def _parse(raw: tuple[str, str]) -> _Trial:
    task, line = raw
    fields = line.split()
    if len(fields) != 2 + len(COLUMNS):
        raise DatasetError(f"expected name skill sum and six marks, got {counted(len(fields), 'word')}")
    if _parts(fields[0])[0] != task:
        raise DatasetError(f"{fields[0]!r} is not of the task {task}")
    return _Trial(fields[0], read_labels(dict(zip(COLUMNS, fields[2:], strict=True))))


def _parts(name: str) -> tuple[str, str, str]:
    """Return task, user and number of a trial: `Suturing_B001` -> Suturing, B, 001."""
    found = _TRIAL.fullmatch(name)
    if found is None:
        raise DatasetError(f"{name[:80]!r} is not TASK_B001, of the tasks {', '.join(TASKS)}")
    return found[1], found[2], found[3]


def _video(names: FolderNames, trial: _Trial, *, shelf: Shelf) -> Video:
    path = shelf.find(f"{trial.video_id}{VIEW}")
    path = path or names.root / trial.task / "video" / f"{trial.video_id}{VIEW}.avi"
    return Video(
        video_id=trial.video_id,
        path=path,
        labels=trial.marks.values,
        group=trial.user,
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, trial.video_id),
    )


def _splits(trials: Sequence[_Trial]) -> tuple[dict[str, Split], list[str]]:
    """Return `louo-KIND-USER` and `loso-KIND-NUMBER`, and a note for each that would test a single trial."""
    splits, notes = {}, []
    kinds = {"all": list(trials)}
    kinds |= {_kind(task): [trial for trial in trials if trial.task == task] for task in TASKS}
    for kind, own in kinds.items():
        for protocol, part_of in (("louo", "user"), ("loso", "supertrial")):
            for part in sorted({getattr(trial, part_of) for trial in own}):
                name = f"{protocol}-{kind}-{part}"
                test = {trial.video_id for trial in own if getattr(trial, part_of) == part}
                if FEWEST_TESTED <= len(test) < len(own):
                    splits[name] = split_of(name, [trial.video_id for trial in own], test=test)
                elif len(test) < FEWEST_TESTED:
                    notes.append(f"there is no split {name}: it would test a single trial, which has no rank")
    return splits, notes


def _kind(task: str) -> str:
    return task.lower().replace("_", "-")


def _musdl_folds(names: FolderNames, known: set[str]) -> tuple[dict[str, Split], list[str]]:
    """Return the splits `musdl-KIND-0` to `-3` of MUSDL's file, or none without it, and its problems."""
    path = names.find_file(*FOLD_FILES)
    if path is None:
        return {}, []
    folds = read_pickle(path)
    if not isinstance(folds, dict) or not all(_are_folds(folds.get(task, ())) for task in TASKS):
        return {}, [f"{path.name} holds no dict {{task: lists of trials}}; there are no splits of MUSDL"]
    splits, problems = {}, []
    for task in TASKS:
        parts, refused = [], []
        for number, fold in enumerate(folds.get(task, ())):
            rows = ((f"{path.name} {task} fold {number}", name) for name in fold)
            found, bad = parse_rows(rows, parse=partial(_known, known=known), identify=str)
            parts.append(found)
            refused += bad
        problems += refused
        for number, part in enumerate(parts):
            name = f"musdl-{_kind(task)}-{number}"
            train = [trial for other in parts if other is not part for trial in other]
            if set(part) & set(train):
                problems.append(
                    f"{path.name}: trials of {name} are in another fold too; there is no such split"
                )
            elif part and train:
                splits[name] = Split(name, train=tuple(train), test=tuple(part))
    return splits, problems


def _are_folds(value: object) -> bool:
    return isinstance(value, list | tuple) and all(
        isinstance(fold, list | tuple) and all(isinstance(name, str) for name in fold) for fold in value
    )


def _known(name: str, *, known: set[str]) -> str:
    if name.removesuffix(VIEW) not in known:
        raise DatasetError(f"{name[:80]!r} has no labels")
    return name.removesuffix(VIEW)


ADAPTER = DatasetAdapter(
    name=NAME,
    title="JIGSAWS: 103 surgical trials on a robot, three tasks, six items and their sum",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
