"""What a person asks of a table: where everything lies, and how its cells are fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from heads.data.folds import Select
from heads.runs.run_config import Precision


@dataclass(frozen=True)
class Settings:
    """How every cell is fitted. `specs` are `STREAM=HASH` (its start) where several features would fit.

    `backbones` are networks by stream, "" for every stream: of a row that may read several, the one to read.

    `roots` says where datasets lie (default data/NAME). `simulated` takes simulated features, and no others.
    `second_stage` is the checkpoint whose first stage made the maps, as in `aqa fit`. `quick` tells that this
    is a look at the machinery, with few epochs, splits and seeds.
    """

    store: Path
    out: Path
    roots: Mapping[str, Path] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    select: Select = "last"
    epochs: int | None = None
    precision: Precision = "fp32"
    device: str = "auto"
    threads: int = 1
    specs: tuple[str, ...] = ()
    backbones: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False
    allow_missing: bool = False
    second_stage: Path | None = None
    quick: bool = False

    def backbones_of(self, stream: str, fitting: Sequence[str]) -> tuple[str, ...]:
        """Return those of the `fitting` networks that are chosen for that stream; all where none is."""
        chosen = self.backbones.get(stream, self.backbones.get(""))
        return tuple(name for name in fitting if name == chosen) or tuple(fitting)

    def root(self, dataset: str) -> Path:
        """Where that dataset is looked for."""
        return self.roots.get(dataset, Path("data") / dataset)
