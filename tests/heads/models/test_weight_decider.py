"""Weight-Decider against eq. 1-3 written out, and against the average that it replaces."""

import math

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import UnknownName
from aqa_pipeline.records import Target
from heads.data.score_scale import scale_of
from heads.models.weight_decider import WeightDecider, build_average, build_weight_decider
from heads.recipes.papers import wd_recipe
from heads.training.methods.losses import LOSSES
from heads.training.methods.optimizer import make_optimizer

STREAM = {"clips": 512}


def clips(num: int = 6, dim: int = 512) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    rows = torch.rand(3, num, dim, generator=torch.Generator().manual_seed(0))
    return {"clips": rows}, {"clips": torch.arange(num) < torch.tensor([num, num, 2])[:, None]}


def test_the_weight_network_has_20768_parameters() -> None:
    # 8,256 + 2,080 + 2,112 + 8,320; the paper's 20,484 counts one bias a layer
    assert sum(p.numel() for p in WeightDecider().parameters()) == 20_768


def test_scores_follow_eq_1_to_3() -> None:
    torch.manual_seed(0)
    head = build_weight_decider(STREAM).double().eval()
    features, masks = clips()
    output = head({"clips": features["clips"].double()}, masks)
    for video, length in enumerate([6, 6, 2]):
        f = [head.regressor["embedding"](clip.double()) for clip in features["clips"][video, :length]]
        w = [head.decide.network(clip) for clip in f]
        total = 0.0
        for d in range(128):
            exps = [math.exp(clip[d].item()) for clip in w]
            summed = sum(f[i][d].item() * exps[i] / sum(exps) for i in range(length))
            total += head.regressor["score"].weight[0, d].item() * summed
        expected = total + head.regressor["score"].bias.item()
        assert output.scores[video].item() == pytest.approx(expected, abs=1e-9)
    assert output.attention["clips"].sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert not output.attention["clips"][2, 2:].any()


def test_equal_weights_are_exactly_the_average() -> None:
    torch.manual_seed(0)
    wd, average = build_weight_decider(STREAM), build_average(STREAM)
    average.regressor.load_state_dict(wd.regressor.state_dict())
    for parameter in wd.decide.network[-1].parameters():
        torch.nn.init.zeros_(parameter)
    features, masks = clips()
    torch.testing.assert_close(wd(features, masks).scores, average(features, masks).scores)


@pytest.mark.parametrize(
    ("dim", "sizes"),
    [(512, [256, 128]), (2048, [512, 256, 128]), (768, [512, 256, 128]), (192, [128]), (64, [128])],
)
def test_layers_before_the_weights(dim: int, sizes: list[int]) -> None:
    layers = build_weight_decider({"clips": dim}).regressor["embedding"]
    assert [layer.out_features for layer in layers if isinstance(layer, torch.nn.Linear)] == sizes
    assert isinstance(layers[-1], torch.nn.ReLU)


def test_only_the_released_variant_drops_out() -> None:
    dropped = {
        variant: [m.p for m in build_weight_decider(STREAM, variant=variant).modules() if hasattr(m, "p")]
        for variant in ("paper", "released")
    }
    assert dropped == {"paper": [], "released": [0.1, 0.1, 0.1]}
    with pytest.raises(UnknownName, match="unknown variant of wd 'best'"):
        build_weight_decider(STREAM, variant="best")


@pytest.mark.parametrize(("variant", "rate"), [("paper", 1e-4), ("released", 1e-5)])
def test_learning_rates_by_variant(variant: str, rate: float) -> None:
    recipe = wd_recipe("mtl-aqa", "official", variant, {"clips": [3]})
    head = build_weight_decider(STREAM, variant=variant)
    optimizer = make_optimizer(head, recipe.optimization)
    of_weights, of_rest = (group["params"] for group in optimizer.param_groups)
    assert isinstance(optimizer, torch.optim.Adam)
    assert {id(p) for p in of_weights} == {id(p) for p in head.decide.parameters()}
    assert {id(p) for p in of_rest} == {id(p) for p in head.regressor.parameters()}
    assert [group["lr"] for group in optimizer.param_groups] == [rate, 1e-4]
    assert (recipe.epochs, recipe.batch_size, recipe.optimization.weight_decay) == (50, 2, 0.0)


def test_the_loss_is_l2_plus_l1() -> None:
    loss = LOSSES[wd_recipe("mtl-aqa", "official", "paper", {"clips": [3]}).loss]
    assert loss(torch.tensor([2.0, -1]), torch.tensor([0.5, -1])).tolist() == [1.5**2 + 1.5, 0]


def test_scores_are_counted_in_deviations_of_the_training_scores() -> None:
    labels = np.array([10.0, 30.0])
    scale = scale_of(Target("score", 0.0, 104.5), labels, unit="deviation")
    assert (scale.low, scale.high) == (0.0, 10.0)
    assert scale.normalise(30.0) == 3.0
