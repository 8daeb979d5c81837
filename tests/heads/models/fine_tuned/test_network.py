"""Backbone and head as one network: what goes in, what enters the backbone, modes of training."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.networks.i3d import ENDPOINTS
from aqa_pipeline.backbones.normalization import NORMALIZATIONS, get_normalization
from aqa_pipeline.errors import RunError, UnknownName
from heads.models.clip_passing import ClipPassing
from heads.models.fine_tuned import FineTuned, build_fine_tuned, set_batchnorm
from heads.models.score_mlp import ScoreMlp
from heads.models.tsa_net import TsaNet
from heads.models.tube_attention import ReleasedTubeAttention
from heads.models.weight_decider import build_weight_decider
from heads.recipes import FineTuning
from heads.registry import find_head

DIM, FRAMES, SIDE = 6, 4, 8
MASK = torch.tensor([[True, True, True], [True, True, False]])


class Maps(nn.Module):
    """A stem and two layers, each with BatchNorm: clips -> maps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(3, 4)
        self.layer1 = nn.Sequential(unit(4, 4), unit(4, 4))
        self.layer2 = unit(4, DIM)

    def forward(self, clips: Tensor) -> Tensor:
        out: Tensor = self.layer2(self.layer1(self.stem(clips)))
        return out


class Features(Maps):
    """The same, and the mean over time and space: clips -> features."""

    def forward(self, clips: Tensor) -> Tensor:
        return super().forward(clips).mean(dim=(2, 3, 4))


class Second(nn.Module):
    """A second stage: maps -> features."""

    def __init__(self) -> None:
        super().__init__()
        self.last = unit(DIM, 16)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.last(maps).mean(dim=(2, 3, 4))
        return out


def unit(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(channels, width, 1), nn.BatchNorm3d(width), nn.ReLU(), nn.Dropout(0.5))


def wd(**options: object) -> FineTuned:
    torch.manual_seed(0)
    normalization = get_normalization("imagenet")
    return FineTuned(
        Features(), build_weight_decider({"pixels": DIM}), normalization=normalization, **options
    )


def tsa(**options: object) -> FineTuned:
    torch.manual_seed(0)
    attention = ReleasedTubeAttention(DIM)
    nn.init.normal_(attention.NL_1D.W[1].weight)
    head = TsaNet("pixels", attention=attention, second_stage=Second(), regressor=ScoreMlp(dim=16))
    return FineTuned(Maps(), head, normalization=get_normalization("half-range"), **options)


def batch(mask: Tensor = MASK, *, tubes: bool = False) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    draw = torch.Generator().manual_seed(1)
    shape = (*mask.shape, 3, FRAMES, SIDE, SIDE)
    features = {"pixels": torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8)}
    if tubes:
        features["pixels.tube"] = torch.rand(*mask.shape, FRAMES, SIDE, SIDE, generator=draw) > 0.7
    return features, {"pixels": mask}


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_pictures_are_normalized_in_the_dtype_of_the_network(name: str) -> None:
    mean, std = (torch.tensor(each).double() for each in get_normalization(name))
    network = FineTuned(Features(), nn.Identity(), normalization=get_normalization(name)).double()
    pixels = batch()[0]["pixels"][:, 0]
    normalized = network.normalized(pixels)
    assert normalized.dtype == torch.double
    for channel in range(3):
        expected = (pixels[:, channel].double() / 255 - mean[channel]) / std[channel]
        torch.testing.assert_close(normalized[:, channel], expected)
    assert torch.equal(network.normalized(pixels.float()), normalized)


@pytest.mark.parametrize("make", [wd, tsa])
@pytest.mark.parametrize("order", ["in-turn", "packed"])
def test_padding_changes_nothing(make: type, order: str) -> None:
    network = make(passing=ClipPassing(order)).eval()
    features, masks = batch(tubes=True)
    padded = network(features, masks)
    alone = {name: rows[1:, :2] for name, rows in features.items()}
    torch.testing.assert_close(padded.scores[1:], network(alone, {"pixels": MASK[1:, :2]}).scores)
    features["pixels"][1, 2] = 255 - features["pixels"][1, 2]
    features["pixels.tube"][1, 2] = ~features["pixels.tube"][1, 2]
    torch.testing.assert_close(network(features, masks).scores, padded.scores)


