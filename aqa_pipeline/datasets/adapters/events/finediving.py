"""FineDiving: 3,000 dives, single and synchronized, with score and difficulty.

Xu et al.: "FineDiving: A Fine-grained Dataset for Procedure-aware Action Quality Assessment", CVPR 2022. An
entry of the label file is a list that begins with dive number, score and difficulty. Rounds of one
competition are events of their own, so an athlete may be on both sides of a grouped split. The adapter was
written from the authors' code and README, and was not tried on their label file.
"""

from collections.abc import Sequence
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters.events.event_labels import (
    EventLabel,
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

NAME = "finediving"
# The release does not tell the frame rate. 25 is nominal, and used for folders of pictures only.
FPS = 25.0
LABELS = ("fine-grained_annotation_aqa.pkl", "fine-grained_annotation_for_aqa.pkl")
LABEL_FOLDERS = ("Annotations", "train_test_split", ".", "FineDiving/Annotations", "FineDiving")
PICTURE_FOLDERS = (
    "FINADiving_MTL_256s",
    "FineDiving",
    "FineDiving/FINADiving_MTL_256s",
    "Trimmed_Video_Frames/FINADiving_MTL_256s",
    "datasets/FINADiving_MTL_256s",
)

# Execution is the score by the difficulty: three marks of at most 10, or what is scaled to three.
TARGETS = (Target("score"), Target("execution", 0.0, 30.0), Target("difficulty"))

WHERE = """\
Labels: the folder Annotations of the repository xujinglin/FineDiving.
Frames: Trimmed_Video_Frames, behind the links in its README."""

LAYOUT = """\
ROOT/Annotations/fine-grained_annotation_aqa.pkl    also in ROOT, as all label files
ROOT/Annotations/train_split.pkl, test_split.pkl    or in ROOT/train_test_split
ROOT/FINADiving_MTL_256s/<event>/<number>/*.jpg     or ROOT/FineDiving/...; 25 fps is assumed
ROOT/boxes/<event>_<number>.csv                     optional person boxes"""


def load(root: Path) -> Dataset:
    """Load FineDiving from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    annotations, train, test = find_parts(
        names,
        [LABELS, ("train_split.pkl",), ("test_split.pkl",)],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    labels, problems = read_event_labels(annotations, _columns)
    official, unknown = read_event_split("official", train, test, labels)
    groups = {label.video_id: label.event for label in labels}
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=event_videos(names, labels, folders=PICTURE_FOLDERS, fps=FPS, scores=_scores),
        splits={official.name: official} | grouped_splits(groups, num_test=len(official.test)),
        problems=[*problems, *unknown],
        default_splits=[official.name],
    )


def _columns(entry: Sequence[object]) -> dict[str, str]:
    if len(entry) < 3:
        raise DatasetError(f"{len(entry)} labels: expected dive number, score, difficulty, ...")
    return {"score": str(entry[1]), "difficulty": str(entry[2])}


def _scores(label: EventLabel) -> dict[str, float]:
    scores = dict(label.marks.values)
    if "score" in scores and scores.get("difficulty", 0.0) > 0:
        scores["execution"] = scores["score"] / scores["difficulty"]
    return scores


ADAPTER = DatasetAdapter(
    name=NAME,
    title="FineDiving: 3,000 dives, single and synchronized, score and difficulty",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
