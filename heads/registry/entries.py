"""Our heads, one entry each."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aqa_pipeline.records import StreamSpec
from heads.recipes.adapted import ADAPTED, experts_recipe, stack_recipe, with_adapted, with_adapted_maps
from heads.recipes.papers import (
    action_net_recipe,
    ms_lstm_recipe,
    musdl_recipe,
    svr_recipe,
    tsa_musdl_recipe,
    tsa_recipe,
    tsa_usdl_recipe,
    usdl_recipe,
    wd_recipe,
)
from heads.registry.field_heads import FIELD
from heads.registry.head_kind import Build, ChooseRecipe, HeadKind, Start
from heads.registry.likert import LIKERT
from heads.registry.one_stream import one_stream

if TYPE_CHECKING:
    from torch import nn

ZENG = "Zeng et al., ACM MM 2020"
PIRSIAVASH = "Pirsiavash et al., ECCV 2014"
XU = "Xu et al., IEEE TCSVT 2020"
FARABI = "Farabi et al., IbPRIA 2022"
WANG = "Wang et al., ACM MM 2021"
TANG = "Tang et al., CVPR 2020"
PAPER = ("paper", "frozen", ADAPTED)
TANGS = ("paper", "frozen", "released", ADAPTED)


def _second_stage(specs: Mapping[str, StreamSpec], checkpoint: Path | None) -> Start:
    from heads.models.second_stage_start import find_start

    return find_start(specs, checkpoint)


def _action_net(name: str, aggregation: str, source: str) -> HeadKind:
    def build(dims: Mapping[str, int], variant: str) -> "nn.Module":
        from heads.models.action_net import ActionNet

        return ActionNet(dims, variant=variant, aggregation=aggregation)

    return HeadKind(
        name=name,
        streams=("segments", "crops"),
        variants=("paper", "released", ADAPTED),
        build=build,
        choose_recipe=with_adapted(action_net_recipe),
        source=source,
    )


def _build_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.lstm import build_lstm

    return build_lstm(dims, variant=variant)


def _build_bi_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.lstm import build_bi_lstm

    return build_bi_lstm(dims, variant=variant)


def _build_ms_lstm(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.ms_lstm import MultiScaleLstm

    return MultiScaleLstm(dims, variant=variant)


def _build_average(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.pooled_svr import build_average

    return build_average(dims)


def _build_maximum(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.pooled_svr import build_maximum

    return build_maximum(dims)


def _build_pose_dct(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.pose_dct import build_pose_dct

    return build_pose_dct(dims)


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

    return _between_stages(name, build, variants=variants, source=source, reads_tubes=True)


def _between_stages(
    name: str,
    build: Build,
    *,
    variants: tuple[str, ...],
    source: str,
    choose_recipe: ChooseRecipe = tsa_recipe,
    of_judges: bool = False,
    reads_tubes: bool = False,
) -> HeadKind:
    """Return a head on the maps between the two stages of I3D."""
    return HeadKind(
        name=name,
        streams=("tubes",),
        variants=variants,
        build=build,
        choose_recipe=with_adapted_maps(choose_recipe),
        source=source,
        one_stream=True,
        scores_steps=True,
        find_start=_second_stage,
        of_judges=of_judges,
        reads_tubes=reads_tubes,
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


def _build_usdl(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_plain_net

    return build_plain_net(dims, task="distribution")


def _build_musdl(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.tsa_net import build_plain_net

    return build_plain_net(dims, task="judges")


def _build_mean(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.regressors import MeanHead

    return MeanHead(dims)


def _build_ridge(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.regressors import RidgeHead

    return RidgeHead(dims)


def _build_rbf_svr(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.regressors import GaussianKernelHead

    return GaussianKernelHead(dims)


def _build_stack(dims: Mapping[str, int], variant: str) -> "nn.Module":
    from heads.models.closed_form.stack import Stack

    return Stack(dims)


OURS = {
    head.name: head
    for head in (
        _action_net("action-net", "caa", ZENG),
        _action_net("action-net-average", "average", f"{ZENG}, Table 3: average pooling"),
        _action_net("action-net-sau", "sau", f"{ZENG}, Table 3: attention without context"),
        _action_net("action-net-lstm-sau", "lstm-sau", f"{ZENG}, Table 3: context from an LSTM"),
        _action_net("action-net-bi-lstm-sau", "bi-lstm-sau", f"{ZENG}, Table 3: context from a Bi-LSTM"),
        _action_net("action-net-rta", "rta", f"{ZENG}, Table 3: three attention filters"),
        one_stream("lstm", "segments", _build_lstm, action_net_recipe, f"{ZENG}, 5.2"),
        one_stream("bi-lstm", "segments", _build_bi_lstm, action_net_recipe, f"{ZENG}, 5.2"),
        one_stream("ms-lstm", "segments", _build_ms_lstm, ms_lstm_recipe, XU),
        *LIKERT,
        one_stream(
            "svr-average", "segments", _build_average, svr_recipe, f"{ZENG}, 5.2", variants=("paper",)
        ),
        one_stream(
            "svr-maximum", "segments", _build_maximum, svr_recipe, f"{ZENG}, 5.2", variants=("paper",)
        ),
        one_stream("pose-dct", "poses", _build_pose_dct, svr_recipe, PIRSIAVASH, variants=("paper",)),
        one_stream(
            "wd",
            "clips",
            _build_wd,
            wd_recipe,
            FARABI,
            variants=("paper", "released", ADAPTED),
            scores_steps=True,
        ),
        one_stream("wd-average", "clips", _build_wd_average, wd_recipe, FARABI, scores_steps=True),
        *(
            HeadKind(name, ("segments", "crops"), (ADAPTED,), build, choose_recipe, source)
            for name, build, choose_recipe, source in (
                ("stack", _build_stack, stack_recipe, "ours: experts and attention, docs/head-stack.md"),
                ("mean", _build_mean, experts_recipe, "baseline: the training mean"),
                ("ridge", _build_ridge, experts_recipe, "baseline: ridge regression on pooled numbers"),
                ("rbf-svr", _build_rbf_svr, experts_recipe, "baseline: Gaussian kernel"),
            )
        ),
        _tsa("tsa", variants=("paper", "frozen", "released", "released-in-order", ADAPTED), source=WANG),
        _tsa("tsa-x2", variants=PAPER, source=f"{WANG}, TSAx2-Net", num_stacked=2),
        _tsa("tsa-x3", variants=PAPER, source=f"{WANG}, TSAx3-Net", num_stacked=3),
        _between_stages(
            "tsa-usdl",
            _build_tsa_usdl,
            variants=PAPER,
            source=f"{WANG}, eq. 9",
            choose_recipe=tsa_usdl_recipe,
            reads_tubes=True,
        ),
        _between_stages(
            "tsa-musdl",
            _build_tsa_musdl,
            variants=PAPER,
            source=f"{WANG} with MUSDL, {TANG}",
            choose_recipe=tsa_musdl_recipe,
            reads_tubes=True,
            of_judges=True,
        ),
        _between_stages("usdl", _build_usdl, variants=TANGS, source=TANG, choose_recipe=usdl_recipe),
        _between_stages(
            "musdl",
            _build_musdl,
            variants=TANGS,
            source=f"{TANG}, MUSDL",
            choose_recipe=musdl_recipe,
            of_judges=True,
        ),
        _between_stages("nl-net", _build_nl_net, variants=PAPER, source=f"{WANG}, NL-Net"),
        _between_stages("plain-net", _build_plain_net, variants=PAPER, source=f"{WANG}, Plain-Net"),
        *FIELD,
    )
}
