"""The tables of TSA-Net on a few stored tubes: counted, trained, or waiting for features."""

import json
import pickle
import re
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.io import savemat

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.adapters.aqa7 import SCORE_RANGES, SPORTS
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from heads.models.tube_attention import TubeAttention
from heads.models.tube_attention.cost import counted
from heads.runs.trained_cell import read_cell
from heads.tables.planning.extraction_passes import extraction_passes
from heads.tables.planning.plan import plan_table
from heads.tables.registry import find_table
from heads.tables.settings import FeatureChoice, Settings
from heads.tables.table import Count, Method

BOX = np.array([[32.0, 48.0], [80.0, 48.0], [80.0, 80.0], [32.0, 80.0]])  # 3 x 2 grid positions of 16 pixels
POSITIONS_IN_BOX = 3 * 2


def write_tubes(store: Path, dataset: str, root: Path, *, num_clips: int = 1) -> StreamSpec:
    """Return maps of noise; every video's box covers six grid positions in each of its 4 steps a clip."""
    facts = {"backbone": "i3d-tsa-net", "weights": "random:0", "endpoint": "Mixed_4e", "views": "end-0"}
    spec, rng = StreamSpec("tubes", facts), np.random.default_rng(0)
    maps = rng.normal(size=(num_clips, 1, 528, 4, 14, 14)).clip(0).astype(np.float16)
    starts = np.arange(num_clips, dtype=np.float64)
    quads = np.broadcast_to(BOX, (num_clips, 1, 16, 4, 2)).astype(np.float32)
    for number, video in enumerate(load_dataset(dataset, root).videos):
        record = Record(
            dataset,
            video.video_id,
            spec,
            np.roll(maps, number, axis=2),
            np.stack([starts, starts + 0.64], axis=1),
            Source("no file"),
            extras={"quads": quads},
        )
        Store(store).write(record)
    return spec


@pytest.fixture
def sports(tmp_path: Path) -> Path:
    """AQA-7 with two clips of each sport to learn from, and two to be tested on."""
    root = tmp_path / "aqa7"
    (root / "Split_4").mkdir(parents=True)
    for side, numbers in (("train", (1, 2)), ("test", (3, 4))):
        rows = [
            [sport, number, low + (high - low) * number / 5]
            for sport, (low, high) in enumerate(SCORE_RANGES.values(), start=1)
            for number in numbers
        ]
        content = {f"consolidated_{side}_list": np.array(rows)}
        savemat(root / "Split_4" / f"split_4_{side}_list.mat", content)
    return root


@pytest.fixture
def jumps(tmp_path: Path) -> Path:
    """FR-FS with four jumps a side."""
    root = tmp_path / "fr-fs"
    (root / "FRFS").mkdir(parents=True)
    for side, numbers in (("Train", range(4)), ("Test", range(4, 8))):
        lines = ["key,label", *(f"{number}-1,{number % 2}" for number in numbers)]
        (root / "FRFS" / f"{side}.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def dives(tmp_path: Path) -> Path:
    """MTL-AQA with four dives a side."""
    root = tmp_path / "mtl-aqa"
    root.mkdir()
    keys = [(1, dive) for dive in range(1, 9)]
    labels = {
        key: {
            "start_frame": 200 * key[1],
            "end_frame": 200 * key[1] + 110,
            "final_score": 30.0 + 8 * key[1],
            "difficulty": 3.0,
        }
        for key in keys
    }
    contents = {"final_annotations_dict": labels, "train_split_0": keys[:4], "test_split_0": keys[4:]}
    for name, content in contents.items():
        (root / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=3))
    return root


def reproduce(name: str, *arguments: object, out: Path) -> click.testing.Result:
    words = ("reproduce", name, "--out", out, "--no-extract", "--device", "cpu", "--jobs", 1, *arguments)
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def document_of(out: Path) -> dict[tuple[str, str], dict]:
    (path,) = out.glob("*table.json")
    return {(cell["row"], cell["column"]): cell for cell in json.loads(path.read_text())["cells"]}