@pytest.mark.parametrize("make", [wd, tsa])
@pytest.mark.parametrize("mode", ["train", "frozen-statistics"])
def test_padding_is_in_no_statistics_of_a_batch(make: type, mode: str) -> None:
    states = []
    for other in (0, 1):
        network = make(batchnorm=mode).train()
        features, masks = batch(tubes=True)
        features["pixels"][1, 2] += other * 77
        network(features, masks)
        states.append(network.state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@pytest.mark.parametrize("make", [wd, tsa])
def test_in_evaluation_the_orders_agree_and_pictures_can_be_encoded_once(make: type) -> None:
    in_turn, packed = (make(passing=ClipPassing(order)).eval() for order in ("in-turn", "packed"))
    features, masks = batch(tubes=True)
    scores = in_turn(features, masks).scores
    torch.testing.assert_close(scores, packed(features, masks).scores)
    encoded = in_turn.encode(features, masks)
    assert set(encoded) == set(features)
    torch.testing.assert_close(in_turn.head(encoded, masks).scores, scores)


def test_in_turn_the_second_stage_goes_clip_by_clip_too() -> None:
    """Its BatchNorm sees one clip position of all videos at a time, as in the released code."""
    features, masks = batch(torch.ones(2, 3, dtype=torch.bool), tubes=True)
    for order, num_calls in (("in-turn", 3), ("packed", 1)):
        network = tsa(passing=ClipPassing(order)).train()
        network(features, masks)
        counts = {n: int(v) for n, v in network.state_dict().items() if "num_batches_tracked" in n}
        assert counts.pop("head.attention.NL_1D.W.1.num_batches_tracked") == 2  # once per video
        assert set(counts.values()) == {num_calls}


@pytest.mark.parametrize("make", [wd, tsa])
def test_every_weight_learns_also_with_activations_computed_twice(make: type) -> None:
    features, masks = batch(torch.ones(2, 3, dtype=torch.bool), tubes=True)
    gradients = []
    for twice in (False, True):
        network = make(passing=ClipPassing("in-turn", checkpoint_activations=twice)).double().train()
        torch.manual_seed(5)
        network(features, masks).scores.square().sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
        gradients.append({name: p.grad for name, p in network.named_parameters()})
    assert all(torch.equal(value, gradients[1][name]) for name, value in gradients[0].items())


def modes(network: nn.Module) -> dict[str, set[bool]]:
    kinds = {"norm": nn.BatchNorm3d, "dropout": nn.Dropout}
    return {
        name: {m.training for m in network.modules() if isinstance(m, kind)} for name, kind in kinds.items()
    }


@pytest.mark.parametrize(
    ("mode", "norm", "dropout"),
    [("train", True, True), ("frozen-statistics", False, True), ("eval", False, False)],
)
def test_modes_of_batchnorm(mode: str, norm: bool, dropout: bool) -> None:
    network = tsa(batchnorm=mode).train()
    for part in network.pretrained:
        assert modes(part) == {"norm": {norm}, "dropout": {dropout}}
    assert network.head.attention.NL_1D.W[1].training  # it has no pretrained statistics to keep
    assert network.head.regressor.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    network.eval()
    assert not any(module.training for module in network.modules())


def test_frozen_statistics_stay_while_scale_and_shift_learn() -> None:
    network = wd(batchnorm="frozen-statistics").train()
    before = {name: value.clone() for name, value in network.named_buffers()}
    network(*batch()).scores.sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())
    assert network.backbone.layer2[1].weight.grad.abs().sum() > 0
    with pytest.raises(UnknownName, match=r"mode of BatchNorm 'froze'"):
        set_batchnorm(network, "froze")


