"""Tables for the terminal: nothing is cut, columns stand under each other, numbers to the right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.text_table import format_table
from aqa_pipeline.video_names import count_of, some


def test_a_table_as_it_is_printed():
    table = format_table(("name", "videos", "MB"), [("a", 12, "0.5"), ("longer name", 3, "-12.0")])
    assert table.splitlines() == [
        "name         videos     MB",
        "--------------------------",
        "a                12    0.5",
        "longer name       3  -12.0",
    ]


@pytest.mark.parametrize(
    ("values", "right"),
    [
        (["1", "-2", "+3"], True),
        (["1.5 %", "10"], True),
        (["1", "-"], False),
        (["1", ""], False),
        (["a1"], False),
        ([], False),
    ],
    ids=["signs", "units", "a dash", "an empty field", "a word", "no row"],
)
def test_a_column_is_of_numbers_if_all_its_values_begin_with_one(values, right):
    lines = format_table(("a long header", "z"), [(value, "x") for value in values]).splitlines()
    for value, line in zip(values, lines[2:], strict=True):
        assert line.startswith(value.rjust(13) if right else value.ljust(13))


FIELDS = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=6)


@given(st.lists(st.tuples(FIELDS, FIELDS, FIELDS), min_size=1, max_size=5))
def test_every_value_is_there_in_its_place(rows):
    header, *others = rows
    lines = format_table(header, others).splitlines()
    assert len(lines) == len(rows) + 1
    assert [tuple(line.split()) for line in (lines[0], *lines[2:])] == rows
    assert set(lines[1]) == {"-"}
    assert len(lines[1]) >= max(map(len, lines))


def test_rows_of_other_lengths_are_a_mistake():
    with pytest.raises(ValueError, match="argument 2 is"):
        format_table(("a", "b"), [("1",)])


@pytest.mark.parametrize(
    ("num", "text"),
    [(0, ""), (1, "v0"), (10, ", ".join(f"v{i}" for i in range(10)))],
)
def test_up_to_ten_names_are_all_named(num, text):
    assert some([f"v{i}" for i in range(num)]) == text


def test_of_more_than_ten_names_the_others_are_counted():
    assert some([f"v{i}" for i in range(13)]).endswith("v8, v9 and 3 more")


@pytest.mark.parametrize(
    ("names", "of", "text"),
    [
        (["a"], None, "1 video (a)"),
        (["a", "b"], None, "2 videos (a, b)"),
        (["a"], 12, "1 of 12 videos (a)"),
        (["a"], 1, "1 of 1 video (a)"),
        ([], 3, "0 of 3 videos ()"),
    ],
)
def test_a_count_agrees_with_its_noun(names, of, text):
    assert count_of(names, of=of) == text
