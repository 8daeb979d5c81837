"""Intakes that harm a decoding process: they crash it, kill it, let it hang or use up its memory."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.records import Video
from extract.decoding.decode import Job
from extract.streams import Intake, plan_steps

HARM = '''
import os, signal, sys, time
import numpy as np

def at_frame(frame, number, harm):
    """Return the frame unchanged; do harm at the frame of that brightness."""
    if frame[0, 0, 0] == number:
        HARMS[harm]()
    return frame

def allocate():
    hoard = []
    while True:
        hoard.append(np.ones(64 * 1024**2, np.uint8))

def hang():
    with open(__file__ + ".hangs", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(3600)

def say_and_abort():
    os.write(2, b"free(): invalid pointer\\n")
    os.abort()

HARMS = {
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "abort": say_and_abort,
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hang": hang,
    "print": lambda: print("a library says hello"),
    "allocate": allocate,
    "exit": lambda: os._exit(7),
    "bug": lambda: 1 / 0,
}

def modules(frame):
    return np.array(sorted(sys.modules))
'''


@pytest.fixture
def harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Intake]:
    """Return a function that makes an intake of every frame, which does harm at frame `number`."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "harm_in_a_decoder.py").write_text(HARM)
    monkeypatch.syspath_prepend(tmp_path / "code")

    def make(kind: str, *, number: int = 5) -> Intake:
        import harm_in_a_decoder

        at_frame = partial(harm_in_a_decoder.at_frame, number=number, harm=kind)
        return Intake(partial(plan_steps, rate_fps=10.0, frames_per_step=1), at_frame)

    return make


@pytest.fixture
def whole() -> Intake:
    """Return the intake of every frame, unchanged."""
    return Intake(partial(plan_steps, rate_fps=10.0, frames_per_step=1), np.asarray)


@pytest.fixture
def job(picture_video: Callable[..., Video]) -> Callable[..., Job]:
    """Return a function that makes a job on a new video of 40 frames."""

    def make(intake: Intake, video_id: str = "a") -> Job:
        return Job(picture_video(video_id), (intake,), "auto")

    return make
