"""ACTION-NET: the released network by the authors' own numbers, the paper's by its formulas."""

import importlib.util
import json
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName, WeightsError
from heads.models.action_net import ActionNet, from_official, official_key_map
from heads.models.temporal_graph import normalize_adjacency, pairwise_distances, temporal_adjacency
from heads.recipes.papers import RHYTHMIC_GYMNASTICS_STEPS, SECTION_5_2
from heads.training.methods.losses import LOSSES
from heads.training.methods.optimizer import make_optimizer

PAPER_DIMS = {"segments": 1024, "crops": 2048}
SMALL_DIMS = {"segments": 8, "crops": 12}
SHAPES = {"action_net_rg": (26, 80), "action_net_mit": (48, 150)}


def golden(shared: Path) -> tuple[dict, ModuleType]:
    spec = importlib.util.spec_from_file_location("golden_inputs", shared / "golden" / "golden_inputs.py")
    assert spec is not None
    assert spec.loader is not None
    inputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inputs)
    return json.loads((shared / "golden" / "heads_golden.json").read_text()), inputs


def released_with_golden_weights(inputs: ModuleType) -> ActionNet:
    net = ActionNet(PAPER_DIMS, variant="released").eval()
    state = {
        official: torch.from_numpy(inputs.weight(official, tuple(net.state_dict()[ours].shape)))
        for official, ours in official_key_map().items()
    }
    state["fc.3.weight"] *= 0.02
    state |= {"adj1": torch.zeros(26, 26), "adj2": torch.zeros(80, 80)}
    net.load_state_dict(from_official(state), strict=True)
    return net


def all_real(features: dict[str, Tensor]) -> dict[str, Tensor]:
    return {stream: torch.ones(rows.shape[:2], dtype=torch.bool) for stream, rows in features.items()}


@pytest.mark.parametrize("case", SHAPES)
def test_released_gives_the_authors_numbers(shared: Path, case: str) -> None:
    """Scores, losses and scores after five SGD steps; float32 sums may differ in their last bits."""
    expected, inputs = golden(shared)
    net = released_with_golden_weights(inputs)
    num_segments, num_crops = SHAPES[case]
    features = {
        "segments": torch.from_numpy(inputs.features((4, num_segments, 1024), 11)),
        "crops": torch.from_numpy(inputs.features((4, num_crops, 2048), 12)),
    }
    masks, targets = all_real(features), torch.tensor([0.2, 0.4, 0.6, 0.8])
    assert net(features, masks).scores.tolist() == pytest.approx(expected[case]["scores"], abs=5e-7)

    optimizer, losses = make_optimizer(net, SECTION_5_2.optimization), []
    for _ in range(5):
        loss = LOSSES["mse"](net(features, masks).scores, targets).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(expected[case]["losses"], abs=5e-7)
    after = net(features, masks).scores.tolist()
    assert after == pytest.approx(expected[case]["scores_after_5_steps"], abs=2e-6)


@pytest.mark.parametrize("case", SHAPES)
def test_released_adjacency_gives_the_authors_row(shared: Path, case: str) -> None:
    expected, _ = golden(shared)
    instances = torch.zeros(1, SHAPES[case][0], 1)
    row = normalize_adjacency(temporal_adjacency(instances, torch.ones(1, 1)))[0, :6]
    assert row.tolist() == pytest.approx(expected[case]["adj_row0"], abs=5e-7)


@pytest.mark.parametrize(("variant", "expected"), [("released", 3_542_787), ("paper", 3_541_763)])
def test_number_of_parameters(variant: str, expected: int) -> None:
    """3.54 M in the paper; without the biases of four graph layers (eq. 3) 4 x 256 fewer."""
    assert sum(p.numel() for p in ActionNet(PAPER_DIMS, variant=variant).parameters()) == expected


def test_linear_layers_start_xavier_uniform_with_zero_bias() -> None:
    torch.manual_seed(0)
    for module in ActionNet(PAPER_DIMS, variant="released").modules():
        if isinstance(module, nn.Linear):
            bound = math.sqrt(6 / (module.in_features + module.out_features))
            assert module.weight.abs().max() <= bound
            assert module.weight.abs().max() > 0.9 * bound
            assert not module.bias.any()


