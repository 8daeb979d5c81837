"""The options of `aqa fit` as typed records, from the command to the plan."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, ValidationError, field_validator

from aqa_pipeline.errors import RunError
from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store
from heads.data.folds import Select
from heads.data.stored_specs import SpecChoice
from heads.runs.run_config import ConfigRecord, Count, Precision, RunConfig, TrainingConfig


class OptionsRecord(ConfigRecord):
    """The base of all options: a misfit is a `RunError` that says what came and what was expected."""

    if not TYPE_CHECKING:  # the checker knows the fields by themselves

        def __init__(self, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise RunError(f"the options of a fit do not fit: {explain_misfit(error)}.") from error


Options = TypeVar("Options", bound=OptionsRecord)


class FeatureOptions(OptionsRecord):
    """Which stored features a head reads.

    `streams` empty stands for the head's own. `specs` chooses among features stored in several ways.
    `allow_missing` leaves out videos without features. `second_stage` is the checkpoint whose first stage
    made the maps of a head that goes on from them; None stands for that of `aqa weights`.
    """

    streams: tuple[str, ...] = ()
    specs: SpecChoice = Field(default_factory=SpecChoice)
    allow_missing: bool = False
    second_stage: Path | None = None


class FineTuneOptions(OptionsRecord):
    """The backbone that is trained together with the head, from the stream pixels.

    `backbone` None stands for the one that the head's paper trained. `weights` are those that training starts
    from: `official`, `random:SEED`, a file, or `sha256:` and the digest of a file of `aqa weights`. Layers up
    to `freeze_until` do not learn. `checkpoint_activations` needs less memory and a third more time. `ema` is
    the decay of a moving average of the weights; 0 is none.
    """

    backbone: str | None = None
    weights: str = "official"
    freeze_until: str = ""
    checkpoint_activations: bool = False
    ema: float = Field(default=0.0, ge=0.0, lt=1.0)


class TrainingOptions(OptionsRecord, TrainingConfig):
    """How each split is trained. `epochs` None stands for the recipe's number, `threads` None for torch's.

    `select` says which epoch is kept. `shuffle_labels` is the control experiment that can learn nothing.
    `device` "auto" takes a GPU if there is one. `baselines` fits simple regressions beside the head,
    unless the fit is a control.
    """

    seeds: tuple[Count, ...] = Field(default=(0, 1, 2), min_length=1)
    select: Select = "last"
    epochs: int | None = Field(default=None, ge=1)
    shuffle_labels: bool = False
    device: str = "auto"
    threads: int | None = Field(default=None, ge=1)
    precision: Precision = "fp32"
    baselines: bool = True

    @field_validator("seeds")
    @classmethod
    def _check_different(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("expected different numbers")
        return seeds


class FitOptions(OptionsRecord):
    """What is trained: a head, on splits and a target of a dataset.

    `variant` None stands for the head's default for the dataset, `target` None and no `splits` for the
    dataset's defaults. With `difficulty` the head learns the execution, which is multiplied by the difficulty
    for the score. With `fine_tune` a backbone is trained, too.
    """

    head: str = "action-net"
    variant: str | None = None
    target: str | None = None
    difficulty: bool = False
    splits: tuple[str, ...] = ()
    features: FeatureOptions = Field(default_factory=FeatureOptions)
    training: TrainingOptions = Field(default_factory=TrainingOptions)
    fine_tune: FineTuneOptions | None = None

    @field_validator("splits")
    @classmethod
    def _check_named_once(cls, splits: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(splits)) < len(splits):
            raise ValueError("expected each split once")
        return splits

    @classmethod
    def from_config(cls, config: RunConfig) -> "FitOptions":
        """Return the options that a run's config.json came from; raise `RunError` for an imported run."""
        if config.head.imported:
            raise RunError(
                "the run was imported from checkpoints, not trained: import them again with `aqa run import`."
            )
        return cls(
            head=config.head.name,
            variant=config.head.variant,
            target=config.target.name,
            difficulty=config.labels.multiplied_by is not None,
            splits=tuple(config.splits),
            features=FeatureOptions(
                streams=tuple(config.streams),
                specs=SpecChoice({name: stream.hash for name, stream in config.streams.items()}),
                allow_missing=config.left_out.allow_missing,
            ),
            training=TrainingOptions(**dict(config.training)),
            fine_tune=_fine_tune_of(config),
        )


def _fine_tune_of(config: RunConfig) -> FineTuneOptions | None:
    backbone = config.head.backbone
    if backbone is None:
        return None
    fine_tuning = next(iter(config.splits.values())).recipe.fine_tuning
    assert fine_tuning is not None, "a run with a backbone has a recipe that trains it"
    return FineTuneOptions(
        backbone=backbone.name,
        weights=backbone.weights,
        freeze_until=fine_tuning.freeze_until,
        checkpoint_activations=fine_tuning.checkpoint_activations,
        ema=fine_tuning.ema,
    )


@dataclass(frozen=True, eq=False)
class FitRequest:
    """One `aqa fit`: its options, the dataset, the store of its features, and the run directory `out`."""

    options: FitOptions
    dataset: Dataset
    store: Store
    out: Path

    @property
    def training(self) -> TrainingOptions:
        """How each split is trained."""
        return self.options.training

    def with_training(self, **changes: object) -> "FitRequest":
        """Return the request with these options of training changed."""
        return FitRequest(
            _changed(self.options, training=_changed(self.training, **changes)),
            self.dataset,
            self.store,
            self.out,
        )


def _changed(options: Options, **changes: object) -> Options:
    values: dict[str, Any] = dict(options) | changes
    return type(options)(**values)
