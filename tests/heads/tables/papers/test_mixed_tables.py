"""Tables of several metrics: one run read in several ways, tubes counted, rows held against rows."""

import csv
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.io import savemat
from scipy.stats import spearmanr

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.adapters.aqa7 import SCORE_RANGES, SPORTS
from aqa_pipeline.metrics import fisher_z_mean
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from heads.models.tube_attention import TubeAttention
from heads.models.tube_attention.cost import counted
from heads.runs.trained_cell import read_cell
from heads.tables.output.files import write_table
from heads.tables.output.markdown import markdown_of
from heads.tables.output.terminal import GRID_WIDTH, format_table_result
from heads.tables.planning.extract_commands import extraction_calls
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.registry import find_table
from heads.tables.results import TableResult
from heads.tables.running import run_tasks
from heads.tables.settings import FeatureChoice, Settings
from heads.tables.table import Average, Column, Count, Method, Row, Table, Versus
from heads.tables.tabulating import tabulate

SEGMENTS = {"segments": ("toy-3d",)}


def columns_of(name: str, split: str) -> tuple[Column, ...]:
    """Three numbers of the same runs."""
    return tuple(
        Column(f"{name}-{metric}", f"{name} {metric}", "folder", (split,), "score", metric, name)
        for metric in ("spearman", "mse", "accuracy")
    )


MIXED = Table(
    name="toy-table2",
    title="Table 2: toys of several metrics",
    source="Nobody, 2020",
    columns=(*columns_of("one", "random-0"), *columns_of("two", "random-1")),
    rows=(
        Row("mean", "", "mean", {"one-mse": 90.0, "one-accuracy": 99.0}, Method("svr-average", SEGMENTS)),
        Row("cited", "", "cited", {"one-spearman": 0.5, "two-mse": 8.25}),
    ),
    decimals=4,
)
AGAINST = replace(
    MIXED,
    columns=(MIXED.columns[0], MIXED.columns[3]),
    rows=(
        Row("gain", "", "gain", {"both": 0.25}, versus=Versus("mean", "most"), metric="improvement"),
        Row("mean", "", "mean", {}, Method("svr-average", SEGMENTS)),
        Row("most", "", "most", {}, Method("svr-maximum", SEGMENTS)),
    ),
    averages=(Average("both", "Both", ("one-spearman", "two-spearman")),),
)


def run(plan: TablePlan) -> TableResult:
    outcomes = run_tasks(plan.tasks, jobs=1)
    return tabulate(plan, {o.place: o.error for o in outcomes if o.error is not None})


