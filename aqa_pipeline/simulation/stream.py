"""The parts that simulated streams share: features that show quality, and features that mark key steps."""

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
    """One stream of one video: float16 (time, [view,] dim), or maps (time, view, dim, step, row, column).

    `is_key` says where quality is visible: (time, [aspect]), for maps (time, step, row, column). `missed`
    counts steps without a person. `extras` are stored beside the features.
    """

    features: np.ndarray
    pts_seconds: np.ndarray
    is_key: np.ndarray
    missed: int = 0
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)


class SimulatedStream(Protocol):
    """The shape and the model of one stream, as `aqa extract` would store it with that backbone."""

    @property
    def name(self) -> str:
        """Return the name for `aqa simulate --streams`."""
        ...

    @property
    def stream(self) -> str:
        """Return the name of the stream in a store."""
        ...

    @property
    def backbone(self) -> str:
        """Return the name of the backbone."""
        ...

    @property
    def dim(self) -> int:
        """Return the number of features."""
        ...

    @property
    def num_aspects(self) -> int:
        """Return the number of aspects of quality; each is shown by its own features."""
        ...

    def spec(self, simulation: Simulation) -> StreamSpec:
        """Return the spec of the simulated stream."""
        ...

    def num_bytes(self, video: Video) -> int:
        """Return the size of the features of a video in bytes."""
        ...

    def draw(self, simulation: Simulation, dataset: str, video: Video, *, quality: float) -> Drawn:
        """Draw the stream of one video; the same arguments give the same numbers."""
        ...


@dataclass(frozen=True, eq=False)
class Directions:
    """The features that show good quality (`better`), bad quality (`worse`) and key steps (`marker`)."""

    better: np.ndarray
    worse: np.ndarray
    marker: np.ndarray

    def show(self, features: np.ndarray, quality_shown: np.ndarray) -> None:
        """Increase features, (time, ..., dim), in place by the quality, (time, [...]), of each step."""
        shown = quality_shown.reshape(*quality_shown.shape, *[1] * (features.ndim - quality_shown.ndim))
        features[..., self.better] += QUALITY_SCALE * np.maximum(shown, 0)
        features[..., self.worse] += QUALITY_SCALE * np.maximum(-shown, 0)

    def mark(self, features: np.ndarray, markers: np.ndarray) -> None:
        """Increase the marking features, (time, ..., dim), in place by `markers`, (time,)."""
        features[..., self.marker] += markers.reshape(-1, *[1] * (features.ndim - 1))


@lru_cache(maxsize=32)
def directions(simulation: Simulation, stream: SimulatedStream) -> tuple[Directions, ...]:
    """Return the marked features per aspect. They depend only on the seed, to compare effects and signals."""
    rng = random_numbers(simulation, stream.name)
    num_marked = round(MARKED_SHARE * stream.dim)
    marked = rng.permutation(stream.dim)[: 3 * stream.num_aspects * num_marked]
    return tuple(Directions(*rows) for rows in marked.reshape(stream.num_aspects, 3, num_marked))
