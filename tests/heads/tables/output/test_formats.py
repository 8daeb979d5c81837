"""The finished table as terminal text, Markdown, CSV and JSON: the same numbers, and every flag in each."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from aqa_pipeline.metrics import Interval
from heads.tables.output.files import write_table
from heads.tables.output.latex import escaped, latex_of
from heads.tables.output.markdown import markdown_of
from heads.tables.output.terminal import format_table_result
from heads.tables.results import TableResult
from heads.tables.settings import TrainingChoice


@pytest.fixture
def result(finished, tmp_path) -> TableResult:
    """Return the finished table, its files to be written elsewhere."""
    _, found = finished
    return replace(found, settings=replace(found.settings, out=tmp_path))


def test_the_terminal_shows_every_number(result: TableResult) -> None:
    text = format_table_result(result)
    measured = result.cells["net", "two"].measured
    assert measured is not None
    assert f"0.300  {measured.mean:.3f}" in text
    assert f"{measured.mean - 0.3:+.3f} ±{measured.std:.3f}" in text
    assert f"[{measured.interval.low:.2f}, {measured.interval.high:.2f}]" in text
    assert "2 x 12" in text
    assert "Cited" in text
    assert "far: every row" in text
    assert max(map(len, text.splitlines())) <= 130


def test_the_terminal_marks_whether_the_papers_value_lies_inside(result: TableResult) -> None:
    text = format_table_result(result)
    covered = [cell.covered for cell in result.cells.values() if cell.covered is not None]
    assert text.count("✓") == covered.count(True) + 1  # once in the legend
    assert text.count("✗") == covered.count(False) + 1


def test_markdown_has_every_cell_in_full(result: TableResult) -> None:
    text = markdown_of(result)
    measured = result.cells["svr", "first"].measured
    assert measured is not None
    interval = f"[{measured.interval.low:.3f}, {measured.interval.high:.3f}]"
    assert (
        f"0.900 / **{measured.mean:.3f}** ± {measured.std:.3f} {interval} ({measured.mean - 0.9:+.3f}, "
        in text
    )
    assert "| 0.500 (cited) | - | - | - |" in text
    assert "0.300 / not run" in text
    assert "First (n = 12)" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {len(result.column_names) + 2}


@pytest.mark.parametrize("form", [format_table_result, markdown_of, latex_of])
def test_too_few_videos_have_no_interval(result: TableResult, form: Callable[[TableResult], str]) -> None:
    cell = result.cells["net", "two"]
    assert cell.measured is not None
    few = replace(cell, measured=replace(cell.measured, interval=Interval.of_too_few()))
    assert few.covered is None
    text = form(replace(result, cells={**result.cells, ("net", "two"): few}))
    assert text.count("[too few videos]") == 1
    assert "nan" not in text


def test_csv_and_json_agree(result: TableResult) -> None:
    _, csv_path, json_path = write_table(result)
    rows = list(csv.DictReader(io.StringIO(csv_path.read_text())))
    document = json.loads(json_path.read_text())
    assert len(rows) == len(document["cells"]) == len(result.cells)
    for row, cell in zip(rows, document["cells"], strict=True):
        assert (row["row"], row["column"], row["status"]) == (cell["row"], cell["column"], cell["status"])
        for name in ("paper", "mean", "std", "difference"):
            assert row[name] == ("" if cell[name] is None else repr(cell[name]))
        if cell["interval"]:
            assert [float(row["low"]), float(row["high"])] == cell["interval"]
    (measured,) = (c for c in document["cells"] if (c["row"], c["column"]) == ("net", "two"))
    assert measured["num_test"] == [12, 12]
    assert measured["epochs"] == [2]
    assert measured["difference"] == pytest.approx(measured["mean"] - 0.3)
    assert measured["paper_in_interval"] is (measured["interval"][0] <= 0.3 <= measured["interval"][1])
    assert document["settings"]["seeds"] == [0, 1]
    assert document["not_run"][0]["cells"] == "far: every row"


def test_shortened_training_is_said_everywhere(result: TableResult) -> None:
    flag = "NOT THE PAPER'S TRAINING: 2 epochs instead of 200"
    assert result.flags == (flag,)
    assert flag in format_table_result(result)
    for path in write_table(result):
        assert flag in path.read_text()
        assert path.name.startswith("table.")


def test_simulated_and_random_are_said_in_file_names_too(result: TableResult) -> None:
    shouting = replace(result, flags=("SIMULATED", "RANDOM WEIGHTS"))
    paths = write_table(shouting)
    assert [path.name for path in paths] == [
        f"SIMULATED-RANDOM-WEIGHTS-table.{ending}" for ending in ("md", "csv", "json")
    ]
    for text in (format_table_result(shouting), *(path.read_text() for path in paths)):
        assert "SIMULATED" in text
        assert "RANDOM WEIGHTS" in text


def test_latex_has_every_cell_and_no_open_sign(result: TableResult) -> None:
    flagged = replace(result, flags=("RANDOM WEIGHTS",), table=replace(result.table, title="50 % & more_x"))
    text = latex_of(flagged)
    lines = text.splitlines()
    assert lines[0] == r"\begin{table}"
    assert lines[-1] == r"\end{table}"
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert r"\caption{\textbf{RANDOM WEIGHTS.} 50 \% \& more\_x (Nobody, 2020)." in text
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 1 + len(result.table.rows)
    assert {len(row.replace(r"\&", "").split("&")) for row in rows} == {1 + len(result.column_names)}
    measured = result.cells["svr", "first"].measured
    assert measured is not None
    assert f"$0.900$ / \\textbf{{${measured.mean:.3f}$}} $\\pm$ ${measured.std:.3f}$" in text
    assert "$0.500$ (cited)" in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b & 5 %", r"a\_b \& 5 \%"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("$x^2$ #1 ~ <", r"\$x\textasciicircum{}2\$ \#1 \textasciitilde{} \textless{}"),
        ("Corr.↑ ± ≈", r"Corr.$\uparrow$ $\pm$ $\approx$"),
    ],
)
def test_no_sign_of_a_text_is_a_command_of_latex(text: str, latex: str) -> None:
    assert escaped(text) == latex


def test_a_quick_look_says_so_in_every_form_and_in_the_names(result: TableResult) -> None:
    quick = replace(
        result,
        settings=replace(result.settings, quick=True, training=TrainingChoice(epochs=5, seeds=(0,))),
        flags=("QUICK LOOK, NO REPRODUCTION", *result.flags),
    )
    assert format_table_result(quick).startswith("QUICK LOOK, NO REPRODUCTION of Table 1: toys")
    assert "the first split of each column alone" in format_table_result(quick)
    paths = write_table(quick, latex=True)
    assert [path.name for path in paths] == [
        f"QUICK-table.{ending}" for ending in ("md", "csv", "json", "tex")
    ]
    for path in paths:
        assert "QUICK LOOK, NO REPRODUCTION" in path.read_text(), path.name
    assert [path.name for path in write_table(result)] == ["table.md", "table.csv", "table.json"]
