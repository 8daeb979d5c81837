"""Simulate streams of time steps: segments, person crops and frames, for heads that look for moments.

Step t of T in a stream of D features, for a video of quality q (aqa_pipeline/simulation/quality.py), is

    x_t = sigma |e_t| + a (max(z_t, 0) u+ + max(-z_t, 0) u-) + b k_t m,    e_t ~ N(0, I)

like pooled ReLU outputs: half-normal, and larger where a feature responds. u+, u- and m mark D/32 features
each and share none; they come from the seed and are the same for every video. m is larger only at key steps
(k_t = 1). u+ and u- show good and bad quality: z_t = a^-1 mean(x_t over u+) - a^-1 mean(x_t over u-), apart
from noise. All other steps have z_t ~ N(0, n^2 T), so that its mean over the video is N(0, n^2) for short and
long streams.

`sparse`: a tenth of the steps, at random times, are key steps with z_t = effect q + r, where r ~ N(0, s^2) is
one number per video and stream. A head that finds them predicts q + r (at effect 1 a correlation of
1 / sqrt(1 + s^2) = 0.81). A head that averages all steps predicts 0.1 (q + r) + N(0, n^2) (0.40).

`even`: there are no key steps, and z_t = g effect q + N(0, n^2 T) in all steps. The average is then the best
predictor (0.81), because it is the sufficient statistic of independent normal noise.

With effect 0 no feature depends on the labels.
"""

from dataclasses import dataclass

import numpy as np

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation, random_numbers
from aqa_pipeline.simulation.stream import BASE_SCALE, Drawn, directions

VERSION = 1  # of the model above; raise it if features change
KEY_SHARE = 0.1
MARKER_SCALE = 1.0  # b
VIDEO_NOISE = 0.72  # s
STEP_NOISE = 0.22  # n
EVEN_SHARE = 0.3  # g

# The share of seconds in which a person is found, from the durations in the paper (80 of 92 s, 160 of 175 s).
PERSON_SHARE = {"rhythmic-gymnastics": 80 / 92, "mit-skating": 160 / 175}

# Shortest and longest video in seconds, where the labels of a dataset give no duration.
SECONDS_DRAWN = {"jigsaws": (40.0, 200.0)}


@dataclass(frozen=True)
class SimulatedSteps:
    """A stream with one row of `dim` features per step of `frames_per_step` frames at `rate_fps`."""

    name: str
    stream: str
    backbone: str
    dim: int
    rate_fps: float
    frames_per_step: int
    of_persons: bool = False
    num_aspects: int = 1

    @property
    def step_seconds(self) -> float:
        """Return the seconds that one step covers."""
        return self.frames_per_step / self.rate_fps

    def spec(self, simulation: Simulation) -> StreamSpec:
        """Return the spec of the simulated stream."""
        sampling = {"rate_fps": self.rate_fps, "frames_per_step": self.frames_per_step}
        return StreamSpec(self.stream, {**simulation.facts(VERSION), "backbone": self.backbone, **sampling})

    def num_steps(self, duration_seconds: float) -> int:
        """Return the number of whole steps in a video of that duration, at least one."""
        return max(1, int(duration_seconds * self.rate_fps / self.frames_per_step))

    def num_bytes(self, video: Video) -> int:
        """Return the size of the features of a video in bytes, if a person is found in every step."""
        return self.num_steps(video.duration_seconds or 0) * self.dim * np.dtype(np.float16).itemsize

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """Draw features, (time, dim), and the key steps. Raise `DatasetError` for an unknown duration."""
        rng = random_numbers(simulation, self.name, dataset, video.video_id)
        pts_seconds, missed = self._times(dataset, video, rng)
        num_steps = len(pts_seconds)
        shown = simulation.effect * quality
        is_key = np.zeros(num_steps, dtype=bool)
        quality_shown = rng.normal(0, STEP_NOISE * np.sqrt(num_steps), num_steps)  # z_t
        if simulation.signal == "even":
            quality_shown += EVEN_SHARE * shown
        else:
            is_key[rng.permutation(num_steps)[: max(1, round(KEY_SHARE * num_steps))]] = True
            quality_shown[is_key] = shown + rng.normal(0, VIDEO_NOISE)
        features = np.abs(rng.standard_normal((num_steps, self.dim), dtype=np.float32))
        features *= np.float32(BASE_SCALE)
        (seen,) = directions(simulation, self)
        seen.show(features, quality_shown)
        seen.mark(features, MARKER_SCALE * is_key)
        return Drawn(features.astype(np.float16), pts_seconds, is_key, missed)

    def _times(self, dataset: str, video: Video, rng: np.random.Generator) -> tuple[np.ndarray, int]:
        """Return the intervals of steps in seconds, (time, 2), and the number of steps without a person."""
        seconds = video.duration_seconds
        if seconds is None and dataset in SECONDS_DRAWN:
            seconds = rng.uniform(*SECONDS_DRAWN[dataset])
        if not seconds or seconds <= 0:
            raise DatasetError(
                f"the labels of {dataset} video {video.video_id!r} give no duration: add it to the labels."
            )
        start = self.step_seconds * np.arange(self.num_steps(seconds))
        if self.of_persons:
            found = rng.random(len(start)) < PERSON_SHARE.get(dataset, 1.0)
            found[0] |= not found.any()
            return np.stack([start[found], start[found] + 1.0], axis=1), int((~found).sum())
        return np.stack([start, start + self.step_seconds], axis=1), 0
