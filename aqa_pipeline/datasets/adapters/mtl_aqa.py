"""MTL-AQA: 1,412 dives from 15 broadcasts, final score, difficulty and the marks of seven judges.

Parmar, Morris: "What and How Well You Performed? A Multitask Learning Approach to Action Quality
Assessment", CVPR 2019. `mtl_aqa_labels.py` reads the label files.
"""

from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.adapters.mtl_aqa_labels import (
    JUDGES,
    TARGETS,
    DiveLabel,
    read_dive_labels,
    read_video_ids,
)
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.broadcasts import BroadcastFolder, open_broadcast
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, find_parts, scan_videos
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.splits import grouped_splits
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Dataset, Split, Video

NAME = "mtl-aqa"
# The release gives captions in seconds and dives in frames. At 25 frames per second they agree: the first
# dive of broadcast 1 begins with frame 7377 (4:55), and its caption at 4:54. Used for folders only.
FPS = 25.0

SIDES = {"train": "train_split_0.pkl", "test": "test_split_0.pkl"}
# Files with more content come first: the marks of the judges, then the dive numbers (which are not used).
ANNOTATIONS = (
    "augmented_final_annotations_dict.pkl",
    "final_annotations_dict.pkl",
    "final_annotations_dict_with_dive_number.pkl",
)
LABEL_FOLDERS = (
    ".",
    "info",
    "data/info",
    "annotations",
    "MTL-AQA_split_0_data",
    "Ready_2_Use/MTL-AQA_split_0_data",
    "MTL-AQA_dataset_release/Ready_2_Use/MTL-AQA_split_0_data",
)
PICTURE_FOLDERS = (
    "new/new_total_frames_256s",
    "new_total_frames_256s",
    "new/new_total_frames",
    "new",
    "frames_long",
    "frames",
    "data/frames_long",
    "data/frames",
    "whole_videos_frames",
    "videos",
    "whole_videos",
    ".",
)

WHERE = """\
Labels: MTL-AQA_dataset_release/Ready_2_Use/MTL-AQA_split_0_data of the repository ParitoshParmar/MTL-AQA;
with judge scores: MTL-AQA/data/info/augmented_final_annotations_dict.pkl of nzl-thu/MUSDL.
Videos: Video_List.xlsx of ParitoshParmar/MTL-AQA names the broadcasts on YouTube; prepared frames are linked
in the README of yuxumin/CoRe (broadcasts) and of nzl-thu/MUSDL (one folder per dive)."""

LAYOUT = """\
ROOT/train_split_0.pkl, ROOT/test_split_0.pkl     also in the release's own folders, info/ or annotations/
ROOT/augmented_final_annotations_dict.pkl         or final_annotations_dict[_with_dive_number].pkl (no judges)
any of these, also mixed; a cut dive has priority over a broadcast
    ROOT/frames/01_01/*.jpg                       one folder per dive (frames_long/ too), used whole
    ROOT/new/new_total_frames_256s/01/%08d.jpg    broadcasts as pictures, numbered from 1
    ROOT/frames/01/*.jpg                          the same (whole_videos_frames/ too)
    ROOT/video1_frames/1234.jpg                   the same, numbered from 0; may hold only frames around dives
    ROOT/videos/01.mp4, 1.mkv, 1.webm             broadcasts as video files
ROOT/boxes/01_01.csv                              optional person boxes"""


def load(root: Path) -> Dataset:
    """Load MTL-AQA from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    train, test, annotations = find_parts(
        names,
        [(SIDES["train"],), (SIDES["test"],), ANNOTATIONS],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    labels, problems = read_dive_labels(annotations)
    known = {label.video_id for label in labels}
    sides = {}
    for side, path in (("train", train), ("test", test)):
        sides[side], unknown = read_video_ids(path, known)
        problems += unknown
    official = Split("official", train=sides["train"], test=sides["test"])
    groups = {label.video_id: label.group for label in labels}
    shelf = scan_videos(names, *PICTURE_FOLDERS)
    broadcasts = _open_broadcasts(labels, shelf)
    videos = tuple(_video(names, label, shelf=shelf, broadcasts=broadcasts) for label in labels)
    with_marks = any(judge.name in label.scores for label in labels for judge in JUDGES)
    targets = (*TARGETS, *JUDGES) if with_marks else TARGETS
    return assemble_dataset(
        NAME,
        names,
        targets=targets,
        videos=videos,
        splits={official.name: official} | grouped_splits(groups, num_test=len(official.test)),
        problems=problems,
        default_splits=[official.name],
    )


def _broadcast_path(label: DiveLabel, shelf: Shelf) -> Path | None:
    number = label.broadcast
    return shelf.find(f"{number:02d}", f"{number}", f"video{number}_frames", f"video{number}")


def _open_broadcasts(labels: list[DiveLabel], shelf: Shelf) -> dict[Path, BroadcastFolder]:
    """Return the folders of pictures among the broadcasts. Broken folders are left to the video reader."""
    folders = {}
    for path in dict.fromkeys(_broadcast_path(label, shelf) for label in labels):
        if path is None or not path.is_dir():
            continue
        try:
            # The loader of Weight-Decider counts from 0, and its folders may hold only the frames around
            # dives.
            first_number = 0 if path.name.lower().startswith("video") else 1
            folders[path] = open_broadcast(path, usual_first_number=first_number)
        except VideoError:
            continue
    return folders


def _video(
    names: FolderNames, label: DiveLabel, *, shelf: Shelf, broadcasts: dict[Path, BroadcastFolder]
) -> Video:
    window = label.window
    clip = shelf.find(label.video_id, f"{label.broadcast}_{label.dive}")
    path = clip or _broadcast_path(label, shelf) or names.root / "videos" / f"{label.group}.mp4"
    start, stop = window.start_frame, window.stop_frame
    if clip is None and path in broadcasts:
        path, start, stop = broadcasts[path].cut(window)
    return Video(
        video_id=label.video_id,
        path=path,
        labels=label.scores,
        group=label.group,
        start_frame=0 if clip else start,
        stop_frame=None if clip else stop,
        fps=FPS if path.is_dir() else None,
        boxes=boxes_beside(names, label.video_id),
        duration_seconds=(window.stop_frame - window.start_frame) / FPS,
    )


ADAPTER = DatasetAdapter(
    name=NAME,
    title="MTL-AQA: 1,412 dives from 15 broadcasts, final score, difficulty and judges' marks",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
