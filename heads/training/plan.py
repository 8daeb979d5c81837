"""What a person asks of `fit`, and what it comes to once every choice is made."""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.precision import check_precision
from aqa_pipeline.records import Dataset, Split, StreamSpec, Target
from aqa_pipeline.store import Store
from heads.data.feature_set import (
    FeatureSet,
    check_complete,
    check_current,
    find_missing,
    load_features,
    raw_labels,
)
from heads.data.folds import SELECTS, Select
from heads.data.labels import Learned, choose_learned, factors_of, find_unlabeled, learned_labels
from heads.data.score_scale import ScoreScale, scale_of
from heads.data.stored_specs import SpecChoice, choose_specs
from heads.data.tube_maps import tubes_of_variant
from heads.recipes import Recipe
from heads.registry import Head, Start, find_head
from heads.runs.run_config import (
    SCHEMA_VERSION,
    DatasetConfig,
    HeadConfig,
    LabelsConfig,
    LeftOutConfig,
    Precision,
    RunConfig,
    SoftwareConfig,
    SplitConfig,
    StreamConfig,
    TrainingConfig,
)
from heads.runs.run_plugins import plugins_used
from heads.training.loop import PRECISIONS

VERSIONED_LIBRARIES = ("numpy", "scipy", "torch")

Load = Callable[[tuple[str, ...]], FeatureSet]


