"""Put a backbone with its weights and a head together."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from aqa_pipeline.backbones.backbone import Backbone
from aqa_pipeline.backbones.networks.i3d import FirstStage, InceptionI3d, SecondStage, channels_after
from aqa_pipeline.backbones.normalization import get_normalization
from aqa_pipeline.errors import RunError
from heads.models.clip_passing import ClipPassing
from heads.models.fine_tuned.network import FineTuned
from heads.models.tsa_net import endpoint_of_variant
from heads.recipes.fine_tuning import PIXELS, FineTuning

BuildHead = Callable[[Mapping[str, int]], nn.Module]


class OfImages(nn.Module):
    """A network for images as one for clips of a single frame."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        """Return features `(n, dim)` of clips `(n, 3, 1, height, width)`."""
        features: Tensor = self.network(clips.squeeze(2))
        return features


def build_fine_tuned(
    network: nn.Module,
    build_head: BuildHead,
    *,
    backbone: Backbone,
    variant: str,
    reads_maps: bool,
    fine_tuning: FineTuning,
) -> FineTuned:
    """Return the network of `backbone`, with the weights that it has, and a new head as one network.

    `build_head(dims)` builds the head. A head that `reads_maps` stands between the two stages of I3D: both
    start from `network`. Raises `RunError` if the backbone has no maps for such a head.
    """
    if reads_maps:
        first, head = _around(network, build_head, backbone=backbone, variant=variant)
    else:
        first, head = _whole(network, backbone), build_head({PIXELS: backbone.feature_size})
    return FineTuned(
        first,
        head,
        normalization=get_normalization(fine_tuning.normalization),
        passing=ClipPassing(fine_tuning.clip_passing, fine_tuning.checkpoint_activations),
        batchnorm=fine_tuning.batchnorm,
        freeze_until=fine_tuning.freeze_until,
    )


def _around(
    network: nn.Module, build_head: BuildHead, *, backbone: Backbone, variant: str
) -> tuple[nn.Module, nn.Module]:
    """Return the first stage of I3D, and the head with the second one."""
    endpoint = endpoint_of_variant(variant)
    if endpoint not in backbone.map_shapes:
        raise RunError(
            f"this head stands between the stages of I3D, after {endpoint}; backbone {backbone.name} has no "
            "such maps. Choose the backbone i3d-tsa-net."
        )
    first = FirstStage(after=endpoint)
    head = build_head({PIXELS: channels_after(endpoint)})
    second = head.get_submodule("second_stage")
    assert isinstance(second, SecondStage), "heads on maps go on with the second stage of I3D"
    state = network.state_dict()
    first.load_checkpoint(state)
    second.load_checkpoint(state)
    return first, head


def _whole(network: nn.Module, backbone: Backbone) -> nn.Module:
    if isinstance(network, InceptionI3d) and hasattr(network, "logits"):
        del network.logits  # no feature needs the classifier, which would never get a gradient
    return OfImages(network) if backbone.takes == "image" else network
