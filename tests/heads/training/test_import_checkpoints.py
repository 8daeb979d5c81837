"""`aqa run import`: a checkpoint in the authors' form becomes a run, whose scores are the network's own."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import RunError, WeightsError
from aqa_pipeline.simulation import Simulation, simulate
from aqa_pipeline.store import Store
from aqa_pipeline.weights import sha256_of
from heads.data.score_scale import ScoreScale
from heads.evaluation.evaluate import evaluate
from heads.models.action_net import ActionNet, official_key_map
from heads.models.likert.cofinal import CoFInAl
from heads.models.likert.gdlt import Gdlt
from heads.runs.config import read_config
from heads.runs.trained_cell import read_cell
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.import_checkpoints import import_checkpoints
from heads.training.options import FitOptions


def save_checkpoint(path: Path, net: ActionNet) -> Path:
    """Save a network as the authors do: their names, constant adjacency matrices, a parallel run's prefix."""
    state = net.state_dict()
    official = {theirs: state[ours] for theirs, ours in official_key_map().items()}
    official |= {"adj1": torch.zeros(26, 26), "adj2": torch.zeros(80, 80)}
    torch.save({f"module.{name}": tensor for name, tensor in official.items()}, path)
    return path


@pytest.fixture
def net(world) -> ActionNet:
    torch.manual_seed(5)
    return ActionNet(world.dims, variant="released").eval()


