"""MIT-Skating: 150 short programmes of figure skating, cut from 13 broadcasts.

Pirsiavash, Vondrick, Torralba: "Assessing the Quality of Actions", ECCV 2014. Each line of the label
file reads `<k>_<broadcast title>-<YouTube id> TOTAL TES PCS start_frame end_frame`, where `k` counts
the skaters of one broadcast. TOTAL is TES + PCS less deductions; the few rows where it is not are
taken as the judges' sheets have them.

There is no official split: the literature draws random ones with 100 videos to train and 50 to test
(ACTION-NET: five). Those mix skaters of one broadcast, hence the grouped splits beside them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.datasets.disk import boxes_beside, is_frame_folder, read_label_text, scan_videos
from aqa_pipeline.datasets.rows import finite_number, frame_number, inner_path, parse_rows
from aqa_pipeline.datasets.splits import grouped_splits, random_splits, share_of
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset, Target, Video

NAME = "mit-skating"
BROADCAST_FPS = 24000 / 1001
TEST_SHARE = 50 / 150

# Total: ACTION-NET states 0 to 100. PCS of a short programme is five marks of at most 10 (times 1.0
# for men, 0.8 for women), so 50 is its bound. TES has none: 60 is the next ten above the largest here, 53.9.
TARGETS = (Target("total", 0.0, 100.0), Target("tes", 0.0, 60.0), Target("pcs", 0.0, 50.0))

WHERE = """\
Labels: data/annotations.txt of the repository chmxu/MS_LSTM (150 lines) saved as annotations.txt.
Videos: the 13 broadcasts on YouTube (each id is the last 11 characters of a label's name), or the
clips of the MIT figure skating set of Pirsiavash et al. (ECCV 2014)."""

LAYOUT = """\
ROOT/annotations.txt
ROOT/videos/   any of these, also mixed; a cut clip is taken before a broadcast
    <title>-<YouTube id>.mp4, <YouTube id>.mkv, <title> [<YouTube id>].webm   broadcasts: labels cut them
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
    scores: tuple[float, float, float]
    start_frame: int
    stop_frame: int


def load(root: Path) -> Dataset:
    """MIT-Skating as found under `root`; videos that are not there are listed where they are expected."""
    text = read_label_text(_label_file(root))
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    labels, problems = parse_rows(
        ((f"annotations.txt line {number}", line) for number, line in lines),
        parse=_parse,
        identify=lambda label: label.video_id,
    )
    if not labels:
        raise DatasetError(f"{root / 'annotations.txt'} has no usable line; the first says {problems[0]}")
    line_numbers = {line.split()[0]: number for number, line in reversed(lines)}
    shelf = scan_videos(root / "videos")
    videos = tuple(
        _video(root, label, shelf=shelf, line_number=line_numbers[label.video_id]) for label in labels
    )
    splits = {}
    if len(videos) > 1:
        num_test = share_of(len(videos), TEST_SHARE)
        splits = random_splits([v.video_id for v in videos], num_test=num_test)
        splits |= grouped_splits({label.video_id: label.broadcast for label in labels}, num_test=num_test)
    return Dataset(
        name=NAME,
        root=root,
        videos=videos,
        splits=splits,
        targets=TARGETS,
        problems=tuple(problems),
        default_splits=tuple(name for name in splits if name.startswith("random-")),
    )


def _label_file(root: Path) -> Path:
    path = root / "annotations.txt"
    if not path.is_file():
        raise DatasetError(f"no annotations.txt in {root}. Expected:\n{LAYOUT}\n{WHERE}")
    return path


def _parse(line: str) -> _Label:
    cells = line.split()
    if len(cells) != 6:
        raise DatasetError(f"expected name TOTAL TES PCS start_frame end_frame, got {len(cells)} words")
    name = _LABEL_NAME.fullmatch(cells[0])
    if not name or "/" in cells[0] or inner_path(cells[0], name="name") != cells[0]:
        raise DatasetError(
            f"name {cells[0][:80]!r} is not <k>_<broadcast title>-<11 characters of a YouTube id>"
        )
    total, tes, pcs = (
        finite_number(cell, name=what) for cell, what in zip(cells[1:4], ("TOTAL", "TES", "PCS"), strict=True)
    )
    # Nothing published says whether the end frame belongs to the performance: read as exclusive.
    start, stop = frame_number(cells[4], name="start_frame"), frame_number(cells[5], name="end_frame")
    if start >= stop:
        raise DatasetError(f"start_frame {start} is not before end_frame {stop}")
    return _Label(
        cells[0], name["broadcast"], name["youtube_id"], int(name["number"]), (total, tes, pcs), start, stop
    )


def _video(root: Path, label: _Label, *, shelf: dict[str, Path], line_number: int) -> Video:
    clip = _find_clip(root, label, shelf=shelf, line_number=line_number)
    path = clip or _find_broadcast(label, shelf=shelf) or root / "videos" / f"{label.broadcast}.mp4"
    return Video(
        video_id=label.video_id,
        path=path,
        labels=dict(zip((target.name for target in TARGETS), label.scores, strict=True)),
        group=label.broadcast,
        start_frame=0 if clip else label.start_frame,
        stop_frame=None if clip else label.stop_frame,
        fps=BROADCAST_FPS if is_frame_folder(path) else None,
        boxes=boxes_beside(root, label.video_id),
        duration_seconds=(label.stop_frame - label.start_frame) / BROADCAST_FPS,
    )


def _find_clip(root: Path, label: _Label, *, shelf: dict[str, Path], line_number: int) -> Path | None:
    by_name = {_plain(name): path for name, path in shelf.items()}
    for name in (_plain(label.video_id), str(line_number), f"{line_number:03d}"):
        if name in by_name:
            return by_name[name]
    within = scan_videos(root / "videos" / label.broadcast)
    number = label.number_in_broadcast
    return next((within[n] for n in (label.video_id, str(number), f"{number:03d}") if n in within), None)


def _find_broadcast(label: _Label, *, shelf: dict[str, Path]) -> Path | None:
    # A clip's name ends like its broadcast's and titles may begin with a year (`2014_...` is no clip 2014),
    # so only a number before the label's own broadcast makes a clip.
    clip_name = re.compile(rf"\d+_{re.escape(_plain(label.broadcast))}")
    ending = re.compile(rf"(?:.*-)?{re.escape(label.youtube_id)}|.*\[{re.escape(label.youtube_id)}\]")
    for name, path in shelf.items():
        if ending.fullmatch(name) and not clip_name.fullmatch(_plain(name)):
            return path
    return None


def _plain(name: str) -> str:
    """Names as labels write them: `Men's short-abc` and `Men_s_short-abc` are the same video."""
    return re.sub(r"[\W_]+", "_", name)


ADAPTER = DatasetAdapter(
    name=NAME,
    title="MIT-Skating: 150 short programmes from 13 broadcasts, total score with TES and PCS",
    load=load,
    where=WHERE,
    layout=LAYOUT,
)