@pytest.mark.parametrize(
    ("until", "first_learning"),
    [("stem", "backbone.layer1.0.0.weight"), ("layer1.0", "backbone.layer1.1.0.weight"),
     ("layer1", "backbone.layer2.0.weight"), ("last", "head.attention.NL_1D.g.weight")],
)  # fmt: skip
def test_layers_up_to_a_name_are_frozen(until: str, first_learning: str) -> None:
    network = tsa(freeze_until=until).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    network(*batch(tubes=True)).scores.sum().backward()
    optimizer.step()
    moved = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    assert next(name for name, p in network.named_parameters() if p.requires_grad) == first_learning
    names = list(before)
    assert min(names.index(name) for name in moved) == names.index(first_learning)
    with pytest.raises(UnknownName, match=r"layer of the backbone 'layer9'.*Known: last\.0, .* stem"):
        tsa(freeze_until="layer9")


def test_layers_stay_frozen_when_batchnorm_is_replaced_for_several_gpus() -> None:
    network = nn.SyncBatchNorm.convert_sync_batchnorm(tsa(freeze_until="layer1")).train()
    assert not network.backbone.layer1[1][1].training
    assert network.backbone.layer2[1].training


def fine_tuning(**changes: object) -> FineTuning:
    values = {
        "frames_per_clip": 16,
        "clip_starts": (0,),
        "num_frames": 16,
        "crop": 32,
        "normalization": "half-range",
        "backbone_lr": 1e-4,
    }
    return FineTuning(**(values | changes))


@pytest.mark.parametrize(
    ("head", "variant", "after"),
    [("tsa", "released", "MaxPool3d_4a_3x3"), ("tsa", "paper", "Mixed_4e"),
     ("usdl", "released", "MaxPool3d_4a_3x3"), ("musdl", "paper", "Mixed_4e")],
)  # fmt: skip
@pytest.mark.usefixtures("weightless")
def test_heads_on_maps_stand_between_the_stages_of_the_given_i3d(head: str, variant: str, after: str) -> None:
    backbone, kind = get_backbone("i3d-tsa-net"), find_head(head)
    whole = backbone.build()
    network = build_fine_tuned(
        whole,
        lambda dims: kind.build(dims, variant),
        backbone=backbone,
        variant=variant,
        reads_maps=kind.reads_maps,
        fine_tuning=fine_tuning(clip_passing="in-turn"),
    )
    first, second = network.pretrained
    assert [layer.name for layer in network.pretrained_layers] == [
        name for name in ENDPOINTS if "Pool" not in name
    ]
    assert first.names[-1] == after
    parts = {**first.state_dict(), **second.state_dict()}
    given = whole.state_dict()
    assert set(parts) == set(given)
    assert all(torch.equal(value.nan_to_num(), given[name].nan_to_num()) for name, value in parts.items())
    assert network.passing == network.head.passing == ClipPassing("in-turn")
    assert network.head.reads_tubes == (head == "tsa")


@pytest.mark.usefixtures("weightless")
def test_heads_on_features_take_whole_networks_without_classifier() -> None:
    def build(name: str) -> FineTuned:
        backbone, kind = get_backbone(name), find_head("wd")
        return build_fine_tuned(
            backbone.build(),
            lambda dims: kind.build(dims, "paper"),
            backbone=backbone,
            variant="paper",
            reads_maps=kind.reads_maps,
            fine_tuning=fine_tuning(),
        )

    i3d = build("i3d")
    assert "backbone.logits.conv3d.weight" not in i3d.state_dict()
    assert i3d.head.stream == "pixels"
    images = build("resnet18").eval()
    pixels = torch.zeros(1, 2, 3, 1, 32, 32, dtype=torch.uint8)
    mask = {"pixels": torch.ones(1, 2, dtype=torch.bool)}
    assert images.encode({"pixels": pixels}, mask)["pixels"].shape == (1, 2, 512)
    with pytest.raises(
        RunError, match=r"backbone resnet18 has no such maps\. Choose the backbone i3d-tsa-net"
    ):
        build_fine_tuned(
            nn.Identity(),
            no_head,
            backbone=get_backbone("resnet18"),
            variant="paper",
            reads_maps=True,
            fine_tuning=fine_tuning(),
        )


def no_head(dims: Mapping[str, int]) -> nn.Module:
    raise AssertionError("no head is built for a backbone without maps")
