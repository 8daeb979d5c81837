"""Simulated features around real labels: they prove the machinery where no videos are, and nothing else.

Each video has a quality q: the normal score of its label's rank among the videos that are judged together
(Rhythmic Gymnastics: one apparatus), so q is about N(0, 1). Step t of T in a stream of D features is

    x_t = sigma |e_t| + a (max(z_t, 0) u+ + max(-z_t, 0) u-) + b k_t m,    e_t ~ N(0, I)

like pooled ReLU outputs: half-normal, and raised where something is seen. u+, u- and m mark D/32 features
each (they share none); they are drawn from the seed and are the same for every video. m is raised at key
steps alone (k_t = 1), u+ and u- show good and bad: z_t = a^-1 mean(x_t over u+) - a^-1 mean(x_t over u-)
but for noise. All steps but key ones carry z_t ~ N(0, n^2 T), so that its mean over the video is N(0, n^2)
in a short stream and in a long one.

`sparse`: a tenth of the steps, at random times, are key steps with z_t = effect q + r, where r ~ N(0, s^2) is
one number per video and stream. Who finds them reads q + r (at effect 1 a correlation of
1 / sqrt(1 + s^2) = 0.81); who averages all steps reads 0.1 (q + r) + N(0, n^2) (0.40).

`even`: there are no key steps, and z_t = g effect q + N(0, n^2 T) everywhere. The average is then the best
that anybody can read (0.81), since it is the sufficient statistic of independent normal noise.

With effect 0 nothing depends on the labels.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from aqa_pipeline.errors import DatasetError, StoreError, UnknownName
from aqa_pipeline.records import Dataset, Record, StreamSpec, Video
from aqa_pipeline.store import Store

Signal = Literal["sparse", "even"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)

VERSION = 1  # of the model above: other features need another number
BASE_SCALE = 0.5  # sigma
QUALITY_SCALE = 0.5  # a
MARKER_SCALE = 1.0  # b
MARKED_SHARE = 1 / 32  # of the features, for each of u+, u- and m
KEY_SHARE = 0.1
VIDEO_NOISE = 0.72  # s
STEP_NOISE = 0.22  # n
EVEN_SHARE = 0.3  # g

# Seconds in which a person is found: lengths as the paper prints them (80 of 92 s, 160 of 175 s).
PERSON_SHARE = {"rhythmic-gymnastics": 80 / 92, "mit-skating": 160 / 175}


@dataclass(frozen=True)
class SimulatedStream:
    """One stream's shape: what `aqa extract` would store under `stream` with that backbone."""

    name: str
    stream: str
    backbone: str
    dim: int
    rate_fps: float
    frames_per_step: int
    of_persons: bool = False

    @property
    def step_seconds(self) -> float:
        return self.frames_per_step / self.rate_fps

    def num_steps(self, duration_seconds: float) -> int:
        """Whole steps in a video of that length; a shorter video gives one."""
        return max(1, int(duration_seconds * self.rate_fps / self.frames_per_step))


STREAMS = {
    stream.name: stream
    for stream in (
        SimulatedStream("segments", "segments", "i3d", 1024, 5.0, 16),
        SimulatedStream("crops", "crops", "resnet50", 2048, 1.0, 1, of_persons=True),
        SimulatedStream("frames", "frames", "resnet50", 2048, 1.0, 1),
        SimulatedStream("c3d", "segments", "c3d", 4096, 5.0, 16),
    )
}


@dataclass(frozen=True)
class Simulation:
    """What is drawn: how strong the signal is, where it sits, and which random numbers."""

    effect: float = 1.0
    signal: Signal = "sparse"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.signal not in SIGNALS:
            raise UnknownName("signal", self.signal, SIGNALS)
        if not 0 <= self.effect < np.inf:
            raise DatasetError(
                f"effect {self.effect} is not a number from 0: 0 is no signal, 1 the usual one."
            )

    def spec(self, stream: SimulatedStream) -> StreamSpec:
        """The spec of that stream, which says that it is simulated and how."""
        return StreamSpec(
            stream.stream,
            {
                "simulated": True,
                "simulation_version": VERSION,
                "effect": float(self.effect),
                "signal": self.signal,
                "seed": self.seed,
                "backbone": stream.backbone,
                "rate_fps": stream.rate_fps,
                "frames_per_step": stream.frames_per_step,
                "dtype": "float16",
            },
        )


@dataclass(frozen=True, eq=False)
class Directions:
    """Which features show good (`better`) and bad (`worse`), and which mark a key step (`marker`)."""

    better: np.ndarray
    worse: np.ndarray
    marker: np.ndarray


@dataclass(frozen=True, eq=False)
class Drawn:
    """One stream of one video. `is_key` (time,) tells the key steps, `missed` counts steps without person."""

    features: np.ndarray
    pts_seconds: np.ndarray
    is_key: np.ndarray
    missed: int


@dataclass(frozen=True)
class Simulated:
    """What a simulation wrote."""

    specs: tuple[StreamSpec, ...]
    num_written: int
    num_resumed: int


def simulate(
    dataset: Dataset,
    store: Store,
    simulation: Simulation,
    *,
    streams: Sequence[str] = tuple(STREAMS),
    progress: Callable[[int], None] = lambda num_done: None,
) -> Simulated:
    """Writes the streams of every video; records that are there already stay. `progress` gets counts.

    Raises `StoreError` where real features of that dataset lie: nobody shall mix them up.
    """
    chosen = [_find_stream(name) for name in streams]
    _check_unmixed(store, dataset)
    qualities, num_written, num_done = quality_of_videos(dataset), 0, 0
    for video, stream in ((video, stream) for video in dataset.videos for stream in chosen):
        spec = simulation.spec(stream)
        if not store.has(dataset.name, video.video_id, spec):
            drawn = draw(simulation, stream, dataset.name, video, quality=qualities[video.video_id])
            store.write(_record(dataset.name, video, spec, drawn))
            num_written += 1
        num_done += 1
        progress(num_done)
    return Simulated(tuple(map(simulation.spec, chosen)), num_written, num_done - num_written)


