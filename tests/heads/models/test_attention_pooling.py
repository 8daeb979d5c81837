"""What Table 3 puts in the place of the context-aware attention, against the plain formulas."""

import pytest
import torch
from torch import Tensor

from aqa_pipeline.errors import UnknownName
from heads.models.action_net import ActionNet
from heads.models.attention_pooling import AGGREGATIONS, EMBEDDED_DIM, find_aggregation
from heads.models.temporal_graph import VARIANTS

LENGTHS = (5, 3, 1)
DIM = 12


@pytest.fixture
def padded() -> tuple[Tensor, Tensor]:
    features = torch.rand(3, 5, DIM, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = torch.arange(5) < torch.tensor(LENGTHS)[:, None]
    return features * mask[:, :, None], mask


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_padding_changes_nothing_in_the_papers_variant(name: str, padded: tuple[Tensor, Tensor]) -> None:
    features, mask = padded
    torch.manual_seed(0)
    module = AGGREGATIONS[name].build(DIM, variant=VARIANTS["paper"]).double()
    pooled, weights = module(features, mask)
    assert pooled.shape == (3, AGGREGATIONS[name].out_dim)
    for video, length in enumerate(LENGTHS):
        alone, own = module(features[video : video + 1, :length], mask[video : video + 1, :length])
        torch.testing.assert_close(pooled[video], alone[0])
        torch.testing.assert_close(weights[video, :length], own[0])
        assert own.sum().item() == pytest.approx(1)
        assert not weights[video, length:].any()


@pytest.mark.parametrize("name", AGGREGATIONS)
def test_a_video_without_instances_gives_zero_weights_and_no_nan(name: str) -> None:
    module = AGGREGATIONS[name].build(DIM, variant=VARIANTS["paper"])
    pooled, weights = module(torch.zeros(1, 4, DIM), torch.zeros(1, 4, dtype=torch.bool))
    assert not weights.any()
    assert torch.isfinite(pooled).all()


def test_the_released_variant_takes_padding_for_instances(padded: tuple[Tensor, Tensor]) -> None:
    features, mask = padded
    average = AGGREGATIONS["average"].build(DIM, variant=VARIANTS["released"]).double()
    _, weights = average(features, mask)
    torch.testing.assert_close(weights, torch.full_like(weights, 1 / 5))


def test_average_pooling_is_the_mean_of_embedded_instances(padded: tuple[Tensor, Tensor]) -> None:
    features, mask = padded
    average = AGGREGATIONS["average"].build(DIM, variant=VARIANTS["paper"]).double()
    pooled, _ = average(features, mask)
    for video, length in enumerate(LENGTHS):
        rows = [average.embedding(features[video, step]) for step in range(length)]
        torch.testing.assert_close(pooled[video], torch.stack(rows).mean(dim=0))


def test_three_filters_are_averaged(padded: tuple[Tensor, Tensor]) -> None:
    features, mask = padded
    rta = AGGREGATIONS["rta"].build(DIM, variant=VARIANTS["paper"]).double()
    assert len(rta.filters) == 3
    pooled, _ = rta(features, mask)
    instances = rta.embedding(features[:1])
    each = [attend(instances, mask[:1])[0] @ instances[0] for attend in rta.filters]
    torch.testing.assert_close(pooled[0], sum(each) / 3)


def test_recurrent_attention_weighs_recurrent_outputs(padded: tuple[Tensor, Tensor]) -> None:
    features, mask = padded
    module = AGGREGATIONS["bi-lstm-sau"].build(DIM, variant=VARIANTS["paper"]).double()
    pooled, weights = module(features, mask)
    context, _ = module.recurrent(module.embedding(features), mask)
    assert context.shape[-1] == EMBEDDED_DIM
    torch.testing.assert_close(pooled[1], sum(weights[1, step] * context[1, step] for step in range(3)))


def test_action_net_is_built_with_every_aggregation() -> None:
    for name in AGGREGATIONS:
        net = ActionNet({"segments": 8, "crops": 12}, aggregation=name)
        assert net.regressor[0].in_features == 2 * AGGREGATIONS[name].out_dim


def test_unknown_aggregations_list_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="unknown aggregation 'mean'"):
        find_aggregation("mean")
