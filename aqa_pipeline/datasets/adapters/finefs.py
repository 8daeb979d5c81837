"""FineFS: 1,167 figure skating programs, 729 short and 438 free, with technical and component scores.

Ji et al.: "Localization-assisted Uncertainty Score Disentanglement Network for Action Quality Assessment",
ACM MM 2023. Videos 0 to 728 are short programs, 729 to 1166 free ones. One model is trained for each.

The release says how many videos are for training (583 and 350), and not which. The splits here are those of
public loaders: the numbers of a program in the order that NumPy's legacy generator draws with seed 42, the
first 583 or 350 for training. The keys of the label files are those that these loaders read. The adapter was
not tried on the files themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, scan_videos
from aqa_pipeline.datasets.reading.field_values import frame_number
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Split, Target, Video
from aqa_pipeline.untrusted.bounded_files import MIB, read_bounded_json

NAME = "finefs"
FPS = 25.0  # of the videos; used for folders of pictures only
SEED = 42
LABEL_FOLDERS = ("data/annotation", "annotation")
VIDEO_FOLDERS = ("data/video", "video", "videos")


@dataclass(frozen=True)
class _Program:
    """The videos `[start, stop)` of one kind of program, of which `num_train` are for training."""

    start: int
    stop: int
    num_train: int


PROGRAMS = {"short": _Program(0, 729, 583), "free": _Program(729, 1167, 350)}

TES, PCS = "total_element_score", "total_program_component_score(factored)"
COMPONENTS = {
    "ss": "skating_skills",
    "tr": "transitions",
    "pe": "performance",
    "co": "composition",
    "in": "interpretation",
}
# TES and PCS have other scales in short and free programs: a head uses the bounds of its training set.
TARGETS = (Target("tes"), Target("pcs"), *(Target(name, 0.0, 10.0) for name in COMPONENTS))

WHERE = """\
Labels, videos and features: the link in the README of the repository yanliji/FineFS-dataset."""

LAYOUT = """\
ROOT/data/annotation/0.json ... 1166.json   or ROOT/annotation
ROOT/data/video/0.mp4 ... 1166.mp4          or ROOT/video
ROOT/boxes/0.csv                            optional person boxes"""


@dataclass(frozen=True)
class _Label:
    number: int
    marks: RowLabels

    @property
    def video_id(self) -> str:
        return str(self.number)


def load(root: Path) -> Dataset:
    """Load FineFS from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    folder = next((at for at in LABEL_FOLDERS if names.names_in(at)), None)
    at = None if folder is None else names.find(folder)
    if folder is None or at is None:
        raise DatasetError(f"no annotation/0.json in {root}. Expected:\n{LAYOUT}\n{WHERE}")
    paths = [at / name for name in names.names_in(folder) if name.endswith(".json")]
    labels, problems = parse_rows(
        ((path.name, path) for path in sorted(paths, key=lambda path: (len(path.stem), path.stem))),
        parse=_parse,
        identify=lambda label: label.video_id,
        unread=lambda label: label.marks.unread,
    )
    if not labels:
        raise DatasetError(f"{at} has no usable label file: {problems[:1]}. Expected:\n{LAYOUT}\n{WHERE}")
    shelf = scan_videos(names, *VIDEO_FOLDERS)
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=tuple(_video(names, label, shelf=shelf) for label in labels),
        splits=_splits({label.video_id for label in labels}),
        problems=problems,
    )


def _parse(path: Path) -> _Label:
    number = frame_number(path.stem, name="number of the file")
    if number >= PROGRAMS["free"].stop:
        raise DatasetError(f"number {number} is not within 0 to {PROGRAMS['free'].stop - 1}")
    try:
        entry = read_bounded_json(path, most_bytes=MIB)
    except (OSError, ValueError) as error:
        raise DatasetError(f"it cannot be read: {error}") from error
    if not isinstance(entry, dict):
        raise DatasetError(f"it holds {type(entry).__name__}, expected an object with {TES}")
    fields = {"tes": entry.get(TES), "pcs": entry.get(PCS)}
    fields |= {name: _component(entry, key) for name, key in COMPONENTS.items()}
    return _Label(number, read_labels({name: "" if v is None else str(v) for name, v in fields.items()}))


def _component(entry: Mapping[str, object], key: str) -> object:
    components = entry.get("program_component")
    component = components.get(key) if isinstance(components, dict) else None
    return component.get("score_of_pannel") if isinstance(component, dict) else None


def _video(names: FolderNames, label: _Label, *, shelf: Shelf) -> Video:
    path = shelf.find(label.video_id) or names.root / VIDEO_FOLDERS[0] / f"{label.video_id}.mp4"
    return Video(
        video_id=label.video_id,
        path=path,
        labels=label.marks.values,
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, label.video_id),
    )


def _splits(known: set[str]) -> dict[str, Split]:
    splits = {}
    for name, program in PROGRAMS.items():
        order = [str(number) for number in _drawn(program)]
        train, test = (
            tuple(i for i in part if i in known)
            for part in (order[: program.num_train], order[program.num_train :])
        )
        if train and test:
            splits[name] = Split(name, train=train, test=test)
    return splits


def _drawn(program: _Program) -> Sequence[int]:
    import numpy as np  # here, because listing datasets must stay fast

    numbers = np.arange(program.start, program.stop)
    np.random.RandomState(SEED).shuffle(numbers)
    return [int(number) for number in numbers]


ADAPTER = DatasetAdapter(
    name=NAME,
    title="FineFS: 1,167 figure skating programs, short and free, technical and component scores",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