def test_an_imported_run_scores_as_its_network(world, net: ActionNet, tmp_path: Path) -> None:
    file = save_checkpoint(tmp_path / "ball.pth", net)
    request = world.request(tmp_path / "run", variant="released", epochs=None)
    summary = import_checkpoints(request, [file], scale=ScoreScale(0.0, 25.0))
    assert (summary.num_trained, summary.num_resumed) == (1, 0)
    assert summary.evaluation.flags == ("IMPORTED",)
    assert "score scale 0 to 25" in summary.notes[0]

    cell = read_cell(tmp_path / "run", split="first", seed=0)
    test = set(world.dataset.split("first").test)
    assert {row.video_id for row in cell.predictions if row.part == "test"} == test
    assert math.isnan(cell.epochs[0].loss)
    ensemble = load_ensemble(tmp_path / "run")
    row = next(row for row in cell.predictions if row.part == "test")
    records = {s: world.store.read("synthetic", row.video_id, spec) for s, spec in world.specs.items()}
    assert predict(ensemble, records).score == pytest.approx(row.predicted, rel=1e-5)
    # The released code scores the middle window of each stream, padded with zeros to the window's length.
    recipe = read_config(tmp_path / "run").splits["first"].recipe
    lengths = {stream: len(record.features) for stream, record in records.items()}
    assert recipe.windows == "released"
    whole = {s: torch.from_numpy(np.asarray(r.features))[None].float() for s, r in records.items()}
    start = {s: max(0, (lengths[s] - recipe.num_steps[s]) // 2) for s in lengths}
    seen = {s: rows[:, start[s] : start[s] + recipe.num_steps[s]] for s, rows in whole.items()}
    padded = {
        s: torch.nn.functional.pad(rows, (0, 0, 0, recipe.num_steps[s] - rows.shape[1]))
        for s, rows in seen.items()
    }
    masks = {s: torch.arange(padded[s].shape[1])[None] < seen[s].shape[1] for s in padded}
    with torch.no_grad():
        score = net(padded, masks).scores.item()
    assert row.predicted == pytest.approx(25 * score, rel=1e-4)

    config = read_config(tmp_path / "run")
    assert config.head.imported == (sha256_of(file),)
    with pytest.raises(RunError, match="was imported from checkpoints, not trained"):
        FitOptions.from_config(config)
    with pytest.raises(RunError, match=r"(?s)holds a run with another configuration.*head.imported"):
        fit(request)


def test_checkpoints_are_the_seeds_of_a_run(world, net: ActionNet, tmp_path: Path) -> None:
    first = save_checkpoint(tmp_path / "a.pth", net)
    torch.manual_seed(6)
    second = save_checkpoint(tmp_path / "b.pth", ActionNet(world.dims, variant="released"))
    request = world.request(tmp_path / "run", variant="released", epochs=None, seeds=(0, 1))
    import_checkpoints(request, [first, second])
    assert [cell.seed for cell in evaluate(tmp_path / "run").cells] == [0, 1]
    a, b = (read_cell(tmp_path / "run", split="first", seed=seed).predictions for seed in (0, 1))
    assert [row.predicted for row in a] != [row.predicted for row in b]


def test_what_a_checkpoint_cannot_be_is_explained(world, net: ActionNet, tmp_path: Path) -> None:
    file = save_checkpoint(tmp_path / "ball.pth", net)
    released = {"variant": "released", "epochs": None}
    with pytest.raises(RunError, match=r"first, second were chosen: name the split .* with --split"):
        import_checkpoints(world.request(tmp_path / "run", splits=("first", "second"), **released), [file])
    with pytest.raises(RunError, match="no checkpoint of lstm can be imported: expected action-net"):
        import_checkpoints(world.request(tmp_path / "run", head="lstm"), [file])
    other = save_checkpoint(tmp_path / "o.pth", ActionNet({"segments": 8, "crops": 40}, variant="released"))
    with pytest.raises(RunError, match=r"does not fit features of 24 of segments and 40 of crops dimensions"):
        import_checkpoints(world.request(tmp_path / "other", **released), [other])
    torch.save({"fc.0.weight": torch.zeros(1)}, tmp_path / "half.pth")
    with pytest.raises(WeightsError, match="not the state dict of a released ACTION-NET"):
        import_checkpoints(world.request(tmp_path / "run", **released), [tmp_path / "half.pth"])


@pytest.mark.parametrize(("head", "network"), [("gdlt", Gdlt), ("cofinal", CoFInAl)])
def test_heads_that_score_by_grades_keep_the_authors_names(world, head: str, network, tmp_path: Path) -> None:
    """What a parallel run saves; the simplex of CoFInAl comes from the file."""
    torch.manual_seed(7)
    net = network({"segments": world.dims["segments"]}, variant="released")
    if head == "cofinal":
        net.etf_vec1.copy_(net.etf_vec1.roll(1, dims=1))
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    chosen = {"head": head, "variant": "released", "streams": ("segments",), "epochs": None}
    request = world.request(tmp_path / "run", **chosen)
    import_checkpoints(request, [tmp_path / "a.pth"])
    (cell,) = load_ensemble(tmp_path / "run").cells
    assert all(torch.equal(net.state_dict()[name], each) for name, each in cell.module.state_dict().items())
    row = read_cell(tmp_path / "run", split="first", seed=0).predictions[0]
    records = {"segments": world.store.read("synthetic", row.video_id, world.specs["segments"])}
    rows = torch.from_numpy(np.asarray(records["segments"].features))[None].float()
    with torch.no_grad():
        score = net.eval()({"segments": rows}, {"segments": torch.ones(rows.shape[:2], dtype=torch.bool)})
    assert row.predicted == pytest.approx(float(cell.scale.restore(score.scores.item())), rel=1e-4)
    assert predict(load_ensemble(tmp_path / "run"), records).score == pytest.approx(row.predicted, rel=1e-4)

    del state["module.regressor.bias"]
    torch.save(state | {"module.more": torch.zeros(1)}, tmp_path / "b.pth")
    with pytest.raises(WeightsError, match=r"missing \['regressor.bias'\], unexpected \['more'\]"):
        import_checkpoints(request, [tmp_path / "b.pth"])


def test_the_command_asks_for_what_the_file_does_not_hold(world, net: ActionNet, tmp_path: Path) -> None:
    file = save_checkpoint(tmp_path / "ball.pth", net)

    def imported(*words: object) -> str:
        result = CliRunner().invoke(cli.main, ["run", "import", str(file), *map(str, words)])
        assert result.exit_code in (1, 2)
        return result.output

    assert "--scale wants LOW below HIGH; got 9 3" in imported("--scale", 9, 3)
    assert "--dataset" in imported("--store", tmp_path / "empty")


def test_the_command_makes_a_run_that_is_evaluated_and_reported(tmp_path: Path) -> None:
    """Features of the paper's dimensions, drawn at random; the flags say that they are."""
    root = tmp_path / "labels"
    root.mkdir()
    rows = [f"Ball_{at:03d}\t5\t5\t{10 + at / 2}\t0.00\t40" for at in range(12)]
    header = "Video_Name\tDifficulty_Score    Execution_Score Total_Score\tPenalty\tVideo_length"
    (root / "train.txt").write_text("\n".join([header, *rows[:8]]) + "\n")
    (root / "test.txt").write_text("\n".join([header, *rows[8:]]) + "\n")
    dataset, store = load_dataset("rhythmic-gymnastics", root), Store(tmp_path / "store")
    simulate(dataset, store, Simulation(), streams=["segments", "crops"])
    file = save_checkpoint(
        tmp_path / "b.pth", ActionNet({"segments": 1024, "crops": 2048}, variant="released")
    )
    place = ("--store", store.root, "--dataset", dataset.name, "--root", root, "--device", "cpu")
    words = ("run", "import", file, *place, "--split", "ball", "--scale", 0, 25, "--out", tmp_path / "run")
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "action-net (released) on segments and crops of rhythmic-gymnastics" in result.stdout
    assert "SIMULATED" in result.stdout
    assert "IMPORTED" in result.stdout
    assert "1 imported, 0 already there" in result.stdout
    assert "IMPORTED: the weights come from checkpoints" in result.stderr
    again = CliRunner().invoke(cli.main, ["evaluate", str(tmp_path / "run")])
    assert again.exit_code == 0, again.output
    name = "Ball_010"
    for stream in ("segments", "crops"):
        (spec,) = store.specs(dataset.name, stream)
        (tmp_path / "f" / stream).mkdir(parents=True)
        np.save(tmp_path / "f" / stream / f"{name}.npy", store.read(dataset.name, name, spec).features)
    words = ("score", "--features", tmp_path / "f", "--run", tmp_path / "run")
    scored = CliRunner().invoke(cli.main, [str(word) for word in words])
    assert scored.exit_code == 0, scored.output
    assert "IMPORTED: the weights come from released checkpoints" in scored.output
