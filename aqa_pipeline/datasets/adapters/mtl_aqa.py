"""MTL-AQA: 1,412 dives from 15 broadcasts, final score, difficulty and the marks of seven judges.

Parmar, Morris: "What and How Well You Performed? A Multitask Learning Approach to Action Quality
Assessment", CVPR 2019. The final score is the difficulty times the sum of the three middle marks, in all
but 27 dives (penalties and slips of the pen), which are taken as published.

The released loaders never read `start_frame`: they take the 96 or 103 frames that end at `end_frame`
(exclusive, counted from 0), and more than half of the labelled dives are shorter. So a dive is
[start_frame, end_frame) and never less than the 103 frames before its end. No two dives overlap thereby.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.broadcasts import BroadcastFolder, Window, open_broadcast
from aqa_pipeline.datasets.reading.disk import Shelf, boxes_beside, find_parts, scan_videos
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels, without_labels
from aqa_pipeline.datasets.reading.rows import finite_number, frame_number, parse_rows
from aqa_pipeline.datasets.splits import grouped_splits
from aqa_pipeline.errors import DatasetError, VideoError
from aqa_pipeline.records import Dataset, Split, Target, Video
from aqa_pipeline.untrusted.pickles import read_pickle

NAME = "mtl-aqa"
# The release times its captions in seconds and its dives in frames. At 25 frames a second they agree: the
# first dive of broadcast 1 begins with frame 7377, 4:55, and is spoken of at 4:54. Read for folders only.
FPS = 25.0
LOADED_FRAMES = 103
NUM_JUDGES = 7

SIDES = {"train": "train_split_0.pkl", "test": "test_split_0.pkl"}
# Those with more in them first: the judges' marks, then the dive numbers (which nothing here reads).
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

# Score: 104.5 is the best dive here and the scale of USDL. Execution: three marks of at most 10. The
# difficulties here are 1.5 to 4.1; the bounds are the whole numbers around them.
TARGETS = (Target("score", 0.0, 104.5), Target("execution", 0.0, 30.0), Target("difficulty", 1.0, 5.0))
JUDGES = tuple(Target(f"judge-{number}", 0.0, 10.0) for number in range(1, NUM_JUDGES + 1))

COLUMNS = {"score": "final_score", "difficulty": "difficulty"} | {
    judge.name: f"the mark of judge {number}" for number, judge in enumerate(JUDGES, start=1)
}

# One mark of 4.5 was typed without its point. (Dive, column) -> what is written, what is meant.
SLIPS = {((4, 49), "the mark of judge 4"): (45.0, 4.5)}

WHERE = """\
Labels: MTL-AQA_dataset_release/Ready_2_Use/MTL-AQA_split_0_data of the repository ParitoshParmar/MTL-AQA;
with judge scores: MTL-AQA/data/info/augmented_final_annotations_dict.pkl of nzl-thu/MUSDL.
Videos: Video_List.xlsx of ParitoshParmar/MTL-AQA names the broadcasts on YouTube; prepared frames are linked
in the README of yuxumin/CoRe (broadcasts) and of nzl-thu/MUSDL (one folder per dive)."""

LAYOUT = """\
ROOT/train_split_0.pkl, ROOT/test_split_0.pkl     also in the release's own folders, info/ or annotations/
ROOT/augmented_final_annotations_dict.pkl         or final_annotations_dict[_with_dive_number].pkl (no judges)
any of these, also mixed; a cut dive is taken before a broadcast
    ROOT/frames/01_01/*.jpg                       one folder per dive (frames_long/ too), taken whole
    ROOT/new/new_total_frames_256s/01/%08d.jpg    broadcasts as pictures, numbered from 1
    ROOT/frames/01/*.jpg                          the same (whole_videos_frames/ too)
    ROOT/video1_frames/1234.jpg                   the same, numbered from 0; also only those around the dives
    ROOT/videos/01.mp4, 1.mkv, 1.webm             broadcasts as video files
ROOT/boxes/01_01.csv                              optional person boxes"""


@dataclass(frozen=True)
class _Label:
    broadcast: int
    dive: int
    start_frame: int
    end_frame: int
    marks: RowLabels

    @property
    def video_id(self) -> str:
        return _id_of(self.broadcast, self.dive)

    @property
    def group(self) -> str:
        return f"{self.broadcast:02d}"

    @property
    def window(self) -> Window:
        start = max(0, min(self.start_frame, self.end_frame - LOADED_FRAMES))
        return Window(start, self.end_frame, num_spare=self.start_frame - start)

    @property
    def scores(self) -> dict[str, float]:
        """What is there of the score, its parts, and the judges' marks."""
        values = dict(self.marks.values)
        scores = {name: values[column] for name, column in COLUMNS.items() if column in values}
        if "score" in scores and "difficulty" in scores:
            scores["execution"] = scores["score"] / scores["difficulty"]
        return scores


def load(root: Path) -> Dataset:
    """MTL-AQA as found under `root`; absent videos are listed where they are expected."""
    names = FolderNames(root)
    train, test, annotations = find_parts(
        names,
        [(SIDES["train"],), (SIDES["test"],), ANNOTATIONS],
        folders=LABEL_FOLDERS,
        layout=f"{LAYOUT}\n{WHERE}",
    )
    labels, problems = _read_labels(annotations)
    known = {label.video_id for label in labels}
    sides = {}
    for side, path in (("train", train), ("test", test)):
        sides[side], unknown = _read_side(path, known)
        problems += unknown
    official = Split("official", train=sides["train"], test=sides["test"])
    groups = {label.video_id: label.group for label in labels}
    shelf = scan_videos(names, *PICTURE_FOLDERS)
    broadcasts = _open_broadcasts(labels, shelf)
    videos = tuple(_video(names, label, shelf=shelf, broadcasts=broadcasts) for label in labels)
    with_marks = any(judge.name in label.scores for label in labels for judge in JUDGES)
    targets = (*TARGETS, *JUDGES) if with_marks else TARGETS
    return Dataset(
        name=NAME,
        root=root,
        videos=videos,
        splits={official.name: official} | grouped_splits(groups, num_test=len(official.test)),
        targets=targets,
        problems=(*problems, *names.spellings.problems),
        notes=(*names.spellings.notes, *without_labels(targets, videos)),
        default_splits=(official.name,),
    )


def _id_of(broadcast: int, dive: int) -> str:
    """`01_192`: as MUSDL names the folder of a dive."""
    return f"{broadcast:02d}_{dive:02d}"


def _read_labels(path: Path) -> tuple[list[_Label], list[str]]:
    """Usable labels by broadcast and dive. Either all have judges' marks or none."""
    entries = read_pickle(path)
    if not isinstance(entries, dict) or not entries:
        raise DatasetError(f"{path} holds no dict {{(broadcast, dive): labels}}: is it that file of MTL-AQA?")
    with_marks = any(isinstance(entry, dict) and "judge_scores" in entry for entry in entries.values())
    labels, problems = parse_rows(
        ((f"{path.name} {key}", (key, entry)) for key, entry in entries.items()),
        parse=lambda raw: _parse(*raw, with_marks=with_marks),
        identify=lambda label: label.video_id,
        unread=lambda label: label.marks.unread,
    )
    if not labels:
        raise DatasetError(f"{path} has no usable entry; the first says {problems[0]}")
    return sorted(labels, key=lambda label: (label.broadcast, label.dive)), problems


def _parse(key: object, entry: object, *, with_marks: bool) -> _Label:
    broadcast, dive = _parse_key(key)
    needed = ("start_frame", "end_frame", "final_score", "difficulty", *(("judge_scores",) * with_marks))
    if not isinstance(entry, dict) or any(name not in entry for name in needed):
        raise DatasetError(f"expected a dict with {', '.join(needed)}")
    start, end = (frame_number(str(entry[name]), name=name) for name in ("start_frame", "end_frame"))
    if start >= end:
        raise DatasetError(f"start_frame {start} is not before end_frame {end}")
    cells = {name: str(entry[name]) for name in ("final_score", "difficulty")}
    if with_marks:
        cells |= _mark_cells(entry["judge_scores"])
    marks = read_labels(cells, read=partial(_read_mark, (broadcast, dive)))
    return _Label(broadcast, dive, start, end, marks)


def _parse_key(key: object) -> tuple[int, int]:
    if not isinstance(key, tuple | list) or len(key) != 2:
        raise DatasetError(f"{key!r} is not (broadcast, dive)")
    broadcast, dive = (
        frame_number(str(part), name=n) for part, n in zip(key, ("broadcast", "dive"), strict=True)
    )
    return broadcast, dive


def _mark_cells(raw: Any) -> dict[str, str]:
    try:
        texts = [str(mark) for mark in raw]
    except TypeError as error:
        raise DatasetError(f"judge_scores {raw!r} are not {NUM_JUDGES} marks") from error
    if len(texts) != NUM_JUDGES:
        raise DatasetError(f"{len(texts)} judge_scores, expected {NUM_JUDGES}")
    return {COLUMNS[judge.name]: text for judge, text in zip(JUDGES, texts, strict=True)}


def _read_mark(key: tuple[int, int], text: str, *, name: str) -> float:
    """Return the number of a column, the slips of the pen mended."""
    number = finite_number(text, name=name)
    if name == COLUMNS["difficulty"] and number <= 0:
        raise DatasetError(f"difficulty {number:g} is not above 0")
    if not name.startswith("the mark"):
        return number
    written, meant = SLIPS.get((key, name), (None, number))
    mark = meant if number == written else number
    if not 0 <= mark <= 10:
        raise DatasetError(f"{name}, {mark:g}, is not within 0 to 10")
    return mark


def _read_side(path: Path, known: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """Ids of one side of the official split in the file's order, and a problem per entry without labels."""
    entries = read_pickle(path)
    if not isinstance(entries, list | tuple) or not entries:
        raise DatasetError(f"{path} holds no list of (broadcast, dive): is it that file of MTL-AQA?")
    ids, problems = parse_rows(
        ((f"{path.name} entry {number}", entry) for number, entry in enumerate(entries, start=1)),
        parse=lambda entry: _known_id(entry, known),
        identify=lambda video_id: video_id,
    )
    if not ids:
        raise DatasetError(f"{path} names no labelled dive; the first entry says {problems[0]}")
    return tuple(ids), problems


def _known_id(entry: object, known: set[str]) -> str:
    video_id = _id_of(*_parse_key(entry))
    if video_id not in known:
        raise DatasetError(f"dive {video_id} has no usable labels")
    return video_id


def _broadcast_path(label: _Label, shelf: Shelf) -> Path | None:
    number = label.broadcast
    return shelf.find(f"{number:02d}", f"{number}", f"video{number}_frames", f"video{number}")


def _open_broadcasts(labels: list[_Label], shelf: Shelf) -> dict[Path, BroadcastFolder]:
    """The frame folders among the broadcasts, each listed once; the reader refuses broken ones."""
    folders = {}
    for path in dict.fromkeys(_broadcast_path(label, shelf) for label in labels):
        if path is None or not path.is_dir():
            continue
        try:
            # Weight-Decider's loader counts from 0 and needs no other frames than it asks for.
            first_number = 0 if path.name.lower().startswith("video") else 1
            folders[path] = open_broadcast(path, usual_first_number=first_number)
        except VideoError:
            continue
    return folders


def _video(
    names: FolderNames, label: _Label, *, shelf: Shelf, broadcasts: dict[Path, BroadcastFolder]
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
