"""Render a synthetic routine to frames, and encode frames as an H.264 file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from aqa_pipeline.datasets.synthetic.arena import (
    FLOOR_LINE,
    HEIGHT,
    PANORAMA_WIDTH,
    WIDTH,
    Arena,
    build_arena,
    draw_look,
    draw_shadow,
)
from aqa_pipeline.datasets.synthetic.choreography import Routine, compose
from aqa_pipeline.datasets.synthetic.element_motions import Floats
from aqa_pipeline.datasets.synthetic.figure import Look, Picture, draw_figure, figure_box, joint_positions
from aqa_pipeline.datasets.synthetic.movement import perform
from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.errors import VideoError

FPS = 15
NUM_MEETS = 4
PIXELS_PER_METER = 76.0
# The camera follows the athlete with this delay, and drifts slowly left and right.
CAMERA_LAG_SECONDS = 0.3
CAMERA_DRIFT_METERS = 0.2


@dataclass(frozen=True)
class Scene:
    """All that a video shows: the athlete's joints in the picture, frame by frame, before which place.

    `points` (frame, joint, 2) pixels, `depths` (frame, joint) meters toward the viewer, `lift` (frame,)
    meters, `left` (frame,) pixels into the panorama.
    """

    points: Floats
    depths: Floats
    lift: Floats
    left: Floats
    arena: Arena
    look: Look

    def boxes(self) -> Floats:
        """Return the boxes around the athlete, (frame, 4) `x1 y1 x2 y2` in pixels, within the picture."""
        boxes = np.stack([figure_box(points, pixels_per_meter=PIXELS_PER_METER) for points in self.points])
        return np.clip(boxes, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])

    def frames(self) -> Iterator[Picture]:
        """Yield the pictures in order, (HEIGHT, WIDTH, RGB) uint8."""
        for index, (points, depths) in enumerate(zip(self.points, self.depths, strict=True)):
            picture = self.arena.view(float(self.left[index]), seconds=index / FPS)
            across = points[:, 0]
            draw_shadow(
                picture,
                x=float(across.mean()),
                half_width=float(max(14.0, 0.5 * np.ptp(across))),
                height_meters=float(self.lift[index]),
            )
            draw_figure(picture, points, depths, pixels_per_meter=PIXELS_PER_METER, look=self.look)
            self.arena.dim_corners(picture)
            yield picture


def meet_of(index: int) -> int:
    """Return the meet of the video of that index."""
    return index % NUM_MEETS


def routine_of(index: int, *, seed: int) -> Routine:
    """Return the routine of the video of that index."""
    return compose(_generator(seed, "routine", index))


def look_of(index: int, *, seed: int) -> Look:
    """Return the outfit of the athlete in that video."""
    return draw_look(meet_of(index), rng=_generator(seed, "look", index))


def scene_of(index: int, *, seed: int) -> Scene:
    """Return the scene of the video of that index. It depends only on seed and index."""
    rng = _generator(seed, "movement", index)
    meet = meet_of(index)
    motion = perform(routine_of(index, seed=seed), fps=FPS, rng=rng)
    joints = joint_positions(motion)
    camera = _follow(motion["travel"], shift=float(rng.uniform(0, 2 * np.pi)))
    points = np.stack(
        [
            WIDTH / 2 + (joints[..., 0] - camera[:, None]) * PIXELS_PER_METER,
            FLOOR_LINE - joints[..., 1] * PIXELS_PER_METER,
        ],
        axis=-1,
    )
    left = (PANORAMA_WIDTH - WIDTH) / 2 + camera * PIXELS_PER_METER
    return Scene(
        points=points,
        depths=joints[..., 2],
        lift=motion["lift"],
        left=np.clip(left, 0, PANORAMA_WIDTH - WIDTH),
        arena=build_arena(meet, rng=_generator(seed, "arena", meet)),
        look=look_of(index, seed=seed),
    )


def write_video(path: Path, frames: Iterable[Picture], *, fps: int = FPS) -> None:
    """Encode RGB frames as H.264. `path` appears only when the file is complete. Raise `VideoError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as part:
            _encode(part, frames, fps=fps)
    except (av.FFmpegError, ValueError) as error:
        if explain_disk_error(error):
            raise
        raise VideoError(
            f"{path} cannot be encoded: {error}. PyAV needs the encoder libx264; its own wheels have it "
            "(pip install --force-reinstall --only-binary av av)."
        ) from error


def _encode(path: Path, frames: Iterable[Picture], *, fps: int) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        # With one thread and fixed options, the same frames always make the same file.
        stream = container.add_stream(
            "libx264", rate=fps, options={"preset": "superfast", "crf": "21", "threads": "1", "g": "45"}
        )
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for index, picture in enumerate(frames):
            if index == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _follow(travel: Floats, *, shift: float) -> Floats:
    """Return the position of the camera in meters: it follows the athlete with a delay, plus a slow drift."""
    keep = float(np.exp(-1 / (CAMERA_LAG_SECONDS * FPS)))
    camera = np.empty_like(travel)
    here = travel[0]
    for index, there in enumerate(travel):
        here = keep * here + (1 - keep) * there
        camera[index] = here
    seconds = np.arange(len(travel)) / FPS
    return camera + CAMERA_DRIFT_METERS * np.sin(2 * np.pi * seconds / 9 + shift)


def _generator(seed: int, purpose: str, number: int) -> np.random.Generator:
    # Separate random streams, so that the look of an athlete cannot depend on the score.
    return np.random.default_rng([seed, sum(purpose.encode()), number])
