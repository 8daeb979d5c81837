"""Small videos for what users do."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def write_video(
    path: Path, *, num_frames: int = 30, seed: int, fps: int = 10, sample_aspect: Fraction = Fraction(1)
) -> Path:
    """Write a small h264 file of moving stripes."""
    rows, columns = np.mgrid[0:64, 0:96]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = sample_aspect
        for index in range(num_frames):
            stripes = 127 + 120 * np.sin((columns + seed * rows + 3 * index) / 7)
            picture = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def striped_video() -> Callable[..., Path]:
    """Return the function `write_video`."""
    return write_video
