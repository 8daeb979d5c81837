"""The tables of ACTION-NET against the text of the paper, and against the heads that there are."""

import re
from pathlib import Path

import pytest

from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import UnknownName
from heads.registry import find_head
from heads.tables.registry import TABLES, find_table
from heads.tables.table import Column, Row, Table

# How the paper's text names our rows; the reference in brackets is left out of the text below.
PRINTED_AS = {
    "Pose + DCT": "Pose + DCT",
    "SS, w/o detection": "SS + CAAw/o detection",
    "SS, w detection": "SS + CAAw detection",
    "TS, w/o detection": "TS + CAAw/o detection",
    "TS, w detection": "TS + CAAw detection",
    "TS + CAA": "TS + CAA (ours)",
    "CAA": "CAA (ours)",
    "ACTION-NET": "ACTION-NET (ours)",
}
IN_ORDER = ("mit-skating", "ball", "clubs", "hoop", "ribbon")


def table_text(shared: Path, number: int) -> str:
    """Return the lines of one table: between the caption of the one before and its own."""
    text = next((shared / "papers").glob("000_*.txt")).read_text()
    text = re.sub(r" \[\d+\]", "", text).replace("*", "")
    end = text.index(f"Table {number}: ")
    return text[:end].rsplit("MIT-Skating", 1)[1]


def printed_line(row: Row) -> str:
    variant = row.label.startswith("variant")
    name = row.group if variant else row.label
    values = [row.printed.get(column) for column in IN_ORDER]
    numbers = " ".join("-" if value is None else f"{value:.3f}" for value in values)
    return f"{PRINTED_AS.get(name, name)} {numbers}"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_every_value_is_the_one_in_the_paper(shared: Path, number: int) -> None:
    lines = [line.strip() for line in table_text(shared, number).splitlines()]
    expected = [line for line in lines if re.search(r"\d\.\d{3}", line)]
    ours = [printed_line(row) for row in find_table(f"action-net-table{number}").rows]
    assert list(dict.fromkeys(ours)) == expected


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_row_can_be_run(table: Table) -> None:
    for column in table.columns:
        assert column.dataset in DATASETS
    for row in table.rows:
        if row.method is not None:
            head = find_head(row.method.head)
            head.check_variant(row.method.variant)
            head.check_streams(tuple(row.method.streams))


def test_only_what_the_authors_did_not_run_is_cited() -> None:
    tables = [table for name, table in TABLES.items() if name.startswith("action-net")]
    cited = [row.label for table in tables for row in table.rows if row.where_stored or row.method is None]
    assert cited == ["Pose + DCT", "ConvISA", "Li et al.", "Pan et al."]


def test_every_action_net_stands_in_both_variants() -> None:
    for table in TABLES.values():
        methods = [row.method for row in table.rows if row.method and row.method.head.startswith("action")]
        assert [m.variant for m in methods] == ["paper", "released"] * (len(methods) // 2)


def test_the_papers_contradiction_is_a_footnote() -> None:
    for number in (2, 4):
        assert any(
            ".575" in note and ".572" in note for note in find_table(f"action-net-table{number}").footnotes
        )


def test_a_part_keeps_the_order_and_drops_averages_that_lack_a_column() -> None:
    part = find_table("action-net-table1").part(rows=["xu", "c3d-svr"], columns=["ball", "mit-skating"])
    assert [row.name for row in part.rows] == ["c3d-svr", "xu"]
    assert [column.name for column in part.columns] == ["mit-skating", "ball"]
    assert dict(part.rows[1].printed) == {"mit-skating": 0.590, "ball": 0.515}
    assert part.averages == ()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown table 'action-net-table5'.*action-net-table1"):
        find_table("action-net-table5")
    with pytest.raises(UnknownName, match=r"unknown row of action-net-table1 'xi'.*xu"):
        find_table("action-net-table1").part(rows=["xi"])
    with pytest.raises(UnknownName, match=r"unknown column of action-net-table1 'bal'. Did you mean 'ball'"):
        find_table("action-net-table1").part(columns=["bal"])


def test_a_table_that_contradicts_itself_is_refused() -> None:
    column = Column("a", "A", "folder", ())
    with pytest.raises(ValueError, match="a column is named twice"):
        Table("t", "", "", (column, column), ())
    with pytest.raises(ValueError, match=r"there are no columns \['b'\]"):
        Table("t", "", "", (column,), (Row("r", "", "r", {"b": 0.5}),))
