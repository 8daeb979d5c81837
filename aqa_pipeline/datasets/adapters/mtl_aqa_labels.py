"""Read the label files of MTL-AQA: dives with their scores, difficulties, marks and frames.

The final score is the difficulty times the sum of the three middle marks, except in 27 dives (penalties and
typing errors), which stay as published.

The released loaders never read `start_frame`: they take the 96 or 103 frames that end at `end_frame`
(exclusive, counted from 0), and more than half of the labeled dives are shorter. So the window of a dive is
[start_frame, end_frame), extended to at least the 103 frames before its end. No two dives overlap.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aqa_pipeline.datasets.reading.broadcasts import Window
from aqa_pipeline.datasets.reading.field_values import finite_number, frame_number
from aqa_pipeline.datasets.reading.label_rows import parse_rows
from aqa_pipeline.datasets.reading.row_labels import RowLabels, read_labels
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Target
from aqa_pipeline.untrusted.pickles import read_pickle

LOADED_FRAMES = 103
NUM_JUDGES = 7

# Score: 104.5 is the best dive and the scale of USDL. Execution: three marks of at most 10. The difficulties
# are 1.5 to 4.1; the bounds are whole numbers around them.
TARGETS = (Target("score", 0.0, 104.5), Target("execution", 0.0, 30.0), Target("difficulty", 1.0, 5.0))
JUDGES = tuple(Target(f"judge-{number}", 0.0, 10.0) for number in range(1, NUM_JUDGES + 1))

COLUMNS = {"score": "final_score", "difficulty": "difficulty"} | {
    judge.name: f"the mark of judge {number}" for number, judge in enumerate(JUDGES, start=1)
}

# One mark of 4.5 was typed without its point: (dive, column) -> (published, correct).
TYPING_ERRORS = {((4, 49), "the mark of judge 4"): (45.0, 4.5)}


@dataclass(frozen=True)
class DiveLabel:
    """The labels of one dive. Frames count from 0; `end_frame` is exclusive."""

    broadcast: int
    dive: int
    start_frame: int
    end_frame: int
    marks: RowLabels

    @property
    def video_id(self) -> str:
        """Return the video id, such as `01_192`."""
        return _id_of(self.broadcast, self.dive)

    @property
    def group(self) -> str:
        """Return the broadcast as the group of the dive."""
        return f"{self.broadcast:02d}"

    @property
    def window(self) -> Window:
        """Return the frames of the dive: at least the 103 frames before its end."""
        start = max(0, min(self.start_frame, self.end_frame - LOADED_FRAMES))
        return Window(start, self.end_frame, num_spare=self.start_frame - start)

    @property
    def scores(self) -> dict[str, float]:
        """Return the labels by target: the score, execution, difficulty and the marks of the judges."""
        values = dict(self.marks.values)
        scores = {name: values[column] for name, column in COLUMNS.items() if column in values}
        if "score" in scores and "difficulty" in scores:
            scores["execution"] = scores["score"] / scores["difficulty"]
        return scores


def _id_of(broadcast: int, dive: int) -> str:
    """Return the video id of a dive, such as `01_192`, as MUSDL names its folder."""
    return f"{broadcast:02d}_{dive:02d}"


def read_dive_labels(path: Path) -> tuple[list[DiveLabel], list[str]]:
    """Return usable labels sorted by broadcast and dive, and a problem for each other entry.

    Either all labels have the marks of the judges, or none. Raises `DatasetError` for another file.
    """
    entries = read_pickle(path)
    if not isinstance(entries, dict) or not entries:
        raise DatasetError(
            f"{path} holds no dict {{(broadcast, dive): labels}}: expected an annotation file of MTL-AQA"
        )
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


def _parse(key: object, entry: object, *, with_marks: bool) -> DiveLabel:
    broadcast, dive = _parse_key(key)
    needed = ("start_frame", "end_frame", "final_score", "difficulty", *(("judge_scores",) * with_marks))
    if not isinstance(entry, dict) or any(name not in entry for name in needed):
        raise DatasetError(f"expected a dict with {', '.join(needed)}")
    start, end = (frame_number(str(entry[name]), name=name) for name in ("start_frame", "end_frame"))
    if start >= end:
        raise DatasetError(f"start_frame {start} is not before end_frame {end}")
    fields = {name: str(entry[name]) for name in ("final_score", "difficulty")}
    if with_marks:
        fields |= _mark_fields(entry["judge_scores"])
    marks = read_labels(fields, read=partial(_read_mark, (broadcast, dive)))
    return DiveLabel(broadcast, dive, start, end, marks)


def _parse_key(key: object) -> tuple[int, int]:
    if not isinstance(key, tuple | list) or len(key) != 2:
        raise DatasetError(f"{key!r} is not (broadcast, dive)")
    broadcast, dive = (
        frame_number(str(part), name=n) for part, n in zip(key, ("broadcast", "dive"), strict=True)
    )
    return broadcast, dive


def _mark_fields(raw: Any) -> dict[str, str]:
    try:
        texts = [str(mark) for mark in raw]
    except TypeError as error:
        raise DatasetError(f"judge_scores {raw!r} are not {NUM_JUDGES} marks") from error
    if len(texts) != NUM_JUDGES:
        raise DatasetError(f"{len(texts)} judge_scores, expected {NUM_JUDGES}")
    return {COLUMNS[judge.name]: text for judge, text in zip(JUDGES, texts, strict=True)}


def _read_mark(key: tuple[int, int], text: str, *, name: str) -> float:
    """Return the number of a column, with known typing errors corrected."""
    number = finite_number(text, name=name)
    if name == COLUMNS["difficulty"] and number <= 0:
        raise DatasetError(f"difficulty {number:g} is not above 0")
    if not name.startswith("the mark"):
        return number
    published, correct = TYPING_ERRORS.get((key, name), (None, number))
    mark = correct if number == published else number
    if not 0 <= mark <= 10:
        raise DatasetError(f"{name}, {mark:g}, is not within 0 to 10")
    return mark


def read_video_ids(path: Path, known: set[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the video ids of one set of the official split, and a problem for each other entry."""
    entries = read_pickle(path)
    if not isinstance(entries, list | tuple) or not entries:
        raise DatasetError(f"{path} holds no list of (broadcast, dive): expected a split file of MTL-AQA")
    ids, problems = parse_rows(
        ((f"{path.name} entry {number}", entry) for number, entry in enumerate(entries, start=1)),
        parse=lambda entry: _known_id(entry, known),
        identify=lambda video_id: video_id,
    )
    if not ids:
        raise DatasetError(f"{path} names no labeled dive; the first entry says {problems[0]}")
    return tuple(ids), problems


def _known_id(entry: object, known: set[str]) -> str:
    video_id = _id_of(*_parse_key(entry))
    if video_id not in known:
        raise DatasetError(f"dive {video_id} has no usable labels")
    return video_id
