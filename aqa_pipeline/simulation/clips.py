"""Stream `clips`, for a head that weighs clips in each feature dimension (Weight-Decider).

The last 96 frames of a video are N clips, each seen in V views, and three thirds of N/3 clips each. The
video's quality q has two aspects (how it takes off, how it enters the water). Clip c of third h in view v is

    x_cv = sigma |e_cv| + a sum_j (max(z_jh, 0) u_j+ + max(-z_jh, 0) u_j-) + sum_j (l_j + b k_jh) m_j

with j = 1, 2 and half-normal noise as in aqa_pipeline/simulation/steps.py. The u_j+, u_j- and m_j mark D/32
features each and share none. Views are small perturbations of the first, the reference:
e_cv = sqrt(1 - p^2) e_c1 + p N(0, I); all of them show the same.

`sparse`: aspect j shows in one third (k_jh = 1), drawn anew for every video and another one for each aspect.
There z_1h = effect q + d + r_1 or z_2h = effect q - d + r_2, where d ~ N(0, 1) is what the aspects differ by
and r_j ~ N(0, s^2); in the other thirds the same features carry distractors, z_jh ~ N(0, 2 + s^2), which look
the same at effect 1. One aspect alone, read where it shows, correlates with q by 1 / sqrt(2 + s^2) = 0.67,
both by 1 / sqrt(1 + s^2 / 2) = 0.94, and the mean over all clips by 0.54. Clips in which one aspect shows
distract in the other: a weight per clip is not enough, it must be one per clip and dimension. The level
l_j ~ U(0, 3 b) is the video's own: where m_j is highest tells the clips in which aspect j shows, but how high
hardly does. So what judges each clip by itself and averages afterwards must miss most of them; a softmax over
clips need not.

`even`: no third is marked, and z_jh = effect q + d (or - d) + N(0, 2 + s^2) in all. The mean is then the best
that anybody can read (0.85).

With effect 0 nothing depends on the labels.
"""

from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation, random_numbers
from aqa_pipeline.simulation.stream import BASE_SCALE, Drawn, directions

VERSION = 1  # of the model above: other features need another number
NUM_ASPECTS = 2
NUM_THIRDS = 3
ASPECT_NOISE = 0.5  # s
DISTRACTOR_SCALE = np.sqrt(2 + ASPECT_NOISE**2)
MARKER_SCALE = 1.5  # b
LEVEL_RANGE = 4.5  # of l: three times b
VIEW_NOISE = 0.3  # p

NUM_FRAMES = 96
FPS = 25.0  # of MTL-AQA
# As `aqa extract` names them: the end lies so many frames earlier, then the same mirrored.
VIEWS = (*(f"end-{offset}" for offset in range(6)), *(f"end-{offset}-flip" for offset in range(6)))


@dataclass(frozen=True)
class SimulatedClips:
    """The clips of one backbone, all views of the last 96 frames: features are (clip, view, dim)."""

    backbone: str
    frames_per_clip: int
    dim: int
    stream: str = "clips"
    num_aspects: int = NUM_ASPECTS

    @property
    def name(self) -> str:
        return f"{self.stream}:{self.backbone}"

    @property
    def num_clips(self) -> int:
        """3, 6 or 12: whole thirds have whole clips."""
        return NUM_FRAMES // self.frames_per_clip

    def spec(self, simulation: Simulation) -> StreamSpec:
        """The spec of that stream, which says that it is simulated and how."""
        sampling: dict[str, SpecValue] = {
            "span": "last-96",
            "frames_per_step": self.frames_per_clip,
            "views": ",".join(VIEWS),
        }
        return StreamSpec(self.stream, {**simulation.facts(VERSION), "backbone": self.backbone, **sampling})

    def num_bytes(self, video: Video) -> int:
        """How large any video's features are."""
        return self.num_clips * len(VIEWS) * self.dim * np.dtype(np.float16).itemsize

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """Features (clip, view, dim) and `is_key` (clip, aspect).

        Raises `DatasetError` for a video of unknown length, or of less than 96 frames.
        """
        rng = random_numbers(simulation, self.name, dataset, video.video_id)
        differ = rng.normal() * np.array([1, -1])  # d
        noise = rng.normal(0, ASPECT_NOISE, NUM_ASPECTS)  # r_j
        levels = rng.uniform(0, LEVEL_RANGE, NUM_ASPECTS)  # l_j
        shown = rng.normal(0, DISTRACTOR_SCALE, (NUM_THIRDS, NUM_ASPECTS))  # z_jh
        is_key = np.arange(NUM_THIRDS)[:, None] == rng.permutation(NUM_THIRDS)[:NUM_ASPECTS]  # k_jh
        if simulation.signal == "even":
            is_key[:] = False
            shown += simulation.effect * quality + differ
        else:
            shown = np.where(is_key, simulation.effect * quality + differ + noise, shown)
        shown, is_key = (np.repeat(rows, self.num_clips // NUM_THIRDS, axis=0) for rows in (shown, is_key))
        features = self._without_signal(rng)
        for aspect, seen in enumerate(directions(simulation, self)):
            seen.show(features, shown[:, aspect])
            seen.mark(features, levels[aspect] + MARKER_SCALE * is_key[:, aspect])
        return Drawn(features.astype(np.float16), self._times(dataset, video), is_key)

    def _without_signal(self, rng: np.random.Generator) -> np.ndarray:
        """Half-normal noise (clip, view, dim), nearly the same in every view of a clip."""
        noise = rng.standard_normal((self.num_clips, len(VIEWS), self.dim), dtype=np.float32)
        noise[:, 1:] *= VIEW_NOISE
        noise[:, 1:] += np.float32(np.sqrt(1 - VIEW_NOISE**2)) * noise[:, :1]
        return np.abs(noise) * np.float32(BASE_SCALE)

    def _times(self, dataset: str, video: Video) -> np.ndarray:
        """Intervals (clip, 2) in seconds: the last 96 frames."""
        seconds = video.duration_seconds
        if seconds is None or seconds < NUM_FRAMES / FPS:
            raise DatasetError(
                f"{dataset} video {video.video_id!r} lasts {seconds} seconds by its labels, and the clips of "
                f"its last {NUM_FRAMES} frames {NUM_FRAMES / FPS}: it cannot be simulated."
            )
        edges = seconds - self.frames_per_clip / FPS * np.arange(self.num_clips, -1, -1)
        return np.stack([edges[:-1], edges[1:]], axis=1)
