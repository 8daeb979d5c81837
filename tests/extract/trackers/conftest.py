"""Scripted trackers, whole tubes, and the network and frames behind SiamMask's golden outputs."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from extract.trackers import Follower, Rules
from extract.trackers.corners import box_quad
from extract.trackers.siammask.network import SiamMask
from extract.trackers.tracker import Tracked, check_start, update_each
from extract.trackers.tube import Step, lost_in, no_quad


@dataclass
class ScriptedTrack:
    box: np.ndarray
    scores: list[float]

    def update(self, frame):
        score = self.scores.pop(0) if len(self.scores) > 1 else self.scores[0]
        return Tracked(box_quad(self.box + frame[0, 0, 0]), score)


@dataclass
class ScriptedTracker:
    """A tracker whose n-th track has the n-th list of scores; its box moves by the frame's number."""

    scripts: list[list[float]]
    name: str = "scripted"
    identity: str = "scripted v1"
    doubt_below: float = 0.5
    started: list[list[float]] = field(default_factory=list)

    def start(self, frame, box):
        self.started.append(check_start(frame, box).tolist())
        return ScriptedTrack(np.asarray(box, np.float64), list(self.scripts.pop(0)))

    def update_many(self, tracks, frames):
        return update_each(tracks, frames)


def frames(count):
    return [(index, np.full((40, 60, 3), index, np.uint8)) for index in range(count)]


def persons(by_frame):
    """Return a detector that finds `by_frame[index]`, and lists the frames that it got in `asked`."""

    def detect(pictures, indices):
        detect.asked += list(indices)
        return [np.array(by_frame.get(index, []), np.float32).reshape(-1, 5) for index in indices]

    detect.asked = []
    return detect


@pytest.fixture(scope="session")
def scripted_tracker() -> type[ScriptedTracker]:
    """Return the class `ScriptedTracker`."""
    return ScriptedTracker


@pytest.fixture(scope="session")
def numbered_frames() -> Callable[[int], list[tuple[int, np.ndarray]]]:
    """Return the function `frames`."""
    return frames


@pytest.fixture(scope="session", name="persons")
def _persons() -> Callable:
    """Return the function `persons`."""
    return persons


@pytest.fixture
def as_tube() -> Callable[..., SimpleNamespace]:
    """Return a function that joins steps to a tube; nobody is followed where the events say so."""

    def join(frame_index: list[int], steps: list[Step], events: list) -> SimpleNamespace:
        lost = lost_in(np.array(frame_index, np.int64), events)
        quads = [no_quad() if gone else step.quad for step, gone in zip(steps, lost, strict=True)]
        joined = np.array(quads, np.float32).reshape(-1, 4, 2)
        return SimpleNamespace(
            quads=joined,
            scores=np.array([step.score for step in steps], np.float32),
            present=~np.isnan(joined).any(axis=(1, 2)),
            events=tuple(events),
        )

    return join


@pytest.fixture
def make_tube(as_tube) -> Callable[..., SimpleNamespace]:
    """Return a function that makes the tube of (index, RGB frame) pairs in order."""

    def make(frames, maker) -> SimpleNamespace:
        pairs = list(frames)
        steps = [maker.step(index, frame) for index, frame in pairs]
        return as_tube([index for index, _ in pairs], steps, maker.events)

    return make


@pytest.fixture
def follow(make_tube) -> Callable[..., SimpleNamespace]:
    """Return a function that makes the tube of one athlete who is followed through the frames."""

    def make(frames, tracker, detect, *, fps, rules=None) -> SimpleNamespace:
        return make_tube(frames, Follower(tracker, detect, rules or Rules(), fps=fps))

    return make


@pytest.fixture(scope="session")
def golden(shared):
    """Return the golden `outputs` by config with their `frames` (RGB), `network` and start `box`."""
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    network = SiamMask().eval()
    values = {
        key: np.asarray(inputs.siammask_weight(key, tuple(value.shape)))
        for key, value in network.state_dict().items()
    }
    network.load_state_dict({key: torch.from_numpy(value) for key, value in values.items()})
    text = (shared / "golden" / "siammask_np1.26.4_cv3.4.18.json").read_text()
    return SimpleNamespace(
        outputs=json.loads(text),
        frames=[np.ascontiguousarray(frame[:, :, ::-1]) for frame in inputs.siammask_frames()],
        network=network,
        box=np.array([32.0, 52, 88, 88]),  # center (60, 70), size (56, 36)
    )
