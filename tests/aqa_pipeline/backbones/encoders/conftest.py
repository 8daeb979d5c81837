"""The library transformers, frames of a real clip, and what its processors make of them."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from aqa_pipeline.backbones.preprocess import Preprocess
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video


@pytest.fixture(scope="session")
def transformers() -> ModuleType:
    """Return the library transformers, or skip the test."""
    return pytest.importorskip("transformers", reason="needs the extra `transformers`")


@pytest.fixture(params=["basketball", "football_juggling", "weightlifting"])
def real_frames(request: pytest.FixtureRequest, shared: Any) -> np.ndarray:
    """Return two frames of a real clip, uint8 (frame, height, width, 3)."""
    video = Video(request.param, shared / "clips" / f"{request.param}.mp4")
    with open_video(video) as opened:
        return np.stack([picture for _, picture in opened.frames([40, 90])])


@pytest.fixture(scope="session")
def levels_apart() -> Callable[..., np.ndarray]:
    """Return a function from frames, a preprocessing and a processor's output to gray levels between them.

    The output is normalized, (frame, 3, height, width). Levels are absolute and not rounded.
    """

    def compare(frames: np.ndarray, preprocess: Preprocess, processed: torch.Tensor) -> np.ndarray:
        ours = np.stack([preprocess.geometry(frame) for frame in frames]).astype(np.float64)
        theirs = np.moveaxis(processed.double().numpy(), 1, -1)
        return np.abs(ours - 255 * (theirs * np.array(preprocess.std) + np.array(preprocess.mean)))

    return compare
