"""Begin a project: the table for the scores of the videos that a folder holds."""

import csv
import io
from pathlib import Path

from aqa_pipeline.datasets.reading.video_endings import VIDEO_SUFFIXES, without_previews
from aqa_pipeline.disk.files import write_whole

SCORES = "scores.csv"
HEADER = ("video", "score", "athlete", "date", "element")
BLANK = ("",) * (len(HEADER) - 1)
VIDEOS = "videos"


def video_names(folder: Path) -> list[str]:
    """Return the names of the video files in the folder and in its folder `videos`, sorted."""
    found = [*folder.iterdir(), *((folder / VIDEOS).iterdir() if (folder / VIDEOS).is_dir() else ())]
    return sorted(without_previews([path.name for path in found if path.suffix.lower() in VIDEO_SUFFIXES]))


def write_score_table(folder: Path) -> int | None:
    """Write a table with a line for each video and no scores; return the number of lines.

    A folder that has a CSV keeps it, and None is returned.
    """
    if any(path.suffix.lower() == ".csv" for path in folder.iterdir()):
        return None
    names = video_names(folder)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *((name, *BLANK) for name in names)])
    write_whole(folder / SCORES, text.getvalue().encode())
    return len(names)
