"""Simulate the stream `clips`, for a head that weights clips in each feature dimension (Weight-Decider).

The last 96 frames of a video are N clips in V views, and form three thirds of N/3 clips each. The video's
quality q has two aspects (the take-off and the entry into the water). Clip c of third h in view v is

    x_cv = sigma |e_cv| + a sum_j (max(z_jh, 0) u_j+ + max(-z_jh, 0) u_j-) + sum_j (l_j + b k_jh) m_j

with j = 1, 2 and half-normal noise as in aqa_pipeline/simulation/steps.py. The u_j+, u_j- and m_j mark D/32
features each and share none. All views are small perturbations of the first view, the reference:
e_cv = sqrt(1 - p^2) e_c1 + p N(0, I).

`sparse`: aspect j is visible in one third (k_jh = 1). The third is random for each video, and differs between
the aspects. There z_1h = effect q + d + r_1 or z_2h = effect q - d + r_2, where d ~ N(0, 1) is the difference
of the aspects and r_j ~ N(0, s^2). In the other thirds the same features are distractors, z_jh ~ N(0, 2 +
s^2), with the same distribution at effect 1. One aspect in its third correlates with q by 1 / sqrt(2 + s^2) =
0.67, both by 1 / sqrt(1 + s^2 / 2) = 0.94, and the mean over all clips by 0.54. Clips that show one aspect
are distractors for the other, so a weight per clip is not enough: a head needs one per clip and dimension.
The level l_j ~ U(0, 3 b) is random for each video: the clips with the highest m_j show aspect j, but its
absolute height hardly says so. So a head that scores each clip alone and averages the scores misses most of
the signal; a softmax over clips finds it.

`even`: no third is marked, and z_jh = effect q + d (or - d) + N(0, 2 + s^2) in all clips. The mean is then
the best predictor (0.85).

With effect 0 no feature depends on the labels.
"""

from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import SpecValue, StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation, random_numbers
from aqa_pipeline.simulation.stream import BASE_SCALE, Drawn, directions

VERSION = 1  # of the model above; raise it if features change
NUM_ASPECTS = 2
NUM_THIRDS = 3
ASPECT_NOISE = 0.5  # s
DISTRACTOR_SCALE = np.sqrt(2 + ASPECT_NOISE**2)
MARKER_SCALE = 1.5  # b
LEVEL_RANGE = 4.5  # of l: three times b
VIEW_NOISE = 0.3  # p

NUM_FRAMES = 96
FPS = 25.0  # of MTL-AQA
# The names of `aqa extract`: clips end 0 to 5 frames earlier, then the same mirrored.
VIEWS = (*(f"end-{offset}" for offset in range(6)), *(f"end-{offset}-flip" for offset in range(6)))


@dataclass(frozen=True)
class SimulatedClips:
    """The clips of one backbone, in all views of the last 96 frames: features are (clip, view, dim)."""

    backbone: str
    frames_per_clip: int
    dim: int
    stream: str = "clips"
    num_aspects: int = NUM_ASPECTS

    @property
    def name(self) -> str:
        """Return the name for `aqa simulate --streams`."""
        return f"{self.stream}:{self.backbone}"

    @property
    def num_clips(self) -> int:
        """Return the number of clips: 3, 6 or 12, so that each third has whole clips."""
        return NUM_FRAMES // self.frames_per_clip

    def spec(self, simulation: Simulation) -> StreamSpec:
        """Return the spec of the simulated stream."""
        sampling: dict[str, SpecValue] = {
            "span": "last-96",
            "frames_per_step": self.frames_per_clip,
            "views": ",".join(VIEWS),
        }
        return StreamSpec(self.stream, {**simulation.facts(VERSION), "backbone": self.backbone, **sampling})

    def num_bytes(self, video: Video) -> int:
        """Return the size of the features of a video in bytes; it is the same for all videos."""
        return self.num_clips * len(VIEWS) * self.dim * np.dtype(np.float16).itemsize

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """Draw features, (clip, view, dim), and `is_key`, (clip, aspect).

        Raises `DatasetError` for a video of unknown duration, or of less than 96 frames.
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
        """Return half-normal noise, (clip, view, dim), nearly the same in every view of a clip."""
        noise = rng.standard_normal((self.num_clips, len(VIEWS), self.dim), dtype=np.float32)
        noise[:, 1:] *= VIEW_NOISE
        noise[:, 1:] += np.float32(np.sqrt(1 - VIEW_NOISE**2)) * noise[:, :1]
        return np.abs(noise) * np.float32(BASE_SCALE)

    def _times(self, dataset: str, video: Video) -> np.ndarray:
        """Return the intervals of the clips in seconds, (clip, 2): the last 96 frames."""
        seconds = video.duration_seconds
        if seconds is None or seconds < NUM_FRAMES / FPS:
            raise DatasetError(
                f"{dataset} video {video.video_id!r} has a duration of {seconds} seconds by its labels; "
                f"clips of its last {NUM_FRAMES} frames need at least {NUM_FRAMES / FPS} seconds."
            )
        edges = seconds - self.frames_per_clip / FPS * np.arange(self.num_clips, -1, -1)
        return np.stack([edges[:-1], edges[1:]], axis=1)
