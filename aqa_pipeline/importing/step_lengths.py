"""How long one row of imported features lasts: the same for all videos, or per video from a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from aqa_pipeline.datasets.reading.field_values import finite_number
from aqa_pipeline.datasets.reading.score_table import TableLine, read_score_table
from aqa_pipeline.errors import DatasetError

PER_VIDEO = "per video"


@dataclass(frozen=True)
class StepLengths:
    """Seconds per row: `seconds` of every video, or `by_video` of each that the table names."""

    seconds: float = 1.0
    by_video: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for seconds in (self.seconds, *self.by_video.values()):
            if not 0 < seconds < inf:
                raise DatasetError(f"a row of {seconds} seconds: expected a number above 0.")

    @property
    def fact(self) -> float | str:
        """What a spec says of it."""
        return PER_VIDEO if self.by_video else self.seconds

    def of(self, video_id: str) -> float:
        """Return the seconds per row of that video; raise `DatasetError` where the table does not tell."""
        if not self.by_video:
            return self.seconds
        if video_id not in self.by_video:
            raise DatasetError(f"the table of step lengths does not name {video_id}: add a line for it.")
        return self.by_video[video_id]


def read_step_lengths(path: Path, *, fps: float | None = None) -> dict[str, float]:
    """Return seconds per row by video, from a table with the columns `video` and `step_seconds`.

    Instead of `step_seconds` it may have `frames_per_step` and `fps`; `fps` may stand for the latter.
    Raises `DatasetError` for a table that has neither, or a line that cannot be read.
    """
    header, lines = read_score_table(path)
    if "video" not in header or not ({"step_seconds", "frames_per_step"} & set(header)):
        raise DatasetError(
            f"{path} has the columns {', '.join(header)}: expected video and step_seconds, or video, "
            "frames_per_step and fps."
        )
    lengths: dict[str, float] = {}
    for line in lines:
        try:
            name, seconds = line.fields["video"], _seconds(line, fps)
            if name in lengths:
                raise DatasetError(f"{name!r} is named twice")
        except DatasetError as error:
            raise DatasetError(f"{path} line {line.number}: {error}.") from error
        lengths[name] = seconds
    return lengths


def _seconds(line: TableLine, fps: float | None) -> float:
    if line.fields.get("step_seconds"):
        return _above_zero(line.fields["step_seconds"], name="step_seconds")
    frames = _above_zero(line.fields.get("frames_per_step", ""), name="frames_per_step")
    if line.fields.get("fps"):
        fps = _above_zero(line.fields["fps"], name="fps")
    if fps is None:
        raise DatasetError("frames_per_step needs fps: a column of that name, or --fps")
    return frames / fps


def _above_zero(text: str, *, name: str) -> float:
    number = finite_number(text, name=name)
    if number <= 0:
        raise DatasetError(f"{name} {text!r} is not above 0")
    return number