# --- The paper's equations, written out with loops -------------------------------------------------------


def naive_linear(layer: nn.Linear, x: np.ndarray) -> np.ndarray:
    y = layer.weight.detach().double().numpy() @ x
    return y if layer.bias is None else y + layer.bias.detach().double().numpy()


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def naive_stream(stream: nn.Module, rows: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Eq. 1-5 for one video: the stream's feature and the weights of its instances."""
    first, _, second, _ = stream.embedding
    f = [relu(naive_linear(second, relu(naive_linear(first, row)))) for row in rows]
    n = len(f)
    a = [[math.exp(-math.sqrt(sum((f[i] - f[j]) ** 2)) / 1) for j in range(n)] for i in range(n)]  # eq. 1
    a_tilde = [[a[i][j] + (1 if i == j else 0) for j in range(n)] for i in range(n)]
    d = [sum(row) for row in a_tilde]
    a_hat = [[a_tilde[i][j] / math.sqrt(d[i]) / math.sqrt(d[j]) for j in range(n)] for i in range(n)]  # eq. 2
    h = f
    for layer in stream.graph.layers:  # eq. 3
        assert layer.bias is None
        h = [relu(naive_linear(layer, sum(a_hat[i][j] * h[j] for j in range(n)))) for i in range(n)]
    fused = [np.concatenate([f[i], h[i]]) for i in range(n)]  # eq. 4
    hidden, _, out = stream.attention.score
    logits = [float(naive_linear(out, relu(naive_linear(hidden, c)))[0]) for c in fused]
    total = sum(math.exp(logit) for logit in logits)
    weights = [math.exp(logit) / total for logit in logits]
    return sum(w * c for w, c in zip(weights, fused, strict=True)), weights  # eq. 5


def naive_score(net: ActionNet, rows: dict[str, np.ndarray]) -> float:
    pooled = np.concatenate([naive_stream(net.streams[name], rows[name])[0] for name in net.streams])
    hidden, _, _, out, _ = net.regressor
    return float(1 / (1 + np.exp(-naive_linear(out, relu(naive_linear(hidden, pooled)))[0])))  # eq. 6


def small_net(variant: str = "paper") -> ActionNet:
    torch.manual_seed(3)
    net = ActionNet(SMALL_DIMS, variant=variant).eval().double()
    for name, parameter in net.named_parameters():  # small features: distances around 1, all terms count
        if "bias" in name:
            nn.init.normal_(parameter, std=0.1)
        if "embedding.2" in name:
            parameter.data *= 0.3
    return net


def ragged_videos() -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(4)
    lengths = [(5, 9), (3, 2), (1, 7)]
    return [
        {
            "segments": torch.rand(num_segments, 8, generator=generator, dtype=torch.float64),
            "crops": torch.rand(num_crops, 12, generator=generator, dtype=torch.float64),
        }
        for num_segments, num_crops in lengths
    ]


def padded(videos: list[dict[str, Tensor]], *, fill: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    features, masks = {}, {}
    for stream, dim in SMALL_DIMS.items():
        longest = max(len(video[stream]) for video in videos) + 2
        features[stream] = torch.full((len(videos), longest, dim), fill, dtype=torch.float64)
        masks[stream] = torch.zeros(len(videos), longest, dtype=torch.bool)
        for index, video in enumerate(videos):
            features[stream][index, : len(video[stream])] = video[stream]
            masks[stream][index, : len(video[stream])] = True
    return features, masks


def test_paper_equals_its_equations() -> None:
    net, videos = small_net(), ragged_videos()
    output = net(*padded(videos, fill=0.0))
    for index, video in enumerate(videos):
        rows = {stream: features.numpy() for stream, features in video.items()}
        assert output.scores[index].item() == pytest.approx(naive_score(net, rows), abs=1e-9)
        for stream in SMALL_DIMS:
            _, weights = naive_stream(net.streams[stream], rows[stream])
            assert output.attention[stream][index, : len(weights)].tolist() == pytest.approx(
                weights, abs=1e-9
            )


def test_paper_ignores_padding() -> None:
    """A padded batch equals its videos one by one, whatever stands in the padding."""
    net, videos = small_net(), ragged_videos()
    output = net(*padded(videos, fill=7.0))
    for index, video in enumerate(videos):
        alone = {stream: rows[None] for stream, rows in video.items()}
        assert output.scores[index].item() == pytest.approx(
            net(alone, all_real(alone)).scores.item(), abs=1e-12
        )
    for stream, weights in output.attention.items():
        assert not weights[~padded(videos, fill=0.0)[1][stream]].any()
        torch.testing.assert_close(weights.sum(dim=1), torch.ones(3, dtype=torch.float64))


def test_released_takes_zero_rows_for_instances() -> None:
    net, videos = small_net("released"), ragged_videos()
    features, masks = padded(videos, fill=0.0)
    output = net(features, masks)
    assert all((weights > 0).all() for weights in output.attention.values())
    torch.testing.assert_close(output.scores, net(features, all_real(features)).scores, rtol=0, atol=0)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_a_stream_without_any_step_gives_a_number(variant: str) -> None:
    """No athlete found in the whole video: `paper` sees a zero static feature, and nobody sees nan."""
    net = small_net(variant)
    features = {name: torch.zeros(2, 4, dim, dtype=torch.float64) for name, dim in SMALL_DIMS.items()}
    masks = all_real(features) | {"crops": torch.zeros(2, 4, dtype=torch.bool)}
    output = net(features, masks)
    output.scores.sum().backward()
    assert output.scores.isfinite().all()
    assert all(p.grad.isfinite().all() for p in net.parameters())
    if variant == "paper":
        assert not output.attention["crops"].any()


def test_equal_instances_have_finite_gradients() -> None:
    """The slope of a distance of 0 is undefined; a video that shows one still picture must not break it."""
    features = torch.rand(1, 1, 8, dtype=torch.float64).repeat(1, 5, 1).requires_grad_()
    distances = pairwise_distances(features)
    distances.sum().backward()
    assert not distances.any()
    assert features.grad is not None
    assert not features.grad.any()


def test_distances_equal_torchs_own_also_between_close_neighbours() -> None:
    features = 5 + torch.rand(2, 6, 16)
    features[:, 3] = features[:, 2] + 1e-4
    expected = torch.cdist(features.double(), features.double(), compute_mode="donot_use_mm_for_euclid_dist")
    torch.testing.assert_close(pairwise_distances(features).double(), expected, rtol=1e-5, atol=1e-9)


def test_distances_have_torchs_own_gradients() -> None:
    features = torch.rand(2, 5, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: pairwise_distances(x).square(), (features,))
    weights = torch.rand(2, 5, 5, dtype=torch.float64)
    (ours,) = torch.autograd.grad((pairwise_distances(features) * weights).sum(), features)
    direct = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
    (theirs,) = torch.autograd.grad((direct * weights).sum(), features)
    torch.testing.assert_close(ours, theirs)


def test_one_stream_alone_is_a_network_too() -> None:
    net = ActionNet({"crops": 6}).eval()
    features = {"crops": torch.rand(3, 4, 6)}
    output = net(features, all_real(features))
    assert output.scores.shape == (3,)
    assert ((output.scores > 0) & (output.scores < 1)).all()


def test_the_regressor_learns_faster() -> None:
    groups = make_optimizer(ActionNet(SMALL_DIMS), SECTION_5_2.optimization).param_groups
    assert [group["lr"] for group in groups] == [0.01, 0.05]
    assert [sum(p.numel() for p in group["params"]) for group in groups][1] == 1024 * 128 + 128 + 128 + 1
    assert all(group["momentum"] == 0.9 and group["weight_decay"] == 1e-4 for group in groups)


def test_unknown_variants_and_foreign_states_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown variant of action-net 'papers'. Did you mean 'paper'"):
        ActionNet(SMALL_DIMS, variant="papers")
    with pytest.raises(WeightsError, match=r"unexpected \['module.fc.0.weight'\]"):
        from_official({"module.fc.0.weight": torch.zeros(1)})


def test_windows_of_the_recipe_are_the_golden_shapes() -> None:
    windows = RHYTHMIC_GYMNASTICS_STEPS
    assert (windows["segments"], windows["crops"]) == SHAPES["action_net_rg"]
    assert tuple(SECTION_5_2.num_steps.values()) == SHAPES["action_net_mit"]
