"""Filter and order of the library."""

from datetime import date

import pytest

from aqa.serve.library.order import COLUMNS, filtered, next_sort, ordered
from aqa.serve.library.rows import Row

ROWS = [
    Row("b", athlete="Zoë", date=date(2026, 5, 8), label=9.0, state="learned"),
    Row("A", athlete="ann", date=date(2026, 3, 1), element="Ball", label=10.0, state="learned"),
    Row("c", state="needs a score"),
]


def names(rows: list[Row]) -> str:
    return "".join(row.name for row in rows)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("video", "Abc"),
        ("-video", "cbA"),
        ("athlete", "Abc"),
        ("date", "Abc"),
        ("-date", "bAc"),
        ("label", "bAc"),
        ("-label", "Abc"),
        ("element", "Abc"),
        ("predicted", "bAc"),
        ("state", "Abc"),
        ("'; drop table", "Abc"),
        ("", "Abc"),
    ],
)
def test_rows_are_ordered_and_those_without_a_value_come_last(sort: str, expected: str) -> None:
    assert names(ordered(ROWS, sort)) == expected


def test_every_column_orders_rows_without_any_value() -> None:
    for column in COLUMNS:
        assert names(ordered([Row("x")], f"-{column}")) == "x"


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", "bAc"), ("zoe\u0308", "b"), ("ZOË learned", "b"), ("2026-03", "A"), ("ball", "A"), ("nobody", "")],
)
def test_rows_are_filtered_by_words_in_any_spelling(words: str, expected: str) -> None:
    assert names(filtered(ROWS, words)) == expected


def test_a_second_click_turns_the_order_round() -> None:
    assert (next_sort("date", "video"), next_sort("date", "date"), next_sort("date", "-date")) == (
        "date",
        "-date",
        "date",
    )
