"""What may happen to a decoding process: functions that travel to it in an intake, and do harm there."""

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
    """The frame as it is, but harm is done at the picture of that brightness."""
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
    """Makes the intake of every frame that does harm at picture `number`."""
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
    """The intake of every frame, as it is."""
    return Intake(partial(plan_steps, rate_fps=10.0, frames_per_step=1), np.asarray)


@pytest.fixture
def job(picture_video: Callable[..., Video]) -> Callable[..., Job]:
    """Makes a job on a new video of 40 pictures."""

    def make(intake: Intake, video_id: str = "a") -> Job:
        return Job(picture_video(video_id), (intake,), "auto")

    return make