def scores(plan: TablePlan, row: str, folder: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Predicted and true scores of the test videos, seed by seed, from the files."""
    (task,) = (task for task in plan.tasks if task.place == (row, folder))
    cells = [read_cell(task.out, split=task.splits[0], seed=seed) for seed in task.settings.training.seeds]
    rows = [[r for r in cell.predictions if r.part == "test"] for cell in cells]
    return [(np.array([r.predicted for r in of]), np.array([r.true for r in of])) for of in rows]


@pytest.fixture(scope="module")
def mixed(build_scene, tmp_path_factory) -> tuple[TablePlan, TableResult]:
    """Return the table, run once; leave its folder as it is."""
    scene = build_scene(tmp_path_factory.mktemp("mixed"))
    scene.settings.out.mkdir()
    plan = plan_table(MIXED, scene.settings)
    return plan, run(plan)


def test_columns_of_one_run_train_once(mixed) -> None:
    plan, result = mixed
    assert [task.place for task in plan.tasks] == [("mean", "one"), ("mean", "two")]
    assert sorted(path.name for path in (plan.settings.out / "runs/mean").iterdir()) == ["one", "two"]
    for folder in ("one", "two"):
        of_seeds = scores(plan, "mean", folder)
        cells = {metric: result.cells["mean", f"{folder}-{metric}"].measured for metric in METRICS}
        assert cells["spearman"].mean == pytest.approx(np.mean([spearmanr(*of).statistic for of in of_seeds]))
        assert cells["mse"].mean == pytest.approx(np.mean([np.mean((p - t) ** 2) for p, t in of_seeds]))
        assert cells["mse"].interval.low < cells["mse"].mean < cells["mse"].interval.high
        assert cells["accuracy"].mean == 100.0  # every score is above 1/2


METRICS = ("spearman", "mse", "accuracy")


def test_an_accuracy_of_all_is_not_certain(mixed) -> None:
    """Wilson's interval for 12 of 12: 12 / (12 + 1.96^2). A bootstrap would say [100, 100]."""
    _, result = mixed
    interval = result.cells["mean", "one-accuracy"].measured.interval
    assert (interval.low, interval.high) == pytest.approx((100 * 12 / (12 + 1.959964**2), 100), abs=1e-4)
    assert result.cells["mean", "one-accuracy"].covered


def test_every_metric_is_printed_with_its_own_decimals(mixed) -> None:
    _, result = mixed
    error, text = result.cells["mean", "one-mse"].measured, format_table_result(result)
    assert re.search(rf"90\.00 +{error.mean:.2f}", text)
    assert re.search(rf"{re.escape(f'{error.mean - 90:+.2f}')} +±{error.std:.2f}", text)
    assert f"[{error.interval.low:.1f}, {error.interval.high:.1f}]" in text
    assert "99.00 100.00" in text
    assert "[75.8, 100.0]" in text
    assert f"{result.cells['mean', 'one-spearman'].measured.mean:.4f}" in text
    for line in (
        "metric: Spearman's rank correlation",
        "metric: mean squared error in squared points, lower is better",
        "metric: accuracy in percent, the interval is Wilson's over videos alone",
    ):
        assert line in text
    markdown = markdown_of(result)
    assert f"90.00 / **{error.mean:.2f}** ± {error.std:.2f} [{error.interval.low:.2f}, " in markdown
    assert "99.00 / **100.00** ± 0.00 [75.75, 100.00] (+1.00, in)" in markdown
    assert "8.25 (cited)" in markdown


def test_files_say_which_metric_a_number_is(mixed, tmp_path: Path) -> None:
    result = replace(mixed[1], settings=replace(mixed[1].settings, out=tmp_path))
    _, csv_path, json_path = write_table(result)
    rows = list(csv.DictReader(csv_path.read_text().splitlines()))
    document = json.loads(json_path.read_text())
    assert [row["metric"] for row in rows[:3]] == list(METRICS)
    assert [cell["metric"] for cell in document["cells"][:3]] == list(METRICS)
    assert document["metrics"]["mse"].startswith("mean squared error")
    assert float(rows[1]["mean"]) == result.cells["mean", "one-mse"].measured.mean


def test_an_undefined_correlation_is_no_evidence(mixed) -> None:
    """A head that predicts the same of all has no correlation: nothing is compared, and files hold null."""
    _, result = mixed
    cell = result.cells["mean", "one-mse"]
    undefined = replace(cell, measured=replace(cell.measured, mean=float("nan")))
    assert (undefined.difference, undefined.covered) == (None, None)
    text = format_table_result(replace(result, cells={**result.cells, ("mean", "one-mse"): undefined}))
    assert "90.00 nan" in " ".join(text.split())
    assert "+nan" not in text


def test_a_failed_training_empties_every_column_that_reads_it(scene) -> None:
    plan = plan_table(MIXED, scene.settings)
    bad = plan.tasks[0].out
    bad.mkdir(parents=True)
    (bad / "stray.txt").touch()
    result = run(plan)
    for metric in METRICS:
        assert result.cells["mean", f"one-{metric}"].status == "not run"
        assert "not a run directory" in result.cells["mean", f"one-{metric}"].reason
        assert result.cells["mean", f"two-{metric}"].status == "run"


def test_one_row_against_another_is_paired_and_averaged_as_correlations(scene) -> None:
    scene.settings.out.mkdir()
    plan = plan_table(AGAINST, scene.settings)
    result = run(plan)
    mean, most = (
        {f: np.array([spearmanr(*of).statistic for of in scores(plan, row, f)]) for f in ("one", "two")}
        for row in ("mean", "most")
    )
    for folder in ("one", "two"):
        gain = result.cells["gain", f"{folder}-spearman"].measured
        assert gain.mean == pytest.approx((mean[folder] - most[folder]).mean())
        assert gain.interval.low <= gain.mean <= gain.interval.high
    by_seed = [
        fisher_z_mean([mean[f][seed] for f in mean]) - fisher_z_mean([most[f][seed] for f in most])
        for seed in (0, 1)
    ]
    both = result.cells["gain", "both"]
    assert both.measured.mean == pytest.approx(np.mean(by_seed))
    assert both.measured.std == pytest.approx(np.std(by_seed, ddof=1))
    assert both.printed == 0.25
    assert f"+0.2500 {both.measured.mean:+.4f}" in format_table_result(result)


def test_a_row_against_one_that_was_not_run_says_so(scene) -> None:
    table = replace(
        AGAINST, rows=(*AGAINST.rows[:2], Row("most", "", "", {}, Method("svr-maximum", {"crops": ("no",)})))
    )
    plan = plan_table(table, scene.settings)
    cell = run(plan).cells["gain", "one-spearman"]
    assert (cell.status, cell.reason) == ("not run", "a row that it compares was not run: most.")


def test_contradictions_are_refused() -> None:
    row = Row("r", "", "r", {}, versus=Versus("a", "r"), metric="improvement")
    with pytest.raises(ValueError, match=r"there are no rows \['a'\]"):
        replace(MIXED, rows=(row,), averages=())
    with pytest.raises(ValueError, match=r"there are no metrics \['speed'\]"):
        replace(MIXED, columns=(Column("a", "A", "folder", (), metric="speed"),), rows=())
    apart = (
        Column("a", "A", "folder", ("x",), trained_as="t"),
        Column("b", "B", "folder", ("y",), trained_as="t"),
    )
    with pytest.raises(ValueError, match="columns of the same runs differ"):
        replace(MIXED, columns=apart, rows=())


def test_a_wide_table_is_printed_in_parts(mixed) -> None:
    _, result = mixed
    grid = format_table_result(result).split("\n\n")
    parts = [part for part in grid if part.lstrip().startswith(("one", "two"))]
    assert len(parts) == 1
    wide = replace(
        result,
        table=replace(
            MIXED, columns=tuple(replace(column, title=column.title + 30 * "x") for column in MIXED.columns)
        ),
    )
    parts = [p for p in format_table_result(wide).split("\n\n") if p.lstrip().startswith(("one", "two"))]
    assert len(parts) == 3
    assert all(len(line) <= GRID_WIDTH for part in parts for line in part.splitlines())
    assert all(re.search(r"^mean ", part, re.MULTILINE) for part in parts)


# Counts, and the journeys of TSA-Net's tables through the command line.

BOX = np.array([[32.0, 48.0], [80.0, 48.0], [80.0, 80.0], [32.0, 80.0]])  # 3 x 2 cells of 16 pixels
CELLS_IN_BOX = 3 * 2


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
    cells, tube, grid = document_of(out), 2 * 4 * CELLS_IN_BOX, 2 * 4 * 14 * 14
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
    passes = [" ".join(call.arguments(settings)) for call in extraction_calls(plan)]
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
    assert "NOT THE PAPER'S TRAINING: 1 epochs instead of 20" in result.output


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
    assert cells["paper-count"]["mean"] == pytest.approx(2 * 528 * 264 * 4 * CELLS_IN_BOX / 1e9)
    assert [cells[name]["status"] for name in cells] == ["run", "run", "counted", "counted", "counted"]
    words = " ".join(result.output.split())
    assert "Sp. Corr.↑ MSE↓ FLOPs↓, G every product, G ours, G" in words
    assert f"37.90 {cells['mse']['mean']:.2f}" in words


def test_counts_need_a_count() -> None:
    table = find_table("tsa-table5")
    assert isinstance(table.source_of(table.row("tsa-paper"), "paper-count"), Count)
    assert isinstance(table.source_of(table.row("tsa-paper"), "mse"), Method)
    assert table.source_of(table.row("tsa-released"), "paper-count") is None
