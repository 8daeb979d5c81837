"""TSA-Net: attention within the athlete's tube, the second stage of I3D, the mean over clips, and a score.

Paper: Wang et al., "TSA-Net: Tube Self-Attention Network for Action Quality Assessment", ACM MM 2021.
Original code: github.com/Shunli-Wang/TSA-Net (FR-FS only); no code is copied.

On stored maps the first stage of I3D is frozen; attention, second stage and regressor are trained. The paper
trained all of I3D, as `heads.models.fine_tuned` does.

| | `paper` | `released` |
|---|---|---|
| maps | after Mixed_4e, 528 channels | after MaxPool3d_4a, 480 channels |
| attention | theta, phi, g; dot product over the tube's size | softmax of x x^T, no reduction |
| tube | exact, in the crop | drawn in the coordinates of the whole frame, so beside the athlete |
| clips | in order | steps mixed between clips (see `released_clip_order`), unless `released-in-order` |

`frozen` is `paper` with a second stage that keeps its initial weights.

Plain-Net without a tube is USDL, or with judges MUSDL (Tang et al., CVPR 2020): I3D, the mean over clips, and
a distribution of the score.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.networks.i3d import SecondStage, channels_after
from aqa_pipeline.errors import RunError
from heads.data.device import to_device
from heads.data.tube_maps import tube_of
from heads.models.clip_passing import PACKED, ClipPassing
from heads.models.output import HeadOutput
from heads.models.score_mlp import JudgePanel, ScoreMlp, find_task
from heads.models.time_weights import equal_weights
from heads.models.tube_attention import ReleasedTubeAttention, build_blocks

ENDPOINTS = ("Mixed_4e", "MaxPool3d_4a_3x3")  # of the paper, and of the released code


class TsaNet(nn.Module):
    """Score the maps and tubes of one stream; every clip has the same weight.

    Maps are on the network's device. Tubes and masks are on the CPU, so that nothing waits for the GPU.
    `attention` takes maps and the masks of the tube; with `everywhere`, masks of all grid positions of the
    real clips, and no tubes are read. `second_stage` turns maps into clip features, all clips at once or as
    `passing` says. `regressor` turns clip features into the outputs of `task`.
    """

    def __init__(
        self,
        stream: str,
        *,
        attention: nn.Module,
        second_stage: nn.Module,
        regressor: nn.Module,
        task: str = "regression",
        everywhere: bool = False,
    ) -> None:
        super().__init__()
        self.stream, self.everywhere = stream, everywhere
        self.attention, self.second_stage, self.regressor = attention, second_stage, regressor
        self.score = find_task(task).score
        self.passing: ClipPassing = PACKED

    @property
    def reads_tubes(self) -> bool:
        """True if the features must hold the tubes of the stream."""
        return not self.everywhere

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores in [0, 1] `(batch)`, logits, and the score of each clip `(batch, clip)`."""
        maps, mask = features[self.stream], masks[self.stream]
        real = mask[:, :, None, None, None]
        if self.everywhere:
            positions = real.expand(maps[:, :, 0].shape)
        else:
            positions = features[tube_of(self.stream)] & real
        clips = self.passing(self.second_stage, self.attention(maps, positions), mask)
        mask = to_device(mask, clips.device)
        logits = self.regressor(clips, mask)
        return HeadOutput(
            scores=self.score(logits),
            attention={self.stream: equal_weights(mask, torch.get_default_dtype())},
            logits=logits,
            step_scores=self.score(self.regressor(clips.flatten(0, 1)[:, None])).unflatten(0, mask.shape),
        )


def build_tsa(
    dims: Mapping[str, int], *, variant: str, num_stacked: int = 1, task: str = "regression"
) -> TsaNet:
    """Return TSA-Net with `num_stacked` tube attentions.

    Raises `RunError` if the maps come from another layer of I3D than `ENDPOINTS`.
    """
    stream, channels = _only(dims)
    if variant.startswith("released"):
        attention: nn.Module = ReleasedTubeAttention(channels, clip_order_bug=variant == "released")
    else:
        attention = build_blocks("tsa", channels=channels, num_stacked=num_stacked)
    return _net(stream, channels, attention=attention, task=task)


def build_nl_net(dims: Mapping[str, int]) -> TsaNet:
    """Return NL-Net: the same attention over all grid positions."""
    stream, channels = _only(dims)
    attention = build_blocks("tsa", channels=channels)  # masks of all real clips leave padding out
    return _net(stream, channels, attention=attention, everywhere=True)


def build_plain_net(dims: Mapping[str, int], *, task: str = "regression") -> TsaNet:
    """Return Plain-Net: no attention between the stages."""
    stream, channels = _only(dims)
    attention = build_blocks("plain-net", channels=channels)  # no attention, so no tube either
    return _net(stream, channels, attention=attention, task=task, everywhere=True)


def _only(dims: Mapping[str, int]) -> tuple[str, int]:
    ((stream, channels),) = dims.items()
    return stream, channels


def _net(
    stream: str,
    channels: int,
    *,
    attention: nn.Module,
    task: str = "regression",
    everywhere: bool = False,
) -> TsaNet:
    return TsaNet(
        stream,
        attention=attention,
        second_stage=SecondStage(after=endpoint_of(channels)),
        regressor=JudgePanel() if task == "judges" else ScoreMlp(task=task),
        task=task,
        everywhere=everywhere,
    )


def endpoint_of_variant(variant: str) -> str:
    """Return the layer of I3D after which a variant of the head stands."""
    paper, released = ENDPOINTS
    return released if variant.startswith("released") else paper


def endpoint_of(channels: int) -> str:
    """Return the layer of I3D whose maps have so many channels; raise `RunError` if there is none."""
    by_channels = {channels_after(endpoint): endpoint for endpoint in ENDPOINTS}
    if channels not in by_channels:
        known = " or ".join(f"{number} (after {endpoint})" for number, endpoint in by_channels.items())
        raise RunError(f"the maps have {channels} channels, but TSA-Net needs I3D maps of {known}.")
    return by_channels[channels]
