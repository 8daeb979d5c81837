"""What a run's config.json holds: every choice of `aqa fit`, resolved, so that the run can be repeated.

The records are frozen and checked: a field that is missing, misspelled or of another type is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aqa_pipeline.plugins import Origin
from aqa_pipeline.records import SpecValue, StreamSpec, Target
from aqa_pipeline.spec_facts import typed_facts
from heads.data.folds import Select
from heads.data.score_scale import ScoreScale
from heads.recipes import RankLoss, Recipe

SCHEMA_VERSION: Final = 3
MOST_CELLS = 100_000  # each of them is a folder that is looked for
MOST_DIMS = 1_000_000  # of one step: a network for that many would fill the memory

Count = Annotated[int, Field(ge=0)]
Precision = Literal["fp32", "bf16"]
PluginKind = Literal["head", "dataset", "backbone"]


class ConfigRecord(BaseModel):
    """The base of all parts: frozen, without further fields, and without conversion between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class BackboneConfig(ConfigRecord):
    """The backbone that was trained together with the head, and the weights that it started from.

    `weights` are `sha256:` and the digest of a checkpoint, or `random:SEED`.
    """

    name: str
    weights: str


class HeadConfig(ConfigRecord):
    """The head and its variant, by name; of an imported run the SHA-256 of each seed's checkpoint.

    `imported` is empty for a run that was trained here. `backbone` is None for a head on stored features.
    """

    name: str
    variant: str
    imported: tuple[str, ...]
    backbone: BackboneConfig | None = None


class DatasetConfig(ConfigRecord):
    """The dataset: its name, the adapter that reads it, and the folder where it lies."""

    name: str
    adapter: str
    root: Path


class LabelsConfig(ConfigRecord):
    """The labels: the run's `target`, those that training compares with, and the one that is predicted.

    `multiplied_by` names the label that the predicted one is multiplied by for the target (the difficulty).
    """

    target: Target
    trained_on: tuple[str, ...] = Field(min_length=1)
    predicted: str
    multiplied_by: str | None


class StreamConfig(ConfigRecord):
    """One stream of features: its spec's hash and facts, the dimensions of a step, and named files.

    `files` are those that a person named to make the features (weights, a detector), by option.
    """

    hash: str
    facts: Mapping[str, SpecValue]
    dim: int = Field(gt=0, le=MOST_DIMS)
    files: Mapping[str, str]


class SplitConfig(ConfigRecord):
    """One split: numbers of videos, a digest of its videos, sets, labels and features, score scale, recipe.

    `num_sharing_group` counts the test videos whose group (athlete, event) is also in the training set.
    """

    num_train: Count
    num_test: Count
    num_sharing_group: Count
    data_sha256: str
    score_scale: ScoreScale
    recipe: Recipe


class TrainingConfig(ConfigRecord):
    """How each split is trained. `epochs` None leaves the number to the recipe, `threads` None to torch.

    `baselines` says that simple regressions were fitted beside the head. `rank_loss` is added to the recipe's
    loss, None for none.
    """

    seeds: tuple[Count, ...] = Field(min_length=1)
    select: Select
    epochs: int | None = Field(ge=1)
    shuffle_labels: bool
    device: str
    threads: int | None = Field(ge=1)
    precision: Precision
    baselines: bool = True
    rank_loss: RankLoss | None = None


class LeftOutConfig(ConfigRecord):
    """The videos that were left out: those without features (with the streams they lack), or a label."""

    allow_missing: bool
    missing: Mapping[str, tuple[str, ...]]
    unlabeled: tuple[str, ...]


class SoftwareConfig(ConfigRecord):
    """Versions of libraries, and the plug-ins that gave the head or the dataset."""

    versions: Mapping[str, str]
    plugins: Mapping[PluginKind, Origin]


class RunConfig(ConfigRecord):
    """One run of `aqa fit`, as its config.json describes it."""

    schema_version: Literal[3]
    head: HeadConfig
    dataset: DatasetConfig
    store: Path
    labels: LabelsConfig
    streams: Mapping[str, StreamConfig] = Field(min_length=1)
    splits: Mapping[str, SplitConfig] = Field(min_length=1)
    training: TrainingConfig
    left_out: LeftOutConfig
    software: SoftwareConfig

    @model_validator(mode="after")
    def _check_number_of_cells(self) -> "RunConfig":
        num_cells = len(self.splits) * len(self.training.seeds)
        if num_cells > MOST_CELLS:
            raise ValueError(f"{num_cells:,} trained cells, expected at most {MOST_CELLS:,}")
        return self

    @model_validator(mode="after")
    def _check_hashes(self) -> "RunConfig":
        for name, spec in self.specs.items():
            typed_facts(spec)  # raises `ValueError` for a fact that does not fit
            if self.streams[name].hash != spec.hash:
                raise ValueError(
                    f"streams.{name}.hash is {self.streams[name].hash[:40]!r}, expected {spec.hash!r}, which "
                    "is the hash of its facts"
                )
        return self

    @property
    def target(self) -> Target:
        """The score that the run predicts."""
        return self.labels.target

    @property
    def specs(self) -> dict[str, StreamSpec]:
        """The spec of each stream."""
        return {name: StreamSpec(name, stream.facts) for name, stream in self.streams.items()}

    @property
    def dims(self) -> dict[str, int]:
        """The dimensions of a step of each stream."""
        return {name: stream.dim for name, stream in self.streams.items()}

    @property
    def files(self) -> dict[str, dict[str, str]]:
        """The files that a person named to make the features, by stream and option."""
        return {name: dict(stream.files) for name, stream in self.streams.items() if stream.files}

    @property
    def cells(self) -> list[tuple[str, int]]:
        """The split and seed of each trained cell."""
        return [(split, seed) for split in self.splits for seed in self.training.seeds]

    @property
    def random_weights(self) -> bool:
        """True if a network with random weights made some features."""
        return any(spec.random_weights for spec in self.specs.values())

    @property
    def simulated(self) -> bool:
        """True if some features were drawn at random around known labels."""
        return any(spec.simulated for spec in self.specs.values())


def config_schema() -> dict[str, Any]:
    """Return the JSON schema of config.json.

    It is without the docstrings of dataclasses that other modules share, which speak to programmers.
    """
    schema = RunConfig.model_json_schema()
    records = {record.__name__ for record in ConfigRecord.__subclasses__()}
    for name, part in schema["$defs"].items():
        if name not in records:
            part.pop("description", None)
    return schema
