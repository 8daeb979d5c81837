"""Tables of several metrics: one run read in several ways, tubes counted, rows held against rows."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.metrics import fisher_z_mean
from heads.runs.trained_cell import read_cell
from heads.tables.output.files import write_table
from heads.tables.output.markdown import markdown_of
from heads.tables.output.terminal import GRID_WIDTH, format_table_result
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.results import TableResult
from heads.tables.running import run_tasks
from heads.tables.table import Average, Column, Method, Row, Table, Versus
from heads.tables.tabulating import tabulate

pytestmark = pytest.mark.xdist_group("mixed-table")  # one worker runs the table for all of them

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
