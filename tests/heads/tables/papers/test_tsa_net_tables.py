"""TSA-Net's tables against the text of the paper, against each other, and the heads and maps they name."""

import re
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.datasets.adapters.aqa7 import SPORTS
from aqa_pipeline.metrics import fisher_z_mean
from heads.tables.registry import find_table
from heads.tables.table import Count, Row, Table

NAMES = [f"tsa-table{number}" for number in range(1, 7)]


def text_of(shared: Path, start: str, stop: str) -> str:
    """Return the paper between two places."""
    text = next((shared / "papers").glob("002_*.txt")).read_text()
    begin = text.index(start)
    return text[begin : text.index(stop, begin)]


def numbers(text: str) -> list[float]:
    """Return the decimal numbers of its lines that hold nothing else, an arrow down being a minus."""
    found = re.findall(r"^([↑↓-]?)(\d+\.\d+)[G%]?$", text, re.MULTILINE)
    return [-float(value) if sign in ("↓", "-") else float(value) for sign, value in found]


def rows_of(table: Table) -> list[Row]:
    """One row per line of the paper: of variants the first."""
    lines: dict[str, Row] = {}
    for row in table.rows:
        lines.setdefault(row.group or row.label, row)
    return list(lines.values())


def by_column(rows: list[Row], names: list[str]) -> list[float]:
    """Return the printed values column by column, dashes left out, as the text of a PDF has them."""
    return [row.printed[name] for name in names for row in rows if name in row.printed]


def test_table_1_prints_what_the_paper_prints(shared: Path) -> None:
    """The text has the cited rows column by column, and the two of the authors likewise."""
    text = text_of(shared, "Table 1: Comparison", "Table 2:")
    rows, names = rows_of(find_table("tsa-table1")), [*SPORTS, "average"]
    cited = [row for row in rows if row.where_stored or row.method is None]
    ours = [row for row in rows if row not in cited]
    assert [row.group for row in ours] == ["NL-Net", "TSA-Net"]
    assert [re.sub(r" \[\d+\]", "", line) for line in text.splitlines() if re.search(r"\[\d+\]$", line)] == [
        row.label for row in cited
    ]
    lines = [[row.printed[name] for name in names] for row in ours]
    columns = [value for pair in zip(*lines, strict=True) for value in pair]
    assert numbers(text) == by_column(cited, names) + columns


def test_table_2_prints_what_the_paper_prints(shared: Path) -> None:
    rows = rows_of(find_table("tsa-table2"))
    assert [row.group for row in rows] == ["TSA-Net", "TSAx2-Net", "TSAx3-Net"]
    assert numbers(text_of(shared, "Table 2: Study", "Table 3:")) == by_column(rows, [*SPORTS, "average"])


def test_table_3_prints_what_the_paper_prints(shared: Path) -> None:
    """The text has the sports of each column, one column after the other, and then the averages."""
    table = find_table("tsa-table3")
    text = text_of(shared, "Table 3: Comparisons", "Evaluation Protocols")
    printed = [table.row(name).printed for name in ("nl-net", "tsa", "decrease", "improvement")]
    expected = [row[sport] for row in printed for sport in SPORTS] + [row["average"] for row in printed]
    assert numbers(text) == expected


def test_tables_4_to_6_print_what_the_paper_prints(shared: Path) -> None:
    four = numbers(text_of(shared, "Table 4: Comparison", "Each training mini-batch"))
    assert [row.printed["mtl-aqa"] for row in rows_of(find_table("tsa-table4"))] == four
    five = numbers(text_of(shared, "Sp. Corr.↑", "Table 6:"))
    rows = [row for row in find_table("tsa-table5").rows if row.count]
    assert [row.group for row in rows] == ["NL-Net", "TSA-Net", "TSAx2-Net", "TSAx3-Net"]
    assert by_column(rows, ["spearman", "mse", "paper-count"]) == five
    six = numbers(text_of(shared, "Plain-Net\nTSA-Net\n\n94.23", "of view, which leads"))
    assert [row.printed["fr-fs"] for row in rows_of(find_table("tsa-table6"))] == six


