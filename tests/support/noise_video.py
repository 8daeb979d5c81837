"""A small video of noise."""

from pathlib import Path


def write_noise_video(path: Path, *, seed: int, num_frames: int = 20) -> None:
    """Write a small h264 file of noise, 5 frames per second."""
    import av
    import numpy as np

    noise = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(num_frames):
            picture = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
