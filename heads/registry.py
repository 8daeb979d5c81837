"""Every head that can be fitted, one entry each. Importing this module imports no torch.

A head's module is called as `module(features, masks)` with one padded tensor `batch time dim` and one
boolean mask `batch time` per stream, and returns `models.output.HeadOutput`: scores in [0, 1] and attention.
The part of it that learns at the recipe's `head_lr` is named `regressor`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.plugins import Pluggable, Registry
from aqa_pipeline.records import StreamSpec
from heads.data.streams import MAP_STREAMS
from heads.recipes import (
    Recipe,
    StreamSteps,
    action_net_recipe,
    ms_lstm_recipe,
    musdl_recipe,
    svr_recipe,
    tsa_recipe,
    usdl_recipe,
    wd_recipe,
)

if TYPE_CHECKING:
    from torch import nn

Build = Callable[[Mapping[str, int], str], "nn.Module"]
ChooseRecipe = Callable[[str, str, str, StreamSteps], Recipe]
Start = Callable[["nn.Module"], None]
FindStart = Callable[[Mapping[str, StreamSpec], Path | None], Start]


def _as_built(specs: Mapping[str, StreamSpec], checkpoint: Path | None) -> Start:
    if checkpoint is not None:
        raise RunError(f"{checkpoint} was given to start from, but this head has no pretrained part.")
    return lambda network: None


def _second_stage(specs: Mapping[str, StreamSpec], checkpoint: Path | None) -> Start:
    from heads.models.second_stage_start import find_start

    return find_start(specs, checkpoint)


@dataclass(frozen=True)
class HeadKind(Pluggable):
    """One head: the streams it reads, its variants (the first is the default), network and recipe.

    `build(dims, variant)` returns the untrained network for features of `dims[stream]` dimensions;
    `choose_recipe(dataset, split, variant, steps)` its recipe; `steps` are the training videos' lengths.
    `one_stream` tells that it reads a single stream, whichever.
    `scores_steps` tells that a single step of its one stream has a score that means something.
    `find_start(specs, checkpoint)` returns what puts pretrained weights into the untrained network.
    `of_judges` tells that it learns each judge's mark, and tells the execution.
    """

    name: str
    streams: tuple[str, ...]
    variants: tuple[str, ...]
    build: Build
    choose_recipe: ChooseRecipe
    source: str
    one_stream: bool = False
    scores_steps: bool = False
    reads_maps: bool = False
    find_start: FindStart = _as_built
    of_judges: bool = False

    def check_variant(self, variant: str) -> None:
        """Raise `UnknownName` for a variant that this head does not have."""
        if variant not in self.variants:
            raise UnknownName(f"variant of {self.name}", variant, self.variants)

    def check_streams(self, streams: tuple[str, ...]) -> None:
        """Raise `RunError` for streams that this head cannot read."""
        if not streams or len(set(streams)) < len(streams) or (self.one_stream and len(streams) > 1):
            number = "one stream" if self.one_stream else "different streams"
            raise RunError(f"{self.name} reads {number}, such as {','.join(self.streams)}; got {streams}.")
        wrong = [stream for stream in streams if (stream in MAP_STREAMS) != self.reads_maps]
        if wrong:
            kind = "maps" if self.reads_maps else "features, not maps"
            raise RunError(f"{self.name} reads {kind}, such as {','.join(self.streams)}; got {wrong}.")


def _action_net(name: str, aggregation: str, source: str) -> HeadKind:
    def build(dims: Mapping[str, int], variant: str) -> "nn.Module":
        from heads.models.action_net import ActionNet

        return ActionNet(dims, variant=variant, aggregation=aggregation)

    return HeadKind(
        name=name,
        streams=("segments", "crops"),
        variants=("paper", "released"),
        build=build,
        choose_recipe=action_net_recipe,
        source=source,
    )


def _build_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.lstm import build_lstm

    return build_lstm(dims)


def _build_bi_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.lstm import build_bi_lstm

    return build_bi_lstm(dims)


def _build_ms_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.ms_lstm import MultiScaleLstm

    return MultiScaleLstm(dims)


def _build_average(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.pooled_svr import build_average

    return build_average(dims)


def _build_maximum(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.pooled_svr import build_maximum

    return build_maximum(dims)


def _build_wd(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.weight_decider import build_weight_decider

    return build_weight_decider(dims, variant=variant)


def _build_wd_average(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.weight_decider import build_average

    return build_average(dims)


def _tsa(name: str, *, variants: tuple[str, ...], source: str, num_stacked: int = 1) -> HeadKind:
    def build(dims: Mapping[str, int], variant: str) -> "nn.Module":
        from heads.models.tsa_net import build_tsa

        return build_tsa(dims, variant=variant, num_stacked=num_stacked)

    return _between_stages(name, build, variants=variants, source=source)


def _between_stages(
    name: str,
    build: Build,
    *,
    variants: tuple[str, ...],
    source: str,
    choose_recipe: ChooseRecipe = tsa_recipe,
    of_judges: bool = False,
) -> HeadKind:
    """Return a head on the maps between the two stages of I3D."""
    return HeadKind(
        name=name,
        streams=("tubes",),
        variants=variants,
        build=build,
        choose_recipe=choose_recipe,
        source=source,
        one_stream=True,
        scores_steps=True,
        reads_maps=True,
        find_start=_second_stage,
        of_judges=of_judges,
    )


def _build_tsa_usdl(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_tsa

    return build_tsa(dims, variant=variant, task="distribution")


def _build_tsa_musdl(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_tsa

    return build_tsa(dims, variant=variant, task="judges")


def _build_nl_net(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_nl_net

    return build_nl_net(dims)


def _build_plain_net(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_plain_net

    return build_plain_net(dims)


ZENG = "Zeng et al., ACM MM 2020"
XU = "Xu et al., IEEE TCSVT 2020"
FARABI = "Farabi et al., IbPRIA 2022"
WANG = "Wang et al., ACM MM 2021"
TANG = "Tang et al., CVPR 2020"
PAPER = ("paper", "frozen")

OURS = {
    head.name: head
    for head in (
        _action_net("action-net", "caa", ZENG),
        _action_net("action-net-average", "average", f"{ZENG}, Table 3: average pooling"),
        _action_net("action-net-sau", "sau", f"{ZENG}, Table 3: attention without context"),
        _action_net("action-net-lstm-sau", "lstm-sau", f"{ZENG}, Table 3: context from an LSTM"),
        _action_net("action-net-bi-lstm-sau", "bi-lstm-sau", f"{ZENG}, Table 3: context from a Bi-LSTM"),
        _action_net("action-net-rta", "rta", f"{ZENG}, Table 3: three attention filters"),
        HeadKind("lstm", ("segments",), ("paper",), _build_lstm, action_net_recipe, f"{ZENG}, 5.2", True),
        HeadKind(
            "bi-lstm", ("segments",), ("paper",), _build_bi_lstm, action_net_recipe, f"{ZENG}, 5.2", True
        ),
        HeadKind("ms-lstm", ("segments",), ("paper",), _build_ms_lstm, ms_lstm_recipe, XU, True),
        HeadKind(
            "svr-average",
            ("segments",),
            ("paper",),
            _build_average,
            svr_recipe,
            f"{ZENG}, 5.2",
            True,
        ),
        HeadKind(
            "svr-maximum",
            ("segments",),
            ("paper",),
            _build_maximum,
            svr_recipe,
            f"{ZENG}, 5.2",
            True,
        ),
        HeadKind(
            "wd",
            ("clips",),
            ("paper", "released"),
            _build_wd,
            wd_recipe,
            FARABI,
            True,
            scores_steps=True,
        ),
        HeadKind(
            "wd-average",
            ("clips",),
            ("paper",),
            _build_wd_average,
            wd_recipe,
            FARABI,
            True,
            scores_steps=True,
        ),
        _tsa("tsa", variants=(*PAPER, "released", "released-in-order"), source=WANG),
        _tsa("tsa-x2", variants=PAPER, source=f"{WANG}, TSAx2-Net", num_stacked=2),
        _tsa("tsa-x3", variants=PAPER, source=f"{WANG}, TSAx3-Net", num_stacked=3),
        _between_stages(
            "tsa-usdl", _build_tsa_usdl, variants=PAPER, source=f"{WANG}, eq. 9", choose_recipe=usdl_recipe
        ),
        _between_stages(
            "tsa-musdl",
            _build_tsa_musdl,
            variants=PAPER,
            source=f"{WANG} with MUSDL, {TANG}",
            choose_recipe=musdl_recipe,
            of_judges=True,
        ),
        _between_stages("nl-net", _build_nl_net, variants=PAPER, source=f"{WANG}, NL-Net"),
        _between_stages("plain-net", _build_plain_net, variants=PAPER, source=f"{WANG}, Plain-Net"),
    )
}


HEADS = Registry("head", OURS, of=HeadKind, group="aqa.heads")


def find_head(name: str) -> HeadKind:
    """Return the head of that name; raise `UnknownName`, or `PluginError` for a broken plug-in."""
    return HEADS.find(name)
