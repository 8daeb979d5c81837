"""The parent's side: ask a child process about a video, and wait for a bounded time."""

import json
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from aqa_pipeline.errors import VideoError

START = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from aqa.serve.looking.child import main
main()
"""
MOST_SECONDS = 60.0
CRASHED = "the decoder crashed on this file, or ran out of time."


class Look(BaseModel):
    """The displayed size in pixels, and the length in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int
    height: int
    seconds: float


def look_at(path: Path) -> Look:
    """Return what a video file holds; raise `VideoError` if none of its frames can be decoded."""
    try:
        return Look.model_validate(_ask(str(path)))
    except ValidationError as error:
        raise VideoError(CRASHED) from error


def draw_picture(path: Path, picture: Path) -> None:
    """Write the middle frame of a video as a small JPEG; raise `VideoError` if it cannot be decoded."""
    _ask(str(path), str(picture))


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