def _find_stream(name: str) -> SimulatedStream:
    if name not in STREAMS:
        raise UnknownName("simulated stream", name, STREAMS)
    return STREAMS[name]


def _check_unmixed(store: Store, dataset: Dataset) -> None:
    real = [row.spec for row in store.contents() if row.dataset == dataset.name and not row.spec.simulated]
    if real:
        raise StoreError(
            f"{store.root} holds real {real[0].stream} of {dataset.name}: simulated features do not go "
            "beside them. Name another --store."
        )


def _record(dataset: str, video: Video, spec: StreamSpec, drawn: Drawn) -> Record:
    source = json.dumps(["simulated", dataset, video.video_id, spec.to_json()])
    return Record(
        dataset=dataset,
        video_id=video.video_id,
        spec=spec,
        features=drawn.features,
        pts_seconds=drawn.pts_seconds,
        source_digest=hashlib.sha256(source.encode()).hexdigest(),
        counts={
            "num_steps": len(drawn.features) + drawn.missed,
            "num_steps_without_person": drawn.missed,
        },
    )


def quality_of_videos(dataset: Dataset) -> dict[str, float]:
    """Normal scores by video id, of the first target's ranks among videos judged together; ties share theirs.

    Those are the videos of one default split, train and test. Raises `DatasetError` for one without a label.
    """
    target = dataset.target().name
    labels_of = {video.video_id: video.labels.get(target, np.nan) for video in dataset.videos}
    qualities: dict[str, float] = {}
    for video_ids in _judged_together(dataset):
        labels = np.array([labels_of[video_id] for video_id in video_ids])
        if not np.isfinite(labels).all():
            lacking = [v for v, label in zip(video_ids, labels, strict=True) if not np.isfinite(label)]
            raise DatasetError(f"{len(lacking)} videos have no {target} score, such as {lacking[:3]}.")
        scores = ndtri((rankdata(labels) - 0.5) / len(labels))
        qualities |= dict(zip(video_ids, scores.tolist(), strict=True))
    return qualities


def _judged_together(dataset: Dataset) -> Iterator[list[str]]:
    """Every video once, in groups: those of the first split, those of the next that were in none, ..."""
    left = {video.video_id: None for video in dataset.videos}
    for name in dataset.default_splits:
        split = dataset.split(name)
        group = [video_id for video_id in (*split.train, *split.test) if video_id in left]
        left = {video_id: None for video_id in left if video_id not in set(group)}
        if group:
            yield group
    if left:
        yield list(left)


def draw(
    simulation: Simulation, stream: SimulatedStream, dataset: str, video: Video, *, quality: float
) -> Drawn:
    """One stream of one video, float16 (time, dim); the same arguments draw the same numbers."""
    rng = _rng(simulation, stream, dataset, video.video_id)
    pts_seconds, missed = _steps(stream, dataset, video, rng)
    num_steps = len(pts_seconds)
    shown = simulation.effect * quality
    is_key = np.zeros(num_steps, dtype=bool)
    quality_shown = rng.normal(0, STEP_NOISE * np.sqrt(num_steps), num_steps)  # z_t
    if simulation.signal == "even":
        quality_shown += EVEN_SHARE * shown
    else:
        is_key[rng.permutation(num_steps)[: max(1, round(KEY_SHARE * num_steps))]] = True
        quality_shown[is_key] = shown + rng.normal(0, VIDEO_NOISE)
    features = np.abs(rng.standard_normal((num_steps, stream.dim), dtype=np.float32))
    features *= np.float32(BASE_SCALE)
    seen = directions(simulation, stream)
    features[:, seen.better] += QUALITY_SCALE * np.maximum(quality_shown, 0)[:, None]
    features[:, seen.worse] += QUALITY_SCALE * np.maximum(-quality_shown, 0)[:, None]
    features[:, seen.marker] += MARKER_SCALE * is_key[:, None]
    return Drawn(features.astype(np.float16), pts_seconds, is_key, missed)


@lru_cache(maxsize=16)
def directions(simulation: Simulation, stream: SimulatedStream) -> Directions:
    """The marked features of that stream: of the seed alone, so that effects and signals can be compared."""
    rng = _rng(Simulation(seed=simulation.seed), stream)
    num_marked = round(MARKED_SHARE * stream.dim)
    return Directions(*rng.permutation(stream.dim)[: 3 * num_marked].reshape(3, num_marked))


def _steps(
    stream: SimulatedStream, dataset: str, video: Video, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Intervals (time, 2) in seconds, at least one, and how many more had no person in them."""
    if not video.duration_seconds or video.duration_seconds <= 0:
        raise DatasetError(
            f"the labels of {dataset} video {video.video_id!r} tell no duration: it cannot be simulated."
        )
    start = stream.step_seconds * np.arange(stream.num_steps(video.duration_seconds))
    if stream.of_persons:
        found = rng.random(len(start)) < PERSON_SHARE.get(dataset, 1.0)
        found[0] |= not found.any()
        return np.stack([start[found], start[found] + 1.0], axis=1), int((~found).sum())
    return np.stack([start, start + stream.step_seconds], axis=1), 0


def _rng(simulation: Simulation, stream: SimulatedStream, *names: str) -> np.random.Generator:
    """Random numbers of their own for each seed, stream and video: no order of work changes them."""
    key = json.dumps([simulation.seed, stream.name, *names])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()))
