"""The settings of a table: where everything lies, which features it reads, and how its heads are fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heads.data.folds import Select
from heads.runs.run_config import Precision


@dataclass(frozen=True)
class FeatureChoice:
    """Which stored features a table reads.

    `specs` are texts `STREAM=HASH` (the start of the hash) that choose among several features of a stream.
    `backbones` names the backbone by stream, or for every stream under "", where a row may read several.
    `simulated` reads simulated features and no others. `allow_missing` leaves out videos without features.
    """

    specs: tuple[str, ...] = ()
    backbones: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    allow_missing: bool = False


@dataclass(frozen=True)
class TrainingChoice:
    """How the heads of a table are fitted, as in `aqa fit`.

    `epochs` replaces the number of epochs of the recipes. `second_stage` is the checkpoint of the I3D whose
    first stage made the maps. `weights` are those that trained backbones start from, by the stream of their
    frozen features, with "" for all others: `official`, `random:SEED` or the path of a checkpoint.
    `checkpoint_activations` trains them with less memory and a third more time.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    select: Select = "last"
    epochs: int | None = None
    precision: Precision = "fp32"
    second_stage: Path | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    checkpoint_activations: bool = False

    def weights_of(self, stream: str) -> str:
        """Return the weights that the trained backbone of that stream starts from."""
        return self.weights.get(stream, self.weights.get("", "official"))


@dataclass(frozen=True)
class Settings:
    """The settings of a table.

    `roots` are the folders of datasets (default data/NAME). `quick` marks a first look with few epochs,
    splits and seeds, which reproduces nothing.
    """

    store: Path
    out: Path
    roots: Mapping[str, Path] = field(default_factory=dict)
    features: FeatureChoice = FeatureChoice()
    training: TrainingChoice = TrainingChoice()
    device: str = "auto"
    threads: int = 1
    quick: bool = False

    def backbones_of(self, stream: str, fitting: Sequence[str]) -> tuple[str, ...]:
        """Return the `fitting` backbones that are chosen for that stream; all of them without a choice."""
        chosen = self.features.backbones.get(stream, self.features.backbones.get(""))
        return tuple(name for name in fitting if name == chosen) or tuple(fitting)

    def root(self, dataset: str) -> Path:
        """Return the folder in which that dataset is looked for."""
        return self.roots.get(dataset, Path("data") / dataset)
