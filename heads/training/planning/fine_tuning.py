"""The backbone that is trained together with a head: which one, from which weights, and by which recipe."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from aqa_pipeline.backbones.backbone import Backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.store import Store
from heads.data.large_streams import Reading
from heads.data.streams import PIXELS
from heads.data.tube_maps import tubes_of_variant
from heads.models.fine_tuned.build import build_fine_tuned
from heads.recipes import FineTuning, Recipe, StreamSteps
from heads.recipes.adapted import ADAPTED
from heads.recipes.fine_tuned import fine_tuned_recipe, from_scratch
from heads.registry import HeadKind
from heads.training.options import FineTuneOptions

# What the papers trained: R(2+1)D-34 of IG-65M (Weight-Decider), and I3D (TSA-Net, USDL).
OF_CLIPS, OF_MAPS = "r2plus1d_34_ig65m_32", "i3d-tsa-net"


@dataclass(frozen=True, eq=False)
class TunedBackbone:
    """A backbone that is trained with a head of `kind` in one variant.

    `weights` is the id of the weights that it starts from, and `network` builds the network with them.
    `num_stored` are the numbers of stored frames of the run's videos.
    """

    kind: HeadKind
    variant: str
    backbone: Backbone
    weights: str
    network: Callable[[], nn.Module]
    options: FineTuneOptions
    num_stored: tuple[int, ...]

    def recipe(self, adapter: str, split: str, steps: StreamSteps) -> Recipe:
        """Return the recipe of a split of a dataset; `steps` are the training videos' numbers of clips."""
        recipe = fine_tuned_recipe(
            self.kind.choose_recipe(adapter, split, self.variant, steps),
            head=self.kind.name,
            dataset=adapter,
            variant=self.variant,
            backbone=self.backbone,
            num_frames=self.num_stored,
        )
        if self.variant == ADAPTED and self.weights.startswith("random:"):
            recipe = from_scratch(recipe, in_turn=self.options.checkpoint_activations)
        assert recipe.fine_tuning is not None
        chosen = replace(
            recipe.fine_tuning,
            freeze_until=self.options.freeze_until,
            checkpoint_activations=self.options.checkpoint_activations,
            ema=self.options.ema,
        )
        return replace(recipe, fine_tuning=chosen)

    def fine_tuning(self, adapter: str, split: str) -> FineTuning:
        """Return how the backbone is trained, which is the same for all splits."""
        fine_tuning = self.recipe(adapter, split, {PIXELS: (1,)}).fine_tuning
        assert fine_tuning is not None
        return fine_tuning

    def build(self, fine_tuning: FineTuning) -> nn.Module:
        """Return backbone and head as one network, as training starts."""
        return join(self.network(), self.kind, self.variant, backbone=self.backbone, fine_tuning=fine_tuning)


def join(
    network: nn.Module, kind: HeadKind, variant: str, *, backbone: Backbone, fine_tuning: FineTuning
) -> nn.Module:
    """Return the network of the backbone and a new head as one network."""

    def build_head(dims: Mapping[str, int]) -> nn.Module:
        return kind.build(dims, variant)

    return build_fine_tuned(
        network,
        build_head,
        backbone=backbone,
        variant=variant,
        reads_maps=kind.reads_maps,
        fine_tuning=fine_tuning,
    )


def tune_backbone(
    options: FineTuneOptions, kind: HeadKind, variant: str, *, num_stored: Sequence[int]
) -> TunedBackbone:
    """Return the backbone to train, with its weights found; raise `UnknownName` and `WeightsError`."""
    backbone = get_backbone(options.backbone or (OF_MAPS if kind.reads_maps else OF_CLIPS))
    size = get_preprocess(backbone.preprocess["paper"]).size
    weights, network = network_with_weights(backbone, options.weights, size=size)
    return TunedBackbone(kind, variant, backbone, weights, network, options, tuple(num_stored))


def reading_of(kind: HeadKind, variant: str, fine_tuning: FineTuning | None) -> Reading:
    """Return how a head reads streams that memory does not hold."""
    return Reading(tubes_of_variant(variant), fine_tuning, needs_tube=kind.reads_tubes)


def num_stored_frames(
    store: Store, dataset: str, spec: StreamSpec, video_ids: Sequence[str]
) -> tuple[int, ...]:
    """Return the number of stored frames of each video."""
    return tuple(len(store.map(dataset, video_id, spec).features) for video_id in video_ids)
