"""A fit with every choice made: what is trained, on which videos and features, and how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from aqa_pipeline.records import StreamSpec, Target
from heads.data.feature_set import FeatureSet
from heads.data.labels import LabelChoice
from heads.data.score_scale import ScoreScale
from heads.recipes import FineTuning, Recipe, StreamSteps
from heads.registry import HeadKind, Start
from heads.runs.run_config import (
    SCHEMA_VERSION,
    BackboneConfig,
    DatasetConfig,
    HeadConfig,
    LabelsConfig,
    LeftOutConfig,
    RunConfig,
    SoftwareConfig,
    SplitConfig,
    StreamConfig,
    TrainingConfig,
)
from heads.runs.run_plugins import plugins_used
from heads.training.distributed.world import ALONE, World
from heads.training.options import FitRequest
from heads.training.planning.fine_tuning import TunedBackbone

VERSIONED_LIBRARIES = ("numpy", "scipy", "torch")

Load = Callable[[tuple[str, ...]], FeatureSet]


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
class PlannedHead:
    """The head that is trained, in one variant.

    `start` puts pretrained weights into a network of the head, if the head has any. `imported` are the
    SHA-256s of checkpoints that take the place of training. `backbone` is trained with the head, if there is
    one, as `fine_tuning` says.
    """

    kind: HeadKind
    variant: str
    start: Start
    imported: tuple[str, ...] = ()
    backbone: TunedBackbone | None = None
    fine_tuning: FineTuning | None = None

    def build(self, dims: Mapping[str, int], **options: Any) -> nn.Module:
        """Return the network, with options of the recipe, and the weights that training starts from."""
        if self.backbone is not None and self.fine_tuning is not None:
            return self.backbone.build(self.fine_tuning)
        network = self.kind.build(dims, self.variant, **options)
        self.start(network)
        return network

    def choose_recipe(self, adapter: str, split: str, steps: StreamSteps) -> Recipe:
        """Return the recipe of a split; `steps` are the training videos' lengths."""
        if self.backbone is not None:
            return self.backbone.recipe(adapter, split, steps)
        return self.kind.choose_recipe(adapter, split, self.variant, steps)

    @property
    def backbone_name(self) -> str | None:
        """The name of the backbone that is trained, or None."""
        return None if self.backbone is None else self.backbone.backbone.name

    def config(self) -> HeadConfig:
        """Return what config.json says of it."""
        tuned = self.backbone
        return HeadConfig(
            name=self.kind.name,
            variant=self.variant,
            imported=self.imported,
            backbone=None
            if tuned is None
            else BackboneConfig(name=tuned.backbone.name, weights=tuned.weights),
        )


@dataclass(frozen=True, eq=False)
class PlannedFeatures:
    """The features that the head reads: their specs and dimensions per stream.

    `load` returns the features of a split's videos and keeps the last ones in memory.
    """

    specs: Mapping[str, StreamSpec]
    dims: Mapping[str, int]
    load: Load


@dataclass(frozen=True, eq=False)
class LeftOutVideos:
    """The videos of the splits that lack features (`missing`, with the streams), or a label."""

    missing: Mapping[str, Sequence[str]]
    unlabeled: Sequence[str]


@dataclass(frozen=True, eq=False)
class Plan:
    """A request with every choice made. `world` are the processes that carry it out together."""

    request: FitRequest
    head: PlannedHead
    features: PlannedFeatures
    target: Target
    labels: LabelChoice
    splits: Sequence[SplitPlan]
    left_out: LeftOutVideos
    device: str
    threads: int
    world: World = ALONE

    def config(self) -> RunConfig:
        """Return what config.json says: enough to repeat the run, and to tell whether another is the same."""
        request, dataset = self.request, self.request.dataset
        return RunConfig(
            schema_version=SCHEMA_VERSION,
            head=self.head.config(),
            dataset=DatasetConfig(name=dataset.name, adapter=dataset.adapter, root=dataset.root),
            store=request.store.root,
            labels=LabelsConfig(
                target=self.target,
                trained_on=tuple(target.name for target in self.labels.trained_on),
                predicted=self.labels.predicted.name,
                multiplied_by=self.labels.factor.name if self.labels.factor else None,
            ),
            streams=self._stream_configs(),
            splits={split.name: split.config() for split in self.splits},
            training=TrainingConfig(
                **(dict(request.training) | {"device": self.device, "threads": self.threads})
            ),
            left_out=LeftOutConfig(
                allow_missing=request.options.features.allow_missing,
                missing={video_id: tuple(streams) for video_id, streams in self.left_out.missing.items()},
                unlabeled=tuple(self.left_out.unlabeled),
            ),
            software=SoftwareConfig(
                versions={name: version(name) for name in VERSIONED_LIBRARIES},
                plugins=plugins_used(self.head.kind.name, dataset.adapter, self.head.backbone_name),
            ),
        )

    def _stream_configs(self) -> dict[str, StreamConfig]:
        origin = self.request.store.origin(self.request.dataset.name)
        files = origin.files if origin else {}
        return {
            name: StreamConfig(
                hash=spec.hash,
                facts=dict(spec.facts),
                dim=self.features.dims[name],
                files=dict(files.get(spec.hash, {})),
            )
            for name, spec in self.features.specs.items()
        }