# The tables against each other: what the paper computes follows from what it prints.


@pytest.mark.parametrize("name", ["tsa-table1", "tsa-table2"])
def test_printed_averages_are_fisher_z_means(name: str) -> None:
    """It also tells in which cells the dashes of Pose+DCT are."""
    averaged = [row for row in find_table(name).rows if "average" in row.printed]
    assert len(averaged) == {"tsa-table1": 9, "tsa-table2": 4}[name]
    for row in averaged:
        mean = fisher_z_mean([row.printed[sport] for sport in SPORTS])
        assert mean == pytest.approx(row.printed["average"], abs=5.1e-5), row.name


def test_printed_differences_follow_from_printed_values() -> None:
    table, results = find_table("tsa-table3"), find_table("tsa-table1")
    dense, tube, decrease = (table.row(name).printed for name in ("nl-net", "tsa", "decrease"))
    tsa, nl_net = (results.row(name).printed for name in ("tsa-paper", "nl-net-paper"))
    for name in (*SPORTS, "average"):
        assert 100 * (tube[name] / dense[name] - 1) == pytest.approx(decrease[name], abs=0.025)
        assert tsa[name] - nl_net[name] == pytest.approx(table.row("improvement").printed[name], abs=1e-9)
        assert table.row("tsa-paper").printed[name] == tsa[name]
        assert table.row("nl-net-paper").printed[name] == nl_net[name]
    assert np.mean([tube[sport] for sport in SPORTS]) == pytest.approx(tube["average"], abs=5e-4)


def test_tables_agree_where_they_print_the_same() -> None:
    one, two, four, five = (find_table(f"tsa-table{number}") for number in (1, 2, 4, 5))
    assert one.row("tsa-paper").printed == two.row("tsa-paper").printed
    for name in ("nl-net-paper", "tsa-paper"):
        assert four.row(name).printed["mtl-aqa"] == five.row(name).printed["spearman"]


# What is run.


@pytest.mark.parametrize("name", NAMES)
def test_the_papers_own_networks_are_run_and_the_others_cited(name: str) -> None:
    ours = {"NL-Net", "TSA-Net", "TSAx2-Net", "TSAx3-Net", "Plain-Net", "Paper's count", "Every product"}
    for row in find_table(name).rows:
        is_run = bool(row.method or row.count or row.versus) and not row.where_stored
        assert is_run == ((row.group in ours) or row.group == "Correlation"), row.name


@pytest.mark.parametrize("name", NAMES)
def test_maps_are_those_of_the_variant(name: str) -> None:
    for row in find_table(name).rows:
        for reader in () if row.where_stored else filter(None, (row.method, row.count)):
            ((stream, (backbone, *_)),) = reader.streams.items()
            assert stream == "tubes"
            assert reader.facts["endpoint"] in get_backbone(backbone).map_shapes
            released = "released" in row.name
            assert reader.facts["endpoint"] == ("MaxPool3d_4a_3x3" if released else "Mixed_4e")
            assert (reader.extraction.variant == "released") == released


@pytest.mark.parametrize("name", NAMES)
def test_what_is_frozen_is_said_in_every_table(name: str) -> None:
    assert any("FIRST STAGE of I3D is FROZEN" in note for note in find_table(name).footnotes)


def test_stacks_count_as_many_modules_as_they_have() -> None:
    stacked = [row.count.stacked for row in find_table("tsa-table5").rows if isinstance(row.count, Count)]
    assert stacked == [1, 1, 2, 3]


def test_a_part_keeps_what_a_row_compares() -> None:
    table = find_table("tsa-table3")
    assert [row.name for row in table.part(rows=["improvement"]).rows] == [
        "nl-net-paper",
        "tsa-paper",
        "improvement",
    ]
    part = table.part(columns=["diving"])
    assert part.averages == ()
    assert dict(part.row("improvement").printed) == {"diving": 0.0083}
