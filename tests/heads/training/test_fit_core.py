"""CoRe from stored features to scores: its exemplars travel with the run."""

import dataclasses
from pathlib import Path

import pytest
import torch

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Record, Target
from heads.data.score_scale import ScoreScale
from heads.models.mean_vector.core import ContrastiveHead
from heads.models.mean_vector.regression_tree import RegressionTree
from heads.reports.card import card_of
from heads.runs.trained_cell import read_cell
from heads.scoring.ensemble import Ensemble, load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.import_checkpoints import import_checkpoints
from heads.training.options import FitRequest

CORE = {"head": "core", "streams": ("segments",)}


def contrastive(ensemble: Ensemble) -> ContrastiveHead:
    (found,) = [each for each in ensemble.cells[0].module.modules() if isinstance(each, ContrastiveHead)]
    return found


def segments(world, video_id: str) -> dict[str, Record]:
    return {"segments": world.store.read("synthetic", video_id, world.specs["segments"])}


@pytest.mark.parametrize("variant", ["released", "adapted"])
def test_a_run_scores_its_test_videos_again_and_new_ones(world, tmp_path: Path, variant: str) -> None:
    fit(world.request(tmp_path / "run", **CORE, variant=variant, epochs=2))
    assert "The weights hold the mean feature vector" in card_of(tmp_path / "run")
    cell = read_cell(tmp_path / "run", split="first", seed=0)
    ensemble = load_ensemble(tmp_path / "run")
    train = [row for row in cell.predictions if row.part == "train"]
    assert len(contrastive(ensemble).exemplars.scores) == len(train)
    raw = cell.scale.restore(contrastive(ensemble).exemplars.scores.numpy())
    assert sorted(raw) == pytest.approx(sorted(row.true for row in train), rel=1e-5)
    row = next(row for row in cell.predictions if row.part == "test")
    prediction = predict(ensemble, segments(world, row.video_id))
    assert prediction.score == pytest.approx(row.predicted, rel=1e-5)
    record = segments(world, row.video_id)["segments"]
    new = dataclasses.replace(record, video_id="a video of somebody else")
    other = predict(ensemble, {"segments": new})
    assert len(other.effects["segments"]) == len(record.features)
    if variant == "released":
        assert other.score != prediction.score, "its voters are others"


def test_a_fit_is_repeated_to_the_bit(world, tmp_path: Path) -> None:
    for name in ("one", "two"):
        fit(world.request(tmp_path / name, **CORE, variant="paper", epochs=2))
    one, two = (read_cell(tmp_path / name, split="first", seed=0) for name in ("one", "two"))
    assert one.predictions == two.predictions
    assert [epoch.loss for epoch in one.epochs] == [epoch.loss for epoch in two.epochs]


def with_difficulties(world, out: Path) -> FitRequest:
    """Return the request of a fit on execution times difficulty, 1 or 2 in turn."""
    request = world.request(out, **CORE, variant="paper", epochs=2, difficulty=True)
    videos = []
    for number, video in enumerate(world.dataset.videos):
        difficulty, score = 1.0 + number % 2, video.labels["score"]
        labels = {"score": score, "execution": score / difficulty, "difficulty": difficulty}
        videos.append(dataclasses.replace(video, labels=labels))
    targets = (Target("score"), Target("execution"), Target("difficulty"))
    dataset = dataclasses.replace(request.dataset, videos=tuple(videos), targets=targets)
    return dataclasses.replace(request, dataset=dataset)


def test_exemplars_have_the_videos_difficulty(world, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = with_difficulties(world, tmp_path / "run")
    fit(request)
    ensemble = load_ensemble(tmp_path / "run")
    of = {video.video_id: video.labels["difficulty"] for video in request.dataset.videos}
    row = next(r for r in read_cell(tmp_path / "run", split="first", seed=0).predictions if r.part == "test")
    difficulty = of[row.video_id]
    exemplars, asked = contrastive(ensemble).exemplars, []
    assert sorted(set(exemplars.difficulties.tolist())) == [1, 2]
    rows = type(exemplars).rows

    def seen(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(self.difficulties[indices])
        return rows(self, indices)

    monkeypatch.setattr(type(exemplars), "rows", seen)
    prediction = predict(ensemble.with_difficulty(difficulty), segments(world, row.video_id))
    assert prediction.score == pytest.approx(row.predicted, rel=1e-5)
    assert {float(each) for rows in asked for each in rows.flatten()} == {difficulty}


def test_a_released_checkpoint_gets_exemplars_and_groups_from_the_training_set(world, tmp_path: Path) -> None:
    """The authors keep weights alone; a missing weight is refused, as for every checkpoint."""
    tree = RegressionTree(2 * world.dims["segments"] + 1)
    saved = {"base_model": {"a": torch.ones(1)}, "regressor": tree.state_dict(), "epoch": 3}
    torch.save(saved, tmp_path / "core.pth")
    options = CORE | {"variant": "released", "epochs": None}
    import_checkpoints(
        world.request(tmp_path / "run", **options), [tmp_path / "core.pth"], scale=ScoreScale(0.0, 100.0)
    )
    ensemble = load_ensemble(tmp_path / "run")
    head = contrastive(ensemble)
    assert torch.equal(head.regressor.first_layer[0].weight, tree.first_layer[0].weight)
    assert len(head.exemplars.scores) == len(world.dataset.split("first").train)
    assert head.leaves[0, 0] == -1
    assert head.leaves[-1, 1] == 1
    assert not torch.equal(head.leaves, ContrastiveHead({"segments": 24}).leaves)
    saved["regressor"].pop("reg_layer.bias")
    torch.save(saved, tmp_path / "half.pth")
    with pytest.raises(RunError, match=r"Missing key.*regressor.reg_layer.bias"):
        import_checkpoints(world.request(tmp_path / "half", **options), [tmp_path / "half.pth"])