def test_stored_tubes_are_counted_without_training(sports: Path, tmp_path: Path) -> None:
    """By hand the paper's way, by torch's own counter in full."""
    write_tubes(tmp_path / "store", "aqa7", sports, num_clips=2)
    out = tmp_path / "out"
    rows = ("--rows", "decrease,decrease-full,decrease-cheapest")
    result = reproduce(
        "tsa-table3", "--root", f"aqa7={sports}", "--store", tmp_path / "store", *rows, out=out
    )
    assert result.exit_code == 0, result.output
    cells, tube, grid = document_of(out), 2 * 4 * POSITIONS_IN_BOX, 2 * 4 * 14 * 14
    masks = torch.zeros(1, 2, 4, 14, 14, dtype=torch.bool)
    masks[..., 3:5, 2:5] = True
    maps = torch.zeros(1, 2, 528, 4, 14, 14)
    written, ours = (
        counted(TubeAttention(computation=computation), maps, masks)["Global"] / 1e9
        for computation in ("as-written", "cheapest")
    )
    dense = counted(TubeAttention(computation="as-written", everywhere=True), maps, masks)["Global"] / 1e9
    for sport in (*SPORTS, "average"):
        mean = {row: cells[row, sport]["mean"] for row in ("nl-net", "tsa", "tsa-full", "tsa-cheapest")}
        assert mean["nl-net"] == pytest.approx(2 * 528 * 264 * grid / 1e9)
        assert mean["tsa"] == pytest.approx(2 * 528 * 264 * tube / 1e9)
        assert (mean["tsa-full"], mean["tsa-cheapest"]) == pytest.approx((written, ours))
        assert cells["nl-net-full", sport]["mean"] == pytest.approx(dense)
        assert cells["decrease", sport]["mean"] == pytest.approx(100 * (tube / grid - 1))
        assert cells["decrease-cheapest", sport]["mean"] == pytest.approx(100 * (ours / dense - 1))
    assert {cell["status"] for cell in cells.values()} == {"counted"}
    assert cells["tsa", "diving"]["num_videos"] == 4
    assert not (out / "runs").exists()
    assert "RANDOM WEIGHTS" in result.output
    assert "IMPLIED" not in result.output


def test_without_tubes_the_papers_sizes_are_counted_and_said_to_be(tmp_path: Path) -> None:
    rows = ("--rows", "tsa,decrease,decrease-cheapest")
    result = reproduce("tsa-table3", "--root", f"aqa7={tmp_path / 'no'}", *rows, out=tmp_path / "out")
    assert result.exit_code == 3
    assert result.output.count("NO REPRODUCTION ***") == 2
    assert "NO REPRODUCTION, costs that the paper's own numbers imply: Table 3" in result.output
    assert "Not run, or counted on implied tubes:" in result.output
    assert f"{tmp_path / 'no'} is not a folder" in result.output
    assert "-0.000" not in result.output
    cells = document_of(tmp_path / "out")
    for sport in (*SPORTS, "average"):
        assert cells["tsa", sport]["status"] == cells["decrease", sport]["status"] == "implied"
        assert cells["nl-net", sport]["status"] == "counted"
        assert cells["tsa", sport]["mean"] == pytest.approx(cells["tsa", sport]["paper"], abs=5e-4)
        assert cells["decrease", sport]["mean"] == pytest.approx(cells["decrease", sport]["paper"], abs=0.31)
    assert cells["decrease-cheapest", "average"]["mean"] < -90
    assert cells["tsa", "diving"]["difference"] is None
    markdown = (tmp_path / "out/table.md").read_text()
    assert markdown.startswith("# NO REPRODUCTION, costs that the paper's own numbers imply: Table 3")
    implied = [line for line in markdown.splitlines() if line.startswith("| ") and "≈" in line]
    assert implied
    assert not any("**" in line for line in implied), "a bold number is one of ours"


