"""DAE: the authors' numbers, its likelihoods by their formulas, and the deviation that it predicts."""

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.distributions import Normal

from heads.data.score_scale import ScoreScale
from heads.models.mean_vector.dae import DistributionEncoder, DistributionHead
from heads.models.output import HeadOutput
from heads.recipes.field import dae_recipe
from heads.runs.trained_cell import read_cell
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.import_checkpoints import import_checkpoints
from heads.training.methods.losses import losses_of


def recipe(variant: str):
    return dae_recipe("mtl-aqa", "all", variant, {"clips": [10]})


def test_means_and_log_variances_are_the_authors(shared: Path, golden_inputs: ModuleType, fill) -> None:
    expected = json.loads((shared / "golden" / "more_heads_golden.json").read_text())["dae"]
    head = DistributionHead({"clips": 1024}).eval()
    fill(head.regressor, expected["state"])
    assert sum(each.numel() for each in head.parameters()) == expected["params"]
    vectors = torch.from_numpy(golden_inputs.features((4, 1024), 71))
    with torch.no_grad():
        output = head({"clips": vectors[:, None]}, {"clips": torch.ones(4, 1, dtype=torch.bool)})
    torch.testing.assert_close(output.scores, torch.tensor(expected["mean"]), rtol=1e-6, atol=1e-6)
    log_variance = torch.tensor(expected["logvar"])
    torch.testing.assert_close(output.logits[:, 1], log_variance, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(output.deviations, (log_variance / 2).exp(), rtol=1e-6, atol=1e-6)


def output_of(mean: torch.Tensor, variance: torch.Tensor) -> HeadOutput:
    return HeadOutput(mean, {}, logits=torch.stack([mean, variance.log()], dim=-1))


def test_the_papers_loss_is_the_likelihood_of_a_normal_distribution() -> None:
    mean, variance, labels = torch.randn(5), torch.rand(5) + 0.1, torch.randn(5)
    losses = losses_of(output_of(mean, variance), labels, recipe=recipe("paper"))
    constant = torch.log(torch.tensor(2 * torch.pi)) / 2
    torch.testing.assert_close(losses, -Normal(mean, variance.sqrt()).log_prob(labels) - constant)


def test_the_released_loss_rewards_errors_and_the_papers_does_not() -> None:
    labels, variance = torch.zeros(4), torch.ones(4)
    near, far = output_of(torch.full((4,), 0.1), variance), output_of(torch.full((4,), 2.0), variance)
    released = losses_of(far, labels, recipe=recipe("released"))
    torch.testing.assert_close(released, torch.full((4,), 0.6 / 16.0))  # four errors of 2, squared
    assert (released < losses_of(near, labels, recipe=recipe("released"))).all()
    paper = recipe("paper")
    assert (losses_of(far, labels, recipe=paper) > losses_of(near, labels, recipe=paper)).all()


def test_training_draws_scores_and_testing_predicts_the_mean() -> None:
    head = DistributionHead({"clips": 6})
    features, masks = {"clips": torch.randn(3, 4, 6)}, {"clips": torch.ones(3, 4, dtype=torch.bool)}
    drawn = head.train()(features, masks)
    assert not torch.equal(drawn.scores, drawn.logits[:, 0])
    told = head.eval()(features, masks)
    assert torch.equal(told.scores, told.logits[:, 0])


def test_an_imported_run_predicts_scores_and_deviations_of_its_network(world, tmp_path: Path) -> None:
    """The authors save their backbone beside the network; it is left where it is."""
    torch.manual_seed(0)
    network = DistributionEncoder(world.dims["segments"])
    saved = {"epoch": 7, "i3d": {"conv.weight": torch.ones(1)}, "dae": network.state_dict()}
    torch.save(saved, tmp_path / "dae.pt")
    request = world.request(
        tmp_path / "run", head="dae", variant="released", epochs=None, streams=("segments",)
    )
    import_checkpoints(request, [tmp_path / "dae.pt"], scale=ScoreScale(0.0, 10.0))
    row = next(r for r in read_cell(tmp_path / "run", split="first", seed=0).predictions if r.part == "test")
    record = world.store.read("synthetic", row.video_id, world.specs["segments"])
    with torch.no_grad():
        mean, log_variance = network(torch.from_numpy(record.features).float().mean(dim=0)[None])
    prediction = predict(load_ensemble(tmp_path / "run"), {"segments": record})
    assert prediction.score == pytest.approx(row.predicted, rel=1e-5)
    assert prediction.score == pytest.approx(10 * mean.item(), rel=1e-4)
    assert prediction.predicted_std == pytest.approx(10 * (log_variance / 2).exp().item(), rel=1e-4)


def test_heads_without_a_variance_predict_no_deviation(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", head="wd-average", streams=("segments",), epochs=1))
    record = world.store.read("synthetic", "routine-39", world.specs["segments"])
    assert predict(load_ensemble(tmp_path / "run"), {"segments": record}).predicted_std is None
