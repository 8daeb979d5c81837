"""LOGO: 200 performances of artistic swimming by groups, from 26 events.

Zhang et al.: "LOGO: A Long-Form Video Dataset for Group Action Quality Assessment", CVPR 2023. An entry of
the label file is a list that begins with the type of the event (`tech` or `free`) and the score. The released
code trains on `train_split3.pkl` and tests on `test_split3.pkl`. The layout is that of this code. The label
files lie on a drive: the adapter was not tried on them.
"""

from collections.abc import Sequence
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters.events.event_labels import (
    event_videos,
    read_event_labels,
    read_event_split,
)
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import find_parts
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.splits import grouped_splits
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Target

NAME = "logo"
FPS = 25.0  # of the frame-wise labels, as the README says; used for folders of pictures only
LABEL_FOLDERS = ("LOGO Anno&Split", "LOGO_Anno&Split", "Annotations", ".", "LOGO/LOGO Anno&Split")
PICTURE_FOLDERS = ("Video_result", "LOGO", "LOGO/Video_result", ".")

TARGETS = (Target("score", 0.0, 100.0),)

WHERE = """\
Labels, splits and frames: the Baidu links in the README of the repository shiyi-zh0408/LOGO."""

LAYOUT = """\
ROOT/LOGO Anno&Split/anno_dict.pkl                      also in ROOT, as the splits
ROOT/LOGO Anno&Split/train_split3.pkl, test_split3.pkl  or train_split.pkl and test_split.pkl
ROOT/Video_result/<event>/<number>/*.jpg                at 25 fps; or ROOT/LOGO/..., or in ROOT
ROOT/boxes/<event>_<number>.csv                         optional person boxes"""


def load(root: Path) -> Dataset:
    """Load LOGO from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    annotations, train, test = find_parts(
        names,
        [
            ("anno_dict.pkl",),
            ("train_split3.pkl", "train_split.pkl"),
            ("test_split3.pkl", "test_split.pkl"),
        ],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    if train.stem.removeprefix("train") != test.stem.removeprefix("test"):
        raise DatasetError(f"{train} and {test} are of two splits: expected both files of one.")
    labels, problems = read_event_labels(annotations, _columns)
    official, unknown = read_event_split("official", train, test, labels)
    groups = {label.video_id: label.event for label in labels}
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=event_videos(
            names, labels, folders=PICTURE_FOLDERS, fps=FPS, scores=lambda label: dict(label.marks.values)
        ),
        splits={official.name: official} | grouped_splits(groups, num_test=len(official.test)),
        problems=[*problems, *unknown],
        default_splits=[official.name],
    )


def _columns(entry: Sequence[object]) -> dict[str, str]:
    if len(entry) < 2:
        raise DatasetError(f"{len(entry)} labels: expected type of event, score, ...")
    return {"score": str(entry[1])}


ADAPTER = DatasetAdapter(
    name=NAME,
    title="LOGO: 200 group performances of artistic swimming from 26 events",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
