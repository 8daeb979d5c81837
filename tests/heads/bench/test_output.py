"""What a reader sees: plain words beside ridge, LaTeX, Markdown, CSV and the page."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from heads.bench.merging import merge
from heads.bench.output.files import write_files
from heads.bench.output.intervals import intervals_plot
from heads.bench.output.latex import latex_of
from heads.bench.output.markdown import markdown_of
from heads.bench.output.words import facts_of, in_order, not_beating_ridge, verdict
from heads.bench.records import BenchResults, CellRecord, DifferenceRecord, IntervalRecord, read_results

HOSTILE = "<script>1</script>|&_%$"


@pytest.fixture(scope="module")
def results(finished_bench) -> BenchResults:
    return read_results(finished_bench[0] / "results.json")


def interval(low: float | None, high: float | None, why_none: str = "") -> IntervalRecord:
    return IntervalRecord(low=low, high=high, why_none=why_none)


def head(results: BenchResults, low: float | None, high: float | None, why_none: str = "") -> CellRecord:
    against = DifferenceRecord(difference=0.1, interval=interval(low, high, why_none), p=0.5)
    return results.blocks[0].cell("wd-paper").model_copy(update={"against_ridge": against})


def test_the_words_say_whether_a_head_beats_ridge(results) -> None:
    assert verdict(head(results, 0.1, 0.2)) == "better than ridge"
    assert verdict(head(results, -0.1, 0.2)) == "does not beat ridge"
    assert verdict(head(results, -0.2, -0.1)) == "worse than ridge"
    assert verdict(head(results, None, None, "too few videos")) == "not compared: too few videos"
    alone = results.blocks[0].cell("wd-paper").model_copy(update={"against_ridge": None})
    assert verdict(alone) == "not compared: ridge failed"
    assert verdict(results.blocks[0].cell("mean")) == "a constant, which ranks nothing"


def test_the_words_say_what_a_control_found(results) -> None:
    control = results.blocks[0].cell("svr-average-shuffled")
    words = {
        (-0.1, 0.1): "control finds nothing, as it should",
        (0.1, 0.2): "control finds something: take more seeds, or look for a leak",
        (-0.2, -0.1): "control is below 0: take more seeds",
    }
    once = {"interval": interval(0.1, 0.2), "per_seed": control.per_seed[:1]}
    one_shuffle = "control is off 0 with one shuffle: take more seeds"
    assert verdict(control.model_copy(update=once)) == one_shuffle
    assert verdict(control.model_copy(update={"value": None})) == "control finds nothing: a constant"
    for (low, high), text in words.items():
        assert verdict(control.model_copy(update={"interval": interval(low, high)})) == text


def test_heads_that_do_not_beat_ridge_are_named(results) -> None:
    block = results.blocks[0]

    def with_head(cell: CellRecord):
        others = [each for each in block.cells if each.row in ("mean", "ridge")]
        return block.model_copy(update={"cells": (*others, cell)})

    (text,) = not_beating_ridge([with_head(head(results, -0.1, 0.1))])
    assert text.endswith("encoder clips-toy-clips: no head beats ridge regression.")
    assert not list(not_beating_ridge([with_head(head(results, 0.1, 0.2))]))


def test_only_the_first_of_many_splits_are_named(results) -> None:
    block = results.blocks[0]
    many = block.model_copy(update={"splits": block.splits * 8})
    assert "and 3 more, which results.json names; seeds 0, 1; last epoch" in facts_of(many)
    assert "given (SHA-256 " + block.splits[0].sha256[:12] + "); seeds 0, 1" in facts_of(block)


def test_the_best_comes_first_and_the_control_last(results) -> None:
    *ranked, mean, control = in_order(results.blocks[0])
    assert (mean.row, control.row) == ("mean", "svr-average-shuffled")
    values = [cell.value for cell in ranked]
    assert values == sorted(values, reverse=True)


def hostile(results: BenchResults) -> BenchResults:
    block = results.blocks[0].model_copy(update={"dataset": HOSTILE})
    return results.model_copy(update={"blocks": (block, results.blocks[1])})


def test_names_are_escaped_everywhere(results, tmp_path: Path) -> None:
    strange = hostile(results)
    assert "\\textless{}script\\textgreater{}1" in latex_of(strange)
    assert HOSTILE not in latex_of(strange)
    assert "\\<script>1\\</script>\\|&\\_%$" in markdown_of(strange).replace("\\<\\/", "\\</")
    write_files(tmp_path, strange)
    assert "<script>" not in (tmp_path / "leaderboard.html").read_text()


def test_latex_has_a_table_per_block_and_one_of_ranks(results) -> None:
    text = latex_of(results)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 3
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count(" & ") for line in rows} == {5, 1}


def test_the_csv_has_a_row_per_head_with_all_digits(finished_bench, results) -> None:
    with (finished_bench[0] / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    cell = results.blocks[0].cell("wd-paper")
    (row,) = [row for row in rows if (row["row"], row["encoder"]) == ("wd-paper", "clips-toy-clips")]
    assert float(row["value"]) == cell.value
    assert row["seeds"] == "0 1"
    assert row["splits_sha256"] == results.blocks[0].splits[0].sha256


def test_one_page_joins_benches_of_the_same_features(results, tmp_path: Path, finished_bench) -> None:
    first, second = (
        results.model_copy(
            update={
                "blocks": tuple(
                    block.model_copy(update={"cells": tuple(c for c in block.cells if c.row in rows)})
                    for block in results.blocks
                )
            }
        )
        for rows in (("mean", "ridge", "svr-average"), ("ridge", "wd-paper"))
    )
    merged = merge([first, second])
    assert [[cell.row for cell in block.cells] for block in merged.blocks] == [
        ["mean", "ridge", "svr-average", "wd-paper"]
    ] * 2
    assert merged.ranking == results.ranking
    path = str(finished_bench[0] / "results.json")
    page = tmp_path / "all.html"
    result = CliRunner().invoke(cli.main, ["bench", "page", path, path, "--html", str(page)])
    assert result.exit_code == 0, result.output
    text = page.read_text()
    assert text.count("<h2>club, target score") == 2
    assert text.count("data:image/svg+xml") == 3  # the ranks, and the intervals of each block


def test_a_block_without_values_has_no_picture_of_intervals(results) -> None:
    block = results.blocks[0]
    assert intervals_plot(block.model_copy(update={"cells": (block.cell("mean"),)})) is None
    plot = intervals_plot(block)
    assert f"ridge {block.cell('ridge').value:.3f}" in plot.alt
    assert "mean" not in plot.alt
