"""What simulated streams have in common: pooled features, of which some show quality and some mark where."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from aqa_pipeline.records import StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation, random_numbers

BASE_SCALE = 0.5  # sigma
QUALITY_SCALE = 0.5  # a
MARKED_SHARE = 1 / 32  # of the features, for each of u+, u- and m


@dataclass(frozen=True, eq=False)
class Drawn:
    """One stream of one video, float16 (time, [view,] dim); of maps (time, view, dim, step, row, column).

    `is_key` (time, [aspect]) tells where quality is shown, of maps (time, step, row, column); `missed` counts
    steps without a person, `extras` are what lies beside the features.
    """

    features: np.ndarray
    pts_seconds: np.ndarray
    is_key: np.ndarray
    missed: int = 0
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)


class SimulatedStream(Protocol):
    """One stream's shape and model: what `aqa extract` would store under `stream` with that backbone."""

    @property
    def name(self) -> str: ...

    @property
    def stream(self) -> str: ...

    @property
    def backbone(self) -> str: ...

    @property
    def dim(self) -> int: ...

    @property
    def num_aspects(self) -> int:
        """How many parts of quality are shown, each by features of its own."""
        ...

    def spec(self, simulation: Simulation) -> StreamSpec:
        """The spec of that stream, which says that it is simulated and how."""
        ...

    def num_bytes(self, video: Video) -> int:
        """How large that video's features are."""
        ...

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """The stream of one video; the same arguments draw the same numbers."""
        ...


@dataclass(frozen=True, eq=False)
class Directions:
    """Which features show good (`better`) and bad (`worse`), and which mark where (`marker`)."""

    better: np.ndarray
    worse: np.ndarray
    marker: np.ndarray

    def show(self, features: np.ndarray, quality_shown: np.ndarray) -> None:
        """Raises features (time, ..., dim) in place by the quality (time, [...]) that each step shows."""
        shown = quality_shown.reshape(*quality_shown.shape, *[1] * (features.ndim - quality_shown.ndim))
        features[..., self.better] += QUALITY_SCALE * np.maximum(shown, 0)
        features[..., self.worse] += QUALITY_SCALE * np.maximum(-shown, 0)

    def mark(self, features: np.ndarray, markers: np.ndarray) -> None:
        """Raises the marking features (time, ..., dim) in place by `markers` (time,)."""
        features[..., self.marker] += markers.reshape(-1, *[1] * (features.ndim - 1))


@lru_cache(maxsize=32)
def directions(simulation: Simulation, stream: SimulatedStream) -> tuple[Directions, ...]:
    """The marked features per aspect: of the seed alone, so that effects and signals can be compared."""
    rng = random_numbers(simulation, stream.name)
    num_marked = round(MARKED_SHARE * stream.dim)
    marked = rng.permutation(stream.dim)[: 3 * stream.num_aspects * num_marked]
    return tuple(Directions(*rows) for rows in marked.reshape(stream.num_aspects, 3, num_marked))
