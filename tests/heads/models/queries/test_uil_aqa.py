"""UIL-AQA: the authors' numbers, its residuals and divergence by their formulas, and what its queries say."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from heads.data.score_scale import ScoreScale
from heads.models.output import HeadOutput
from heads.models.queries.query_decoder import QueryLayer, similarity_divergence, sinusoids
from heads.models.queries.uil_aqa import QueryHead, from_official
from heads.recipes.field import uil_aqa_recipe
from heads.runs.config import read_config
from heads.runs.trained_cell import cell_folder, read_cell, read_state
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.import_checkpoints import import_checkpoints

SMALL = {"segments": 16}


def test_released_gives_the_authors_numbers(shared: Path, golden_inputs: ModuleType) -> None:
    expected = json.loads((shared / "golden" / "more_heads_golden.json").read_text())["uil"]
    shapes = expected["state_neck"] | expected["state_head"]
    state = {
        name: torch.from_numpy(golden_inputs.weight(name, tuple(shape))) for name, shape in shapes.items()
    }
    for name in ("layer3_mean.weight", "layer3_weight.weight"):
        state[name] *= 0.05
    head = QueryHead({"segments": 1024}, variant="released").eval()
    head.load_state_dict(from_official(state), strict=True)
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in head.named_children()}
    assert sizes["decoder"] + sizes["query_embed"] == expected["params_neck"]
    assert sizes["regressor"] == expected["params_head"]
    steps = torch.from_numpy(golden_inputs.features((4, 68, 1024), 51))
    with torch.no_grad():
        output: HeadOutput = head({"segments": steps}, {"segments": torch.ones(4, 68, dtype=torch.bool)})
    close = {"rtol": 1e-6, "atol": 1e-7}
    torch.testing.assert_close(output.scores, torch.tensor(expected["scores"]), **close)
    torch.testing.assert_close(output.queries.values[0, :6], torch.tensor(expected["mean_first"]), **close)
    torch.testing.assert_close(output.queries.weights[0, :6], torch.tensor(expected["weight_first"]), **close)
    # The code sums the divergence over the batch; the mean of the penalties is that sum. It is a small
    # difference of large sums: float64 gives 0.0319581, 2e-6 below the authors' number.
    assert output.penalty.mean().item() == pytest.approx(expected["kld"], abs=1e-6)
    errors = (output.scores - torch.tensor([0.2, 0.4, 0.6, 0.8])) ** 2
    assert errors.mean().item() == pytest.approx(expected["mse"], rel=1e-6)


def test_the_divergence_is_that_of_the_similarities_by_loops() -> None:
    among, read = torch.randn(2, 3, 5, dtype=torch.double), torch.randn(2, 3, 5, dtype=torch.double)
    expected = []
    for video in range(2):
        total = 0.0
        for row in range(3):
            p, q = (
                torch.softmax(
                    torch.stack([each[video, row] @ each[video, other] / 5 for other in range(3)]), 0
                )
                for each in (read, among)
            )
            total += sum(float(p[k] * (p[k].log() - q[k].log())) for k in range(3))
        expected.append(total)
    torch.testing.assert_close(similarity_divergence(among, read), torch.tensor(expected, dtype=torch.double))


@pytest.mark.parametrize("residual", ["paper", "official"])
def test_the_official_residual_loses_the_queries(residual: str) -> None:
    """Scaling queries is undone by the normalization before every part: only the residual sees it."""
    torch.manual_seed(0)
    layer = QueryLayer(16, feed_forward=16, dropout=0.0, attention_dropout=0.0, residual=residual).double()
    queries, steps = torch.randn(1, 4, 16).double(), torch.randn(1, 6, 16).double()
    positions = torch.randn(4, 16).double()
    one, other = (layer(scale * queries, positions, steps, None).queries for scale in (1, 3))
    assert torch.allclose(one, other, rtol=1e-3, atol=1e-3) == (residual == "official")


def test_positions_are_sines_and_cosines() -> None:
    code = sinusoids(4, 6)
    for position in range(4):
        for pair in range(3):
            angle = position / 10_000 ** (2 * pair / 6)
            assert code[position, 2 * pair].item() == pytest.approx(np.sin(angle), abs=1e-6)
            assert code[position, 2 * pair + 1].item() == pytest.approx(np.cos(angle), abs=1e-6)
    assert sinusoids(3, 5).shape == (3, 5)


def test_released_reads_padding_and_paper_does_not() -> None:
    steps, mask = torch.randn(1, 5, 16), torch.ones(1, 5, dtype=torch.bool)
    longer = torch.nn.functional.pad(steps, (0, 0, 0, 3)), torch.nn.functional.pad(mask, (0, 3))
    for variant, is_read in (("released", True), ("paper", False)):
        torch.manual_seed(0)
        head = QueryHead(SMALL, variant=variant).eval()
        scores = [head({"segments": s}, {"segments": m}).scores for s, m in ((steps, mask), longer)]
        assert torch.allclose(*scores, rtol=1e-5) != is_read


def test_the_score_is_the_weighted_sum_over_queries() -> None:
    head = QueryHead(SMALL, variant="adapted").eval()
    output = head({"segments": torch.randn(2, 5, 16)}, {"segments": torch.ones(2, 5, dtype=torch.bool)})
    values, weights, attention = output.queries
    torch.testing.assert_close(output.scores, (values * weights).sum(dim=1))
    read = torch.einsum("bq,bqt->bt", weights, attention)
    torch.testing.assert_close(output.attention["segments"], read)


@pytest.mark.parametrize(
    ("dataset", "num_queries"), [("rhythmic-gymnastics", 68), ("fis-v", 136), ("own", 9)]
)
def test_windows_have_as_many_steps_as_there_are_queries(dataset: str, num_queries: int) -> None:
    recipe = uil_aqa_recipe(dataset, "ball", "paper", {"segments": [10] * 100})
    assert recipe.num_steps == {"segments": num_queries}
    head = QueryHead(SMALL, **recipe.network)
    assert head.query_embed.weight.shape == (num_queries, 16)


def test_the_rate_falls_after_every_400_batches() -> None:
    recipe = uil_aqa_recipe("rhythmic-gymnastics", "ball", "paper", {"segments": [70] * 200})  # 5 batches
    rates = [recipe.optimization.decay(epoch) for epoch in (80, 81, 160, 161)]
    assert rates == pytest.approx([1, 0.1, 0.1, 0.01])


def segments(world, video_id: str) -> dict[str, object]:
    return {"segments": world.store.read("synthetic", video_id, world.specs["segments"])}


def test_a_run_tells_what_its_queries_say(world, tmp_path: Path) -> None:
    request = world.request(
        tmp_path / "run", head="uil-aqa", streams=("segments",), variant="paper", epochs=1, seeds=(0, 1)
    )
    fit(request)
    row = next(r for r in read_cell(tmp_path / "run", split="first", seed=0).predictions if r.part == "test")
    prediction = predict(load_ensemble(tmp_path / "run"), segments(world, row.video_id))
    num_queries = read_config(tmp_path / "run").splits["first"].recipe.num_steps["segments"]
    state = read_state(cell_folder(tmp_path / "run", split="first", seed=0))
    assert len(state["query_embed.weight"]) == num_queries
    assert [len(queries) for queries in prediction.queries] == [num_queries] * 2
    for score, queries in zip(prediction.scores, prediction.queries, strict=True):
        assert sum(query.score * query.weight for query in queries) == pytest.approx(score, rel=1e-5)
        assert sum(query.weight for query in queries) == pytest.approx(1, rel=1e-5)
        weights = [query.weight for query in queries]
        assert weights == sorted(weights, reverse=True)
    seconds = prediction.pts_seconds["segments"]
    assert all(seconds[0, 0] <= query.at_seconds <= seconds[-1, 1] for query in prediction.queries[0])


def test_an_official_checkpoint_is_imported_with_its_neck_and_head(world, tmp_path: Path) -> None:
    request = world.request(
        tmp_path / "run", head="uil-aqa", streams=("segments",), variant="released", epochs=None
    )
    torch.manual_seed(0)
    dims = {"segments": world.dims["segments"]}
    head = QueryHead(dims, variant="released", num_queries=_window_of(world))
    parts: dict[str, dict[str, Tensor]] = {"neck": {"pos_encoder.pe": torch.zeros(1, 9, 24)}, "head": {}}
    for name, tensor in head.state_dict().items():
        of_head = name.startswith("regressor.")
        parts["head" if of_head else "neck"][name.removeprefix("regressor.")] = tensor
    torch.save({"epoch": 3, "backbone": {"a": torch.ones(1)}, **parts}, tmp_path / "uil.pt")
    import_checkpoints(request, [tmp_path / "uil.pt"], scale=ScoreScale(0.0, 25.0))
    state = read_state(cell_folder(tmp_path / "run", split="first", seed=0))
    assert set(state) == set(head.state_dict())
    assert all(torch.equal(state[name], tensor) for name, tensor in head.state_dict().items())


def _window_of(world) -> int:
    split = world.dataset.split("first")
    lengths = [len(segments(world, video)["segments"].features) for video in split.train]
    return uil_aqa_recipe("synthetic", "first", "released", {"segments": lengths}).num_steps["segments"]
