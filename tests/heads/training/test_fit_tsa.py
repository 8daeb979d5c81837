"""A run of TSA-Net from the store's maps to a score."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Store
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.models.second_stage_start import find_start
from heads.models.tsa_net import build_plain_net
from heads.recipes.adapted import CANDIDATES
from heads.runs.inner_choice import read_choice, read_out_of_fold
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.options import FitOptions, FitRequest, TrainingOptions
from heads.training.resuming.snapshot_file import SnapshotFile


def test_a_run_is_fitted_evaluated_resumed_and_asked(
    tmp_path: Path, tube_world: Callable[..., tuple[Dataset, Store]], tube_spec: StreamSpec, monkeypatch
) -> None:
    """FR-FS in small, a random second stage: accuracy beside the correlation, scores of clips, same again."""
    dataset, store = tube_world(tmp_path, name="fr-fs", channels=528)
    training = TrainingOptions(seeds=(0,), epochs=1, device="cpu")
    options = FitOptions(head="tsa", variant="frozen", training=training)
    request = FitRequest(options, dataset, store, tmp_path / "run")
    snapshots: list[Path] = []
    monkeypatch.setattr(SnapshotFile, "write", lambda self, _: snapshots.append(self.path))
    summary = fit(request)
    assert (summary.num_trained, summary.num_resumed) == (1, 0)
    assert snapshots == [tmp_path / "run" / "split-official" / ".seed-0.snapshot"], "epochs on maps are kept"
    assert any("RANDOM WEIGHTS" in note for note in summary.notes)
    assert any("4 steps of tubes have no grid position in the tube" in note for note in summary.notes)
    again = fit(request)
    assert (again.num_trained, again.num_resumed) == (0, 1)

    (cell,) = evaluate(tmp_path / "run").cells
    assert cell.scores.accuracy in (0.0, 0.5, 1.0)
    assert cell.scores.accuracy_interval is not None
    assert "accuracy" in format_evaluation(summary.evaluation)
    assert summary.evaluation.rows()[0]["accuracy"] == cell.scores.accuracy

    ensemble = load_ensemble(tmp_path / "run")
    start = build_plain_net({"tubes": 528})
    find_start({"tubes": tube_spec})(start)
    kept = ensemble.cells[0].module.second_stage.state_dict()
    for name, tensor in start.second_stage.state_dict().items():
        assert torch.equal(kept[name], tensor), f"frozen {name} has moved"

    answer = predict(ensemble, {"tubes": store.read("fr-fs", "3-1", tube_spec)})
    rows = (tmp_path / "run/split-official/seed-0/predictions.csv").read_text().splitlines()
    (written,) = [float(row.split(",")[3]) for row in rows if row.startswith("3-1,")]
    assert answer.score == pytest.approx(written, abs=1e-5)
    assert answer.attention["tubes"].tolist() == [0.5, 0.5]
    assert answer.step_scores["tubes"].shape == (2,)
    assert not answer.seen_in_training


def test_own_maps_are_fitted_adapted(
    tmp_path: Path, tube_world: Callable[..., tuple[Dataset, Store]], tube_spec: StreamSpec
) -> None:
    """Both candidates are tried on inner folds, the second stage stays, and nothing stands beside it."""
    dataset, store = tube_world(tmp_path, num_videos=6, channels=528)
    training = TrainingOptions(seeds=(0,), epochs=1, device="cpu")
    run = tmp_path / "run"
    fit(FitRequest(FitOptions(head="tsa", training=training), dataset, store, run))
    choice, out_of_fold = read_choice(run / "split-official"), read_out_of_fold(run / "split-official")
    assert choice is not None
    assert [each.regularization for each in choice.tried] == list(CANDIDATES[:2])
    assert (choice.num_folds, choice.epochs, choice.ridge_share) == (3, 1, None)
    assert out_of_fold is not None
    assert sorted(row.video_id for row in out_of_fold) == ["0-1", "1-1", "2-1"]

    ensemble = load_ensemble(run)
    assert ensemble.config.head.variant == "adapted"
    start = build_plain_net({"tubes": 528})
    find_start({"tubes": tube_spec})(start)
    kept = ensemble.cells[0].module.second_stage.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in start.second_stage.state_dict().items())
    answer = predict(ensemble, {"tubes": store.read("jumps", "5-1", tube_spec)})
    rows = (run / "split-official/seed-0/predictions.csv").read_text().splitlines()
    (written,) = [float(row.split(",")[3]) for row in rows if row.startswith("5-1,")]
    assert answer.score == pytest.approx(written, abs=1e-5)
