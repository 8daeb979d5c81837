"""MIT-Skating: 150 short programs of figure skating, cut from 13 broadcasts.

Pirsiavash, Vondrick, Torralba: "Assessing the Quality of Actions", ECCV 2014. Each line of the label
file reads `<k>_<broadcast title>-<YouTube id> TOTAL TES PCS start_frame end_frame`, where `k` counts
the skaters of one broadcast. TOTAL is TES + PCS minus deductions. In a few rows it is not, as on the sheets
of the judges; these rows stay unchanged.

There is no official split. The literature draws random splits with 100 training and 50 test videos
(ACTION-NET: five). These mix skaters of one broadcast, so there are grouped splits too.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.reading.assemble import assemble_dataset
from aqa_pipeline.datasets.reading.disk import (
    Shelf,
    boxes_beside,
    is_frame_folder,
    read_label_text,
    scan_videos,
)
from aqa_pipeline.datasets.reading.field_values import frame_number, inner_path
from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.datasets.splits import grouped_splits, random_splits, share_of
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset, Target, Video

NAME = "mit-skating"
BROADCAST_FPS = 24000 / 1001
TEST_SHARE = 50 / 150

# Total: ACTION-NET states 0 to 100. PCS of a short program is five marks of at most 10 (times 1.0 for men,
# 0.8 for women), so 50 is its bound. TES has no bound: the largest is 53.9, so 60.
TARGETS = (Target("total", 0.0, 100.0), Target("tes", 0.0, 60.0), Target("pcs", 0.0, 50.0))

WHERE = """\
Labels: data/annotations.txt of the repository chmxu/MS_LSTM (150 lines) saved as annotations.txt.
Videos: the 13 broadcasts on YouTube (each id is the last 11 characters of a label's name), or the
clips of the MIT figure skating set of Pirsiavash et al. (ECCV 2014)."""

LAYOUT = """\
ROOT/annotations.txt
ROOT/videos/   any of these, also mixed; a cut clip has priority over a broadcast
    <title>-<YouTube id>.mp4, <YouTube id>.mkv, <title> [<YouTube id>].webm   broadcasts
    <k>_<title>-<YouTube id>.avi           cut clips, or folders of pictures, by the label's name
    <title>-<YouTube id>/<k>.avi           cut clips by their number within the broadcast
    1.avi or 001.avi ... 150.avi           cut clips by line of annotations.txt (k alone repeats)
ROOT/boxes/<label's name>.csv              optional person boxes"""

_LABEL_NAME = re.compile(r"(?P<number>\d+)_(?P<broadcast>.+-(?P<youtube_id>[\w-]{11}))", re.ASCII)


@dataclass(frozen=True)
class _Label:
    video_id: str
    broadcast: str
    youtube_id: str
    number_in_broadcast: int
    marks: RowLabels
    start_frame: int
    stop_frame: int


def load(root: Path) -> Dataset:
    """Load MIT-Skating from `root`. An absent video has the path at which it is expected."""
    names = FolderNames(root)
    text = read_label_text(_label_file(names))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    labels, problems = parse_rows(
        ((f"annotations.txt line {number}", line) for number, line in lines),
        parse=_parse,
        identify=lambda label: label.video_id,
        unread=lambda label: label.marks.unread,
    )
    if not labels:
        raise DatasetError(f"{root / 'annotations.txt'} has no usable line; the first says {problems[0]}")
    line_numbers = {line.split()[0]: number for number, line in reversed(lines)}
    shelves = _Shelves(names)
    videos = tuple(_video(shelves, label, line_number=line_numbers[label.video_id]) for label in labels)
    splits = {}
    if len(videos) > 1:
        num_test = share_of(len(videos), TEST_SHARE)
        splits = random_splits([v.video_id for v in videos], num_test=num_test)
        splits |= grouped_splits({label.video_id: label.broadcast for label in labels}, num_test=num_test)
    return assemble_dataset(
        NAME,
        names,
        targets=TARGETS,
        videos=videos,
        splits=splits,
        problems=problems,
        default_splits=[name for name in splits if name.startswith("random-")],
    )


def _label_file(names: FolderNames) -> Path:
    path = names.find_file("annotations.txt")
    if path is None:
        raise DatasetError(f"no annotations.txt in {names.root}. Expected:\n{LAYOUT}\n{WHERE}")
    return path


def _parse(line: str) -> _Label:
    fields = line.split()
    if len(fields) != 6:
        raise DatasetError(
            f"expected name TOTAL TES PCS start_frame end_frame, got {counted(len(fields), 'word')}"
        )
    name = _LABEL_NAME.fullmatch(fields[0])
    if not name or "/" in fields[0] or inner_path(fields[0], name="name") != fields[0]:
        raise DatasetError(
            f"name {fields[0][:80]!r} is not <k>_<broadcast title>-<11 characters of a YouTube id>"
        )
    marks = read_labels(dict(zip(("TOTAL", "TES", "PCS"), fields[1:4], strict=True)))
    # No publication says whether the end frame belongs to the performance. It is read as exclusive.
    start, stop = frame_number(fields[4], name="start_frame"), frame_number(fields[5], name="end_frame")
    if start >= stop:
        raise DatasetError(f"start_frame {start} is not before end_frame {stop}")
    return _Label(
        video_id=fields[0],
        broadcast=name["broadcast"],
        youtube_id=name["youtube_id"],
        number_in_broadcast=int(name["number"]),
        marks=marks,
        start_frame=start,
        stop_frame=stop,
    )


class _Shelves:
    """The content of `videos`: clips by simplified names, broadcasts, and clips in a broadcast's folder."""

    def __init__(self, names: FolderNames) -> None:
        self.names = names
        self.broadcasts = scan_videos(names, "videos")
        plain = {_plain(name): path for name, path in self.broadcasts.items()}
        self.clips = Shelf(plain, names.spellings)
        self._within: dict[str, Shelf] = {}

    def within(self, broadcast: str) -> Shelf:
        """Return the clips in the folder of a broadcast."""
        if broadcast not in self._within:
            self._within[broadcast] = scan_videos(self.names, f"videos/{broadcast}")
        return self._within[broadcast]


def _video(shelves: _Shelves, label: _Label, *, line_number: int) -> Video:
    root = shelves.names.root
    clip = _find_clip(shelves, label, line_number=line_number)
    path = clip or _find_broadcast(shelves, label) or root / "videos" / f"{label.broadcast}.mp4"
    return Video(
        video_id=label.video_id,
        path=path,
        labels={column.lower(): value for column, value in label.marks.values.items()},
        group=label.broadcast,
        start_frame=0 if clip else label.start_frame,
        stop_frame=None if clip else label.stop_frame,
        fps=BROADCAST_FPS if is_frame_folder(path) else None,
        boxes=boxes_beside(shelves.names, label.video_id),
        duration_seconds=(label.stop_frame - label.start_frame) / BROADCAST_FPS,
    )


def _find_clip(shelves: _Shelves, label: _Label, *, line_number: int) -> Path | None:
    number = label.number_in_broadcast
    return shelves.clips.find(
        _plain(label.video_id), str(line_number), f"{line_number:03d}"
    ) or shelves.within(label.broadcast).find(label.video_id, str(number), f"{number:03d}")


def _find_broadcast(shelves: _Shelves, label: _Label) -> Path | None:
    # The name of a clip ends like that of its broadcast, and titles may begin with a year (`2014_...` is not
    # clip 2014). So only a number before the name of the broadcast makes a clip.
    clip_name = re.compile(rf"\d+_{re.escape(_plain(label.broadcast))}", re.IGNORECASE)
    youtube_id = re.escape(label.youtube_id)
    ending = re.compile(rf"(?:.*-)?{youtube_id}|.*\[{youtube_id}\]")
    videos = {
        name: path for name, path in shelves.broadcasts.items() if not clip_name.fullmatch(_plain(name))
    }
    for name, path in videos.items():
        if ending.fullmatch(name):
            return path
    any_case = re.compile(ending.pattern, re.IGNORECASE)
    found = shelves.names.spellings.choose(label.broadcast, filter(any_case.fullmatch, videos))
    return None if found is None else videos[found]


def _plain(name: str) -> str:
    """Return a name as labels write it: `Men's short-abc` and `Men_s_short-abc` are the same video."""
    return re.sub(r"[\W_]+", "_", normalize("NFC", name))


ADAPTER = DatasetAdapter(
    name=NAME,
    title="MIT-Skating: 150 short programs from 13 broadcasts, total score with TES and PCS",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