@dataclass(frozen=True, eq=False)
class FitRequest:
    """One `aqa fit`: a head on splits and seeds of a dataset, into the run directory `out`.

    Left to their defaults: `target` and `splits` are the dataset's, `variant` and `streams` the head's,
    `epochs` the recipe's, `threads` torch's. `specs` chooses among stored features. `shuffle_labels` is the
    control experiment that can learn nothing. `allow_missing` leaves out videos without features. `device`
    "auto" takes a GPU if there is one. `second_stage` is the checkpoint whose first stage made the maps that
    a head goes on from, where it is not among those of `aqa weights`. With `difficulty` the head learns the
    execution, which is multiplied by the difficulty for the score.
    """

    head: str
    dataset: Dataset
    store: Store
    out: Path
    target: str | None = None
    splits: Sequence[str] = ()
    seeds: Sequence[int] = (0, 1, 2)
    variant: str | None = None
    select: Select = "last"
    epochs: int | None = None
    specs: SpecChoice = field(default_factory=SpecChoice)
    shuffle_labels: bool = False
    allow_missing: bool = False
    device: str = "auto"
    threads: int | None = None
    streams: Sequence[str] = ()
    precision: Precision = "fp32"
    second_stage: Path | None = None
    difficulty: bool = False

    def __post_init__(self) -> None:
        if self.select not in SELECTS:
            raise UnknownName("selection", self.select, SELECTS)
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, PRECISIONS)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise RunError(f"seeds must be different numbers from 0, at least one; got {list(self.seeds)}.")
        if len(set(self.splits)) < len(self.splits):
            raise RunError(f"a split is named twice: {list(self.splits)}.")
        if self.epochs is not None and self.epochs < 1:
            raise RunError(f"epochs must be at least 1, got {self.epochs}.")

    @classmethod
    def from_config(cls, config: RunConfig, *, dataset: Dataset, store: Store, out: Path) -> "FitRequest":
        """Return the request that a run's config.json came from, on this dataset and store, into `out`."""
        training = config.training
        return cls(
            head=config.head.name,
            dataset=dataset,
            store=store,
            out=out,
            target=config.target.name,
            splits=tuple(config.splits),
            seeds=training.seeds,
            variant=config.head.variant,
            select=training.select,
            epochs=training.epochs,
            specs=SpecChoice({name: stream.hash for name, stream in config.streams.items()}),
            shuffle_labels=training.shuffle_labels,
            allow_missing=config.left_out.allow_missing,
            device=training.device,
            threads=training.threads,
            streams=tuple(config.streams),
            precision=training.precision,
            difficulty=config.labels.multiplied_by is not None,
        )


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """One split, ready to train. `digest` stands for its videos, labels and features.

    `num_sharing_group` counts the test videos whose group is also in the training set.
    """

    name: str
    video_ids: tuple[str, ...]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    recipe: Recipe
    scale: ScoreScale
    digest: str
    without_steps: Mapping[str, Sequence[str]]
    empty_tubes: Mapping[str, int]
    num_sharing_group: int = 0

    def config(self) -> SplitConfig:
        """Return what config.json says of it."""
        return SplitConfig(
            num_train=len(self.train),
            num_test=len(self.test),
            num_sharing_group=self.num_sharing_group,
            data_sha256=self.digest,
            score_scale=self.scale,
            recipe=self.recipe,
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """A request with every choice made. `load` gives a split's features, keeping the last ones in memory.

    `start` puts pretrained weights into a network of the head, where it has any. `unlabeled` are videos of
    the splits that lack a label which is learned.
    """

    request: FitRequest
    head: Head
    variant: str
    target: Target
    learned: Learned
    device: str
    threads: int
    specs: Mapping[str, StreamSpec]
    dims: Mapping[str, int]
    splits: Sequence[SplitPlan]
    missing: Mapping[str, Sequence[str]]
    unlabeled: Sequence[str]
    load: Load
    start: Start

    def build(self, dims: Mapping[str, int]) -> nn.Module:
        """The head's network as training starts with it."""
        network = self.head.build(dims, self.variant)
        self.start(network)
        return network

    def config(self) -> RunConfig:
        """Return what config.json says: enough to repeat the run, and to tell whether another is the same."""
        request, dataset = self.request, self.request.dataset
        return RunConfig(
            schema_version=SCHEMA_VERSION,
            head=HeadConfig(name=self.head.name, variant=self.variant),
            dataset=DatasetConfig(name=dataset.name, adapter=dataset.adapter, root=dataset.root),
            store=request.store.root,
            labels=LabelsConfig(
                target=self.target,
                trained_on=tuple(target.name for target in self.learned.targets),
                predicted=self.learned.scored.name,
                multiplied_by=self.learned.factor.name if self.learned.factor else None,
            ),
            streams=self._stream_configs(),
            splits={split.name: split.config() for split in self.splits},
            training=TrainingConfig(
                seeds=tuple(request.seeds),
                select=request.select,
                epochs=request.epochs,
                shuffle_labels=request.shuffle_labels,
                device=self.device,
                threads=self.threads,
                precision=request.precision,
            ),
            left_out=LeftOutConfig(
                allow_missing=request.allow_missing,
                missing={video_id: tuple(streams) for video_id, streams in self.missing.items()},
                unlabeled=tuple(self.unlabeled),
            ),
            software=SoftwareConfig(
                versions={name: version(name) for name in VERSIONED_LIBRARIES},
                plugins=plugins_used(self.head.name, dataset.adapter),
            ),
        )

    def _stream_configs(self) -> dict[str, StreamConfig]:
        origin = self.request.store.origin(self.request.dataset.name)
        files = origin.files if origin else {}
        return {
            name: StreamConfig(
                hash=spec.hash,
                facts=dict(spec.facts),
                dim=self.dims[name],
                files=dict(files.get(spec.hash, {})),
            )
            for name, spec in self.specs.items()
        }


def resolve(request: FitRequest) -> Plan:
    """Makes every choice and checks that the request can be carried out, before anything is trained.

    Raises `UnknownName` and `RunError`, with what to do.
    """
    head, dataset, store = find_head(request.head), request.dataset, request.store
    variant = request.variant or head.variants[0]
    head.check_variant(variant)
    device = _resolve_device(request.device)
    check_precision(request.precision, device=device)
    target = dataset.target(request.target)
    learned = _choose_learned(request, head, target)
    splits = dataset.splits_named(request.splits)
    if not splits:
        raise RunError(
            f"{dataset.name} in {dataset.root} has no split: expected at least 2 videos with a score, "
            f"it has {sum(bool(video.labels) for video in dataset.videos)}."
        )
    unlabeled = find_unlabeled(dataset, learned.needed(target), splits)
    splits = [split.without(unlabeled) for split in splits]
    streams = tuple(request.streams) or head.streams
    head.check_streams(streams)
    specs = choose_specs(store, dataset, streams, choice=request.specs)
    start = head.find_start(specs, request.second_stage)
    missing = _find_missing(request, specs, splits)

    @functools.lru_cache(maxsize=1)
    def load(video_ids: tuple[str, ...]) -> FeatureSet:
        return load_features(
            store, dataset, specs, target=target, video_ids=video_ids, tubes=tubes_of_variant(variant)
        )

    plans, dims = [], {}
    for split in splits:
        in_split = {*split.train, *split.test} - set(missing)
        samples = load(tuple(v.video_id for v in dataset.videos if v.video_id in in_split))
        dims = samples.dims
        plans.append(_plan_split(request, split, samples, head=head, variant=variant, learned=learned))
    threads = request.threads or torch.get_num_threads()
    return Plan(
        request,
        head,
        variant,
        target,
        learned,
        device,
        threads,
        specs,
        dims,
        plans,
        missing=missing,
        unlabeled=unlabeled,
        load=load,
        start=start,
    )


def _choose_learned(request: FitRequest, head: Head, target: Target) -> Learned:
    learned = choose_learned(request.dataset, target, of_judges=head.of_judges, difficulty=request.difficulty)
    if request.shuffle_labels and learned.factor:
        raise RunError(
            "shuffled labels are a control that can learn nothing, but the difficulty alone tells something "
            f"of the score: shuffle with --target {learned.scored.name}"
            + (", without --difficulty." if request.difficulty else ".")
        )
    return learned


def _find_missing(
    request: FitRequest, specs: Mapping[str, StreamSpec], splits: Sequence[Split]
) -> dict[str, list[str]]:
    store, dataset = request.store, request.dataset
    wanted = sorted({video_id for split in splits for video_id in (*split.train, *split.test)})
    missing = find_missing(store, dataset, specs, video_ids=wanted)
    if not request.allow_missing:
        check_complete(missing, store=store, dataset=dataset, num_videos=len(wanted))
    check_current(store, dataset, specs, video_ids=set(wanted) - set(missing))
    return missing


def _plan_split(
    request: FitRequest, split: Split, samples: FeatureSet, *, head: Head, variant: str, learned: Learned
) -> SplitPlan:
    train, test = samples.indices(split.train), samples.indices(split.test)
    if len(train) < 2 or len(test) < 2:
        raise RunError(
            f"split {split.name!r} has {len(train)} videos to train and {len(test)} to test on that have "
            "features: expected at least 2 of each. Extract more videos, or name another split."
        )
    steps = {stream: lengths[torch.from_numpy(train)].tolist() for stream, lengths in samples.lengths.items()}
    of_training = raw_labels(request.dataset, learned.scored, [samples.video_ids[at] for at in train])
    recipe = head.choose_recipe(request.dataset.adapter, split.name, variant, steps)
    return SplitPlan(
        name=split.name,
        video_ids=samples.video_ids,
        train=train,
        test=test,
        recipe=recipe.with_epochs(request.epochs) if request.epochs else recipe,
        scale=scale_of(learned.scored, of_training, unit=recipe.unit),
        digest=_digest(request.dataset, learned, samples),
        without_steps=samples.without_steps,
        empty_tubes={stream: maps.num_empty for stream, maps in samples.maps.items()},
        num_sharing_group=request.dataset.num_sharing_group(split),
    )


def _digest(dataset: Dataset, learned: Learned, samples: FeatureSet) -> str:
    """Of the samples, and of the labels that are learned where they are others."""
    if learned.is_plain:
        return samples.digest
    content = hashlib.sha256(samples.digest.encode())
    content.update(learned_labels(dataset, learned, samples.video_ids).tobytes())
    content.update(factors_of(dataset, learned, samples.video_ids).tobytes())
    return content.hexdigest()[:16]


def _resolve_device(device: str) -> str:
    available = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if available else "cpu"
    if device.startswith("cuda") and not available:
        raise RunError(
            f"device {device!r} was asked for, but torch {torch.__version__} sees no GPU: use cpu."
        )
    return device
