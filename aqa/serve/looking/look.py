"""The parent's side: ask a child process about a video, and wait for a bounded time."""

import json
import subprocess
import sys
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video import Timeline

START = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from aqa.serve.looking.child import main
main()
"""
MOST_SECONDS = 60.0
CRASHED = "the decoder crashed on this file, or ran out of time."


class Look(BaseModel):
    """Displayed size in pixels, length in seconds, frames per second, and codec of a video file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int
    height: int
    seconds: float
    fps: float
    codec: str


class FrameList(BaseModel):
    """The frames of a video file, as the fields of `Timeline`, and the displayed size in pixels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pts: tuple[int, ...]
    end: int
    time_base: tuple[int, int]
    width: int
    height: int

    @cached_property
    def timeline(self) -> Timeline:
        """The frames and their times."""
        return Timeline(np.array(self.pts, np.int64), Fraction(*self.time_base), self.end)


def look_at(path: Path) -> Look:
    """Return what a video file holds; raise `VideoError` if none of its frames can be decoded."""
    try:
        return Look.model_validate(_ask("facts", str(path)))
    except ValidationError as error:
        raise VideoError(CRASHED) from error


def list_frames(path: Path) -> FrameList:
    """Return the frames of a video file, all packets of which are read; raise `VideoError`."""
    try:
        return FrameList.model_validate(_ask("frames", str(path)))
    except ValidationError as error:
        raise VideoError(CRASHED) from error


def draw_picture(path: Path, picture: Path, *, frame: int | None) -> None:
    """Write a frame of a video, or the middle one, as a small JPEG; raise `VideoError` if none is decoded."""
    _ask("draw", str(path), str(picture), *([] if frame is None else [str(frame)]))


def _ask(*words: str) -> dict[str, object]:
    search = json.dumps([place for place in sys.path if place])
    command = [sys.executable, "-P", "-c", START, search, *words]
    try:
        asked = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=MOST_SECONDS, check=True
        )
        answer = json.loads(asked.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise VideoError(CRASHED) from error
    if "reason" in answer:
        raise VideoError(str(answer["reason"]))
    return dict(answer)