def test_missing_tubes_name_the_command_of_their_variant(jumps: Path, tmp_path: Path) -> None:
    (jumps / "FRFS/Images/0-1").mkdir(parents=True)
    (jumps / "FRFS/Images/0-1/1.jpg").touch()
    settings = Settings(tmp_path / "store", tmp_path / "out", roots={"fr-fs": jumps})
    plan = plan_table(find_table("tsa-table6"), settings)
    reasons = {cell.row: cell.reason for cell in plan.blocked}
    assert "8 of 8 videos lack tubes (i3d-tsa-net)" in reasons["tsa-paper"]
    assert "--backbone tubes=i3d-tsa-net --views reference`" in reasons["tsa-paper"]
    assert "--variant released --views reference`" in reasons["tsa-released-in-order"]
    passes = [" ".join(call.words(settings)) for call in extraction_passes(plan)]
    assert [re.search(r"i3d-tsa-net (.*) --videos 0-1,", words)[1] for words in passes] == [  # type: ignore[index]
        "--views reference",
        "--variant released --views reference",
    ]


def test_simulated_maps_are_those_of_the_paper_alone(jumps: Path, tmp_path: Path) -> None:
    settings = Settings(
        tmp_path / "store", tmp_path / "out", roots={"fr-fs": jumps}, features=FeatureChoice(simulated=True)
    )
    reasons = {cell.row: cell.reason for cell in plan_table(find_table("tsa-table6"), settings).blocked}
    assert "aqa simulate --like fr-fs" in reasons["tsa-paper"]
    assert "tubes are not simulated as `aqa extract --variant released" in reasons["tsa-released"]


def test_accuracy_of_fr_fs_beside_the_papers(jumps: Path, tmp_path: Path) -> None:
    write_tubes(tmp_path / "store", "fr-fs", jumps)
    out = tmp_path / "out"
    where = ("--root", f"fr-fs={jumps}", "--store", tmp_path / "store")
    rows = ("--rows", "plain-net-paper,tsa-released")
    result = reproduce("tsa-table6", *where, *rows, "--seeds", 0, "--epochs", 1, out=out)
    assert result.exit_code == 3, result.output
    cells = document_of(out)
    plain = cells["plain-net-paper", "fr-fs"]
    assert plain["mean"] in (0, 25, 50, 75, 100)
    assert plain["difference"] == pytest.approx(plain["mean"] - 94.23)
    assert f"94.23  {plain['mean']:.2f}" in result.output
    assert cells["tsa-released", "fr-fs"]["status"] == "not run"
    assert "--variant released" in result.output
    assert "NOT THE PAPER'S TRAINING: 1 epoch instead of 20" in result.output


def test_correlation_error_and_cost_of_mtl_aqa_side_by_side(dives: Path, tmp_path: Path) -> None:
    write_tubes(tmp_path / "store", "mtl-aqa", dives)
    out = tmp_path / "out"
    where = ("--root", f"mtl-aqa={dives}", "--store", tmp_path / "store", "--rows", "tsa-paper")
    result = reproduce("tsa-table5", *where, "--seeds", 0, "--epochs", 1, out=out)
    assert result.exit_code == 0, result.output
    cells = {column: cell for (_, column), cell in document_of(out).items()}
    assert [path.name for path in (out / "runs/tsa-paper").iterdir()] == ["mtl-aqa"]
    cell = read_cell(out / "runs/tsa-paper/mtl-aqa", split="official", seed=0)
    errors = [row.predicted - row.true for row in cell.predictions if row.part == "test"]
    assert cells["mse"]["mean"] == pytest.approx(np.mean(np.square(errors)))
    assert cells["paper-count"]["mean"] == pytest.approx(2 * 528 * 264 * 4 * POSITIONS_IN_BOX / 1e9)
    assert [cells[name]["status"] for name in cells] == ["run", "run", "counted", "counted", "counted"]
    words = " ".join(result.output.split())
    assert "Sp. Corr.↑ MSE↓ FLOPs↓, G every product, G ours, G" in words
    assert f"37.90 {cells['mse']['mean']:.2f}" in words


def test_counts_need_a_count() -> None:
    table = find_table("tsa-table5")
    assert isinstance(table.source_of(table.row("tsa-paper"), "paper-count"), Count)
    assert isinstance(table.source_of(table.row("tsa-paper"), "mse"), Method)
    assert table.source_of(table.row("tsa-released"), "paper-count") is None
